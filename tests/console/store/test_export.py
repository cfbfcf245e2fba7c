"""`fieldgate export`: columns with units, every row, nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from console.commands.export import export
from console.store.csv_file import safe_cell, whole_file, write_csv
from console.store.store import Store
from console.store.tables import COLUMNS, TABLES, Table, rows
from remote.errors import Trouble
from remote.histogram import Histogram
from remote.protocol import STAGES, Body, CameraHealth, Entry, Event, Failure, Host, LabelCount, Window, raw


def window(frames: int = 4) -> Window:
    stages = {stage: Histogram.of([1.0, 2.0, 3.0, 40.0]) for stage in STAGES} if frames else {}
    labels = {"cup": LabelCount(5, 3, 2.5, 0.4, 0.6)}
    camera = CameraHealth("ok", brightness=88.0)
    return Window(
        run=1, window=0, start_mono_ns=0, span_ms=1000.0, frames=frames, stages_ms=stages, labels=labels,
        camera=camera, source="scene:", bundle="ab" * 32,
    )  # fmt: skip


BODIES: dict[Table, Body] = {
    "windows": window(),
    "events": Event(name="e", severity="info", text='=HYPERLINK("http://x","y"), "quoted"\nnew line', data={"a": 1}),
    "failures": Failure(name="bad_frame", text="@SUM(1)", frame=3, stages_ms={"inference": 5.5}),
    "hosts": Host(
        values={"cpu_percent": 12.5}, series={"temp_c": {"cpu": 50.0}}, unavailable={"gpu_percent": "no GPU"}
    ),
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    made = Store()
    made.add(made.journal("orin", "j1").id, [entry(seq, body) for seq, body in enumerate(BODIES.values(), start=1)])
    return made


def entry(seq: int, body: Body, wall_ns: int = 1_700_000_000_123_000_000) -> Entry:
    return Entry(seq, "boot", 5, wall_ns, raw(body))


def exported(table: Table) -> list[dict[str, str]]:
    result = CliRunner().invoke(export, [table, "orin", "--csv"])
    assert result.exception is None, result.exception
    return list(csv.DictReader(io.StringIO(result.stdout, newline="")))


@pytest.mark.parametrize("table", TABLES)
def test_every_row_has_a_cell_for_every_column(store: Store, table: Table) -> None:
    found = list(rows(store, "orin", table))
    assert [len(row) for row in found] == [len(COLUMNS[table])]
    assert len(set(COLUMNS[table])) == len(COLUMNS[table])


def test_a_window_says_its_quantiles_in_milliseconds(store: Store) -> None:
    (row,) = exported("windows")
    assert row["time_utc"] == "2023-11-14T22:13:20.123Z"
    assert float(row["inference_p50_ms"]) == pytest.approx(2.0, rel=0.006)
    assert float(row["end_to_end_max_ms"]) == 40.0
    assert (row["fps"], row["detections"], row["frames"]) == ("4.0", "5", "4")


def test_a_window_without_frames_has_empty_cells_not_zeros(store: Store) -> None:
    store.add(store.journal("orin", "j1").id, [entry(5, window(0))])
    assert exported("windows")[1]["inference_p99_ms"] == ""


def test_no_cell_is_run_by_a_spreadsheet(store: Store) -> None:
    """A bundle's or a robot's text must not start a program on the desk of whoever opens the export."""
    assert exported("events")[0]["text"].startswith("'=HYPERLINK")
    assert exported("failures")[0]["text"] == "'@SUM(1)"


def test_a_metric_that_was_not_there_is_empty_and_says_why(store: Store) -> None:
    (row,) = exported("hosts")
    assert (row["cpu_percent"], row["gpu_percent"]) == ("12.5", "")
    assert "no GPU" in row["unavailable"]


def test_a_robot_never_seen_is_no_empty_file(store: Store) -> None:
    result = CliRunner().invoke(export, ["windows", "orim"])
    assert isinstance(result.exception, Trouble)
    assert result.exception.code == "no_data"


def test_a_clock_beyond_all_calendars_does_not_stop_the_export(store: Store) -> None:
    store.add(store.journal("orin", "j1").id, [entry(5, BODIES["events"], 2**62), entry(6, BODIES["events"], -(2**62))])
    assert [row["wall_ns"] for row in exported("events")][1:] == [str(2**62), str(-(2**62))]


def test_an_entry_of_a_newer_agent_is_left_out_and_the_rest_is_there(store: Store) -> None:
    import msgspec

    newer = Entry(5, "boot", 1, 1, msgspec.Raw(b'{"kind":"window","run":"not a number"}'))
    store.add(store.journal("orin", "j1").id, [newer, entry(6, window())])
    assert [row["seq"] for row in exported("windows")] == ["1", "6"]


def test_the_file_appears_whole_or_not_at_all(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    with pytest.raises(TypeError), whole_file(target) as file:
        write_csv(file, ["half"], [None])  # type: ignore[list-item]
    assert not list(tmp_path.glob("*.csv*"))
    assert not list(tmp_path.glob(".out*"))
    assert CliRunner().invoke(export, ["events", "orin", "-o", str(target)]).exit_code == 0
    assert target.read_bytes().startswith(b"time_utc,")


def test_a_place_that_cannot_be_written_is_named_with_the_way_out(store: Store, tmp_path: Path) -> None:
    result = CliRunner().invoke(export, ["events", "orin", "-o", str(tmp_path / "nowhere" / "out.csv")])
    assert isinstance(result.exception, Trouble)
    assert "out.csv can't be written: No such file or directory" in result.exception.what
    assert "--output" in result.exception.cure


def test_a_disk_that_fills_up_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from console.store.csv_file import whole_file, write_csv
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))  # the kernel itself refuses to write more
with whole_file(Path(sys.argv[1])) as file:
    write_csv(file, ["n"], ([n] for n in range(100_000)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "o.csv")], capture_output=True, text=True, check=False
    )
    assert "Trouble" in done.stderr
    assert "o.csv can't be written: File too large" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_stdout_is_data_only(store: Store) -> None:
    repository = Path(__file__).resolve().parents[3]
    words = [sys.executable, "-c", "from console.cli import main; main()", "export", "events", "orin"]
    done = subprocess.run(words, cwd=repository, env=os.environ.copy(), capture_output=True, text=True, check=True)
    assert done.stdout.startswith("time_utc,")
    assert "1 events" in done.stderr


@given(st.lists(st.one_of(st.none(), st.integers(), st.floats(allow_nan=False), st.text()), min_size=2, max_size=5))
def test_whatever_is_in_a_cell_comes_back_as_one_cell(cells: list[str | int | float | None]) -> None:
    out = io.StringIO(newline="")
    write_csv(out, ["c"] * len(cells), [cells])
    back = list(csv.reader(io.StringIO(out.getvalue(), newline="")))[1]
    assert back == ["" if cell is None else str(safe_cell(cell)) for cell in cells]
    assert not any(text.startswith(("=", "@", "\t", "\r")) for text in back)
