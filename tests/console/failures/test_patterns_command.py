"""`fieldgate failures patterns | import | export` as a person calls them: data on stdout, words on stderr, exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console import exits
from console.commands.failures import failures
from console.commands.failures_progress import Progress
from console.failures.exports.leftovers import tidied
from console.places import data_dir
from console.store.store import Store
from remote.errors import Trouble
from tests.console.failures.pattern_samples import fill


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))


def called(*words: str) -> Result:
    result = CliRunner().invoke(failures, list(words))
    if isinstance(result.exception, Trouble):
        raise result.exception
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def filled() -> None:
    store = Store()
    dark = range(0, 300, 10)
    fill(store, 300, lambda minute: 30.0 if minute in dark else 90.0, lambda minute: int(minute in dark))
    store.close()


def test_patterns_are_said_with_rate_interval_and_odds(tmp_path: Path) -> None:
    filled()
    shown = called("patterns", "kind:no_detection", "--utc")
    assert shown.exit_code == exits.OK
    assert "light < 40: 60 failures/h [40.5, 85.7], elsewhere 0; would be chance" in shown.stdout
    assert "hours of the day by UTC" in shown.stderr
    data = json.loads(called("patterns", "--json").stdout)
    assert (data["format"], data["failures"], data["groups"][0]["name"]) == (1, 30, "light < 40")
    rows = list(csv.DictReader(io.StringIO(called("patterns", "--csv", "--per", "frames").stdout)))
    assert float(rows[0]["rate_amount"]) == pytest.approx(36.0)


def test_without_running_time_it_ends_with_no_data() -> None:
    result = called("patterns")
    assert (result.exit_code, "no rates" in result.stdout) == (exits.NO_DATA, True)


def test_a_log_is_grouped_and_imported_and_exported(tmp_path: Path) -> None:
    log = tmp_path / "robot_failures.log"
    text = "".join(f"No detections | Light: {n} | Time: 2026-11-21 09:01:02\n" for n in range(50))
    log.write_text(text + "Traceback\x1b[31m (most recent call last):\n")
    shown = called("patterns", "--log", str(log))
    assert "51 lines: 50 failures, 0 regular, 1 not read" in shown.stdout
    assert "a count is no rate" in shown.stdout
    assert "line 51" in shown.stderr
    assert json.loads(called("patterns", "--log", str(log), "--json").stdout)["how"] == "same"
    first = called("import", str(log), "--utc")
    assert "50 failures are new" in first.stdout
    assert "no `|` in it" in first.stderr
    assert json.loads(called("import", str(log), "--json").stdout)["added"] == 0
    out = tmp_path / "f.csv"
    assert called("export", "light:<10", "--format", "csv", "-o", str(out)).stdout.strip() == str(out)
    assert len(out.read_text().splitlines()) == 11
    assert not [path for path in data_dir().rglob("*.tmp")]


def test_what_can_not_be_exported_is_said(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="no failure matches"):
        called("export", "--format", "mcap", "-o", str(tmp_path / "f.mcap"))
    with pytest.raises(Trouble, match="there is no folder"):
        called("export", "--format", "coco", "-o", str(tmp_path / "none" / "f"))
    assert called("export", "--format", "csv", "--fold", "-o", str(tmp_path / "f")).exit_code == exits.USAGE
    assert called("patterns", "kind:x", "--log", str(tmp_path)).exit_code == exits.USAGE
    assert called("patterns", "--json", "--csv").exit_code == exits.USAGE


@pytest.mark.parametrize(
    ("command", "content"),
    [
        (("import",), ""),
        (("import",), "Traceback (most recent call last):\n"),
        (("import",), "No detections | Light: 43 | Time: 9:0"),
        (("patterns", "--log"), ""),
        (("patterns", "--log"), "Traceback (most recent call last):\n"),
    ],
)
def test_a_log_without_a_line_that_can_be_read_is_no_success(
    tmp_path: Path, command: tuple[str, ...], content: str
) -> None:
    """Else a job that imports the wrong file looks as if all were well; the second time too."""
    log = tmp_path / "robot.log"
    log.write_text(content)
    for _ in range(2):
        with pytest.raises(Trouble, match=r"no line of .* could be read") as caught:
            called(*command, str(log))
        assert exits.BY_CODE[caught.value.code] == exits.NO_DATA
        assert "docs/failures.md" in caught.value.cure
    log.write_bytes(bytes(range(32)) * 99)
    with pytest.raises(Trouble, match="is no text") as caught:
        called(*command, str(log))
    assert "docs/failures.md" in caught.value.cure


def test_a_log_stays_that_of_its_robot(tmp_path: Path) -> None:
    """Else what was appended belongs to another robot than the rest."""
    log = tmp_path / "robot.log"
    log.write_text("No detections | Light: 1 | Time: 2026-11-21 09:01:02\n")
    assert "1 line: 1 failure, 0 regular, 0 not read\n1 failure is new\n" in called("import", str(log)).stdout
    with log.open("a") as file:
        file.write("No detections | Light: 2 | Time: 2026-11-21 09:01:03\n")
    again = called("import", str(log), "--robot", "arm", "--json")
    assert json.loads(again.stdout)["robot"] == "robot"
    assert "that of 'robot' since it was first imported" in again.stderr
    assert {json.loads(line)["robot"] for line in called("list", "--json").stdout.splitlines()} == {"robot"}


def test_what_takes_long_says_how_far_it_is() -> None:
    now_s, said = [0.0], list[str]()
    progress = Progress("exporting", clock=lambda: now_s[0], say=said.append)
    for row in progress.rows(range(5000), 5000):
        now_s[0] = row / 1000
    assert said == ["exporting: 2,500 of 5,000 (50 %)"]  # nothing for what is over in 2 s; then a line every 3 s
    now_s[0] = 5.5
    progress.tell(7)
    assert said[1:] == ["exporting: 7"]


def test_an_export_takes_away_what_killed_ones_left(tmp_path: Path) -> None:
    filled()
    out, late = tmp_path / "out", 0.0
    out.mkdir()
    names = (".k.csv.0123456789ab.tmp", ".old.csv.0123456789ab.tmp", ".new.csv.0123456789ab.tmp", ".notes.tmp")
    for name in names:
        (out / name).write_text("x")
    (out / ".k.csv.ba9876543210.tmp").mkdir()
    os.utime(out / names[1], (late, late))
    os.utime(out / names[3], (late, late))
    called("export", "--format", "csv", "-o", str(out / "k.csv"))
    assert {one.name for one in out.iterdir()} == {"k.csv", names[2], names[3]}  # who writes new.csv may be at work


def test_an_export_at_work_keeps_its_file(tmp_path: Path) -> None:
    at_work = tmp_path / ".k.csv.0123456789ab.tmp"
    with tidied(tmp_path / "k.csv"):
        at_work.write_text("x")
        with tidied(tmp_path / "k.csv"):
            assert at_work.exists()
    with tidied(tmp_path / "k.csv"):
        assert not at_work.exists()


@pytest.mark.parametrize("form", ["coco", "csv", "parquet", "mcap"])
def test_every_format_takes_what_the_store_holds(tmp_path: Path, form: str) -> None:
    filled()
    out = tmp_path / "out"
    data = json.loads(called("export", "--format", form, "-o", str(out), "--json").stdout)
    assert (data["failures"], data["pictures"]) == (30, 0)
    assert out.exists()
