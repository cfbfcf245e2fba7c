"""`fieldgate failures` as people and scripts use it: data on stdout, words on stderr, clear refusals."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.commands.failures import failures
from console.failures.rows import FailureRow
from console.failures.telling import table_of
from remote.errors import Trouble
from tests.console.failures.book_samples import failure, fill, store_with


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path))
    monkeypatch.setenv("FIELDGATE_PERSON", "ada")
    folder = tmp_path / "data"
    folder.mkdir()
    store_with(folder / "store.db", 12).close()
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(failures, list(arguments))


def said(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return str(result.stdout)


def test_list_prints_what_matches_the_newest_first(data: Path) -> None:
    lines = said("list", "kind:no_detection", "!place:dock").splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("j-one:14")
    _name, when, robot, kind, labels, *_ = lines[0].split()
    assert said("list", "--count", f"kind:{kind}", labels, f"robot:{robot}", f"time:{when}") == "1\n"  # as printed
    assert when.endswith("Z")
    assert said("list", "--count", "light:<3").strip() == "3"
    result = run("list", "--limit", "5")
    assert len(result.stdout.splitlines()) == 5
    assert "12 failures; --limit 12 shows the other 7" in result.stderr
    assert run("list", "number.11").stderr == "1 failure\n"
    assert not any(line.startswith("NAME") for line in lines)  # pipes get failures only


def test_the_columns_have_names_for_people() -> None:
    rows = (
        FailureRow(
            id="0123456789:7",
            robot="orin",
            wall_ns=0,
            kind="no_detection",
            text="gone",
            conditions={"light": "dim", "place": "main hall"},
        ),
    )
    header, line = table_of(rows, header=True)
    assert header.split("  ")[0] == "NAME"
    assert [
        line[header.index(name) :].split("  ")[0] for name in ("ROBOT", "KIND", "LABELS", "LIGHT", "CONDITIONS")
    ] == [
        "orin",
        "no_detection",
        "label:none",
        "no light told",
        'light=dim place:"main hall"',
    ]


def test_json_is_one_object_a_line_with_a_format(data: Path) -> None:
    found = [json.loads(line) for line in said("list", "--json").splitlines()]
    assert [one["text"] for one in found] == [f"failure number {n}" for n in reversed(range(12))]
    assert {one["format"] for one in found} == {1}
    groups = [json.loads(line) for line in said("list", "--by", "kind", "--json").splitlines()]
    assert json.loads(said("mark", "real", "j-one:4", "--json")) == {"format": 1, "mark": "real", "ids": ["j-one:4"]}
    assert json.loads(said("note", "j-one:4", "x", "--json")) == {"format": 1, "id": "j-one:4", "note": "x"}
    assert {one["name"]: one["count"] for one in groups} == {"no_detection": 4, "low_confidence": 4, "camera_black": 4}


def test_show_mark_and_note_by_the_short_name(data: Path) -> None:
    assert "4 marked real" in run("mark", "real", "--find", "kind:camera_black").stderr
    said("mark", "false_alarm", "j-one:4", "--as", "bob")
    said("note", "j-one:4", "the mirror")
    text = said("show", "j-one:4")
    assert "low confidence: failure number 1" in text
    assert "mark       false alarm" in text
    assert "ada, " in text
    assert "the mirror" in text
    assert "not pulled yet" in text
    said("mark", "none", "j-one:4")
    assert said("list", "--count", "marked:yes").strip() == "4"
    assert json.loads(said("show", "j-one:4", "--json"))["labels"] == ["cup"]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("list", "lable:cup"), "bad_query"),
        (("list", "a("), "bad_query"),
        (("list", "light:abc"), "bad_query"),
        (("list", "picture:maybe"), "bad_query"),
        (("list", "time:2026-13-45"), "bad_query"),
        (("list", "--by", "colour"), "bad_query"),
        (("show", "j-one:999"), "unknown_failure"),
        (("mark", "real", "nonsense"), "unknown_failure"),
        (("pin", "j-two:2"), "not_pinned"),
        (("pull", "nobody"), "unknown_robot"),
    ],
)
def test_what_can_not_be_done_is_refused_in_words(data: Path, arguments: tuple[str, ...], code: str) -> None:
    from console.store.store import Store

    store = Store(data / "store.db")
    fill(store, [failure(1, id=""), failure(2, id="")], journal="j-two")
    store.close()
    result = run(*arguments)
    assert isinstance(result.exception, Trouble), result.output
    assert result.exception.code == code
    assert result.exception.cure


def test_a_damaged_book_is_said_with_what_to_import_again(data: Path) -> None:
    said("mark", "real", "j-one:4")
    (data / "failures.db").write_bytes(b"garbage " * 1000)
    for part in ("-wal", "-shm"):
        (data / f"failures.db{part}").unlink(missing_ok=True)
    result = run("list", "--count", "marked:real")
    assert result.exit_code == 0
    assert result.stdout.strip() == "1"
    assert "was damaged; it was moved to" in result.stderr


def test_a_terminal_is_not_steered_by_what_a_robot_says(data: Path) -> None:
    from console.store.store import Store

    store = Store(data / "store.db")
    fill(store, [failure(1, text="\x1b]0;owned\x07\nsecond line")], journal="j-two")
    store.close()
    command = [sys.executable, "-c", "from console.cli import main; main()", "failures", "list", "owned"]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "\x1b" not in result.stdout
    assert len(result.stdout.splitlines()) == 1


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from console.commands.failures import failures\n"
        "try: failures(['--help'])\nexcept SystemExit: pass\n"
        "assert not {'polars', 'numpy', 'sqlite3', 'textual'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
