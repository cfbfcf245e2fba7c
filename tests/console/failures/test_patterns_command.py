"""`fieldgate failures patterns | import | export` as a person calls them: data on stdout, words on stderr, exit codes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console import exits
from console.commands.failures import failures
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
    assert (data["failures"], data["groups"][0]["name"]) == (30, "light < 40")
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


@pytest.mark.parametrize("form", ["coco", "csv", "parquet", "mcap"])
def test_every_format_takes_what_the_store_holds(tmp_path: Path, form: str) -> None:
    filled()
    out = tmp_path / "out"
    data = json.loads(called("export", "--format", form, "-o", str(out), "--json").stdout)
    assert (data["failures"], data["pictures"]) == (30, 0)
    assert out.exists()
