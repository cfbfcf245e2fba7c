"""The record on disk: what was acknowledged is there, nothing else is, and nobody but the owner reads it."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from console.record.canonical import FIRST_PREV, digest_of, item_of, kind_of
from console.record.chain import check_chain
from console.record.database import FORMAT
from console.record.entries import Attachment, Body, Note
from console.record.record import FILE, Head, Record, Row
from remote.errors import Trouble
from tests.console.record.record_samples import A_FILE, SAMPLES, append_note, filled, forge, note_text

ROOT = Path(__file__).parents[3]


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    made = Record.create(tmp_path / "kitchen", wall_ns=lambda: 1_000)
    yield made
    made.close()


def code_of(action: Callable[[], object]) -> str:
    with pytest.raises(Trouble) as caught:
        action()
    assert caught.value.cure, "a person must be told what to do"
    return caught.value.code


# ---------------------------------------------------------------- what is kept


def test_every_kind_of_entry_comes_back_as_it_was_appended(record: Record) -> None:
    kept = {one.digest: one for one in (record.attach(b"abc", "pack.yaml"), record.attach(b"abcd", "grip.jpg"))}
    a_file, b_file = kept.values()
    for body in SAMPLES:
        stored = record.append("ada", with_files(body, a_file, b_file))
        assert record.entry(stored.entry.seq) == stored.entry
    assert [(row.kind, row.item) for row in record.rows()] == [(kind_of(body), item_of(body)) for body in SAMPLES]
    assert check_chain(record.rows(), record.head()) == []


def with_files(body: Body, a_file: Attachment, b_file: Attachment) -> Body:
    """The sample with attachments that this record keeps in place of those that it only names."""
    text = msgspec.json.encode(body).decode()
    for old, new in (("a" * 64, a_file), ("b" * 64, b_file)):
        text = text.replace(old, new.digest)
    return msgspec.json.decode(text, type=type(body))


def test_the_chain_begins_at_the_first_entry_and_its_head_is_the_last(record: Record) -> None:
    assert record.head() == Head(0, FIRST_PREV)
    assert record.rows() == []
    first = record.append("ada", Note(text="one"))
    second = record.append("ada", Note(text="two"))
    assert (first.entry.prev, second.entry.prev) == (FIRST_PREV, first.digest)
    assert record.head() == Head(2, second.digest)
    row = record.rows()[1]
    assert row == Row(2, "note", "", second.digest, row.line)
    assert digest_of(row.line) == second.digest


def test_a_record_is_read_by_its_owner_alone(record: Record) -> None:
    """Evidence shows people's homes and faces."""
    record.attach(b"face", "face.jpg")
    record.append("ada", Note(text="x"))
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [record.folder, *record.folder.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
    assert len(modes) >= 4


def test_a_commit_is_synced_before_it_is_acknowledged(record: Record) -> None:
    assert record._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert record._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entries SET person_x = 1",
        "UPDATE entries SET kind = 'note' WHERE seq = 1",
        "DELETE FROM entries WHERE seq = 2",
        "INSERT OR REPLACE INTO entries VALUES (1, 'note', '', 'x', x'00')",
        "INSERT INTO entries VALUES (9, 'note', '', 'x', x'00')",
    ],
)
def test_not_even_a_slip_in_our_own_sql_changes_an_entry(record: Record, sql: str) -> None:
    record.append("ada", Note(text="one"))
    record.append("ada", Note(text="two"))
    before = record.rows()
    with pytest.raises(sqlite3.Error):
        record._connection.execute(sql)
    assert record.rows() == before


# ---------------------------------------------------------------- clocks


def test_a_clock_set_back_is_told_and_does_not_run_the_record_backwards(tmp_path: Path) -> None:
    clock = iter([5_000_000_000, 5_000_000_000, 2_500_000_000, 6_000_000_000])
    record = Record.create(tmp_path / "c", wall_ns=lambda: next(clock))
    entries = [record.append("ada", Note(text="x")).entry for _ in range(4)]
    record.close()
    assert [one.wall_ns for one in entries] == [5_000_000_000, 5_000_000_000, 5_000_000_000, 6_000_000_000]
    assert [one.clock_back_ms for one in entries] == [0.0, 0.0, 2500.0, 0.0]


# ---------------------------------------------------------------- several at once

_APPENDER = """
import sys
from pathlib import Path
from console.record.entries import Note
from console.record.record import Record
record = Record.open(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    print(record.append(sys.argv[2], Note(text=f"{number}")).entry.seq, flush=True)
"""


def appender(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _APPENDER, str(folder), name, str(count)]
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def test_two_programs_append_to_one_record_without_a_broken_link(record: Record) -> None:
    """The screen and `fieldgate check` on the same campaign: no entry lost, none refused."""
    children = {name: appender(record.folder, name, 60) for name in ("ada", "grace")}
    for child in children.values():
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    told = {name: [int(seq) for seq in child.communicate(timeout=60)[0].split()] for name, child in children.items()}
    assert check_chain(record.rows(), record.head()) == []
    assert sorted(told["ada"] + told["grace"]) == list(range(1, 121))
    assert all(record.entry(seq).person == name for name, seqs in told.items() for seq in seqs)


def test_threads_share_one_record(record: Record) -> None:
    threads = [threading.Thread(target=lambda: [record.append("a", Note(text="x")) for _ in range(20)]) for _ in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert record.head().seq == 80
    assert check_chain(record.rows(), record.head()) == []


def test_somebody_who_holds_the_file_is_named_not_waited_for_without_end(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = sqlite3.connect(record.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    record._connection.execute("PRAGMA busy_timeout = 20")
    assert code_of(lambda: record.append("ada", Note(text="x"))) == "record_busy"
    other.execute("ROLLBACK")
    other.close()
    assert record.append("ada", Note(text="x")).entry.seq == 1


# ---------------------------------------------------------------- making and opening


def test_a_record_is_never_made_over_another(record: Record) -> None:
    record.append("ada", Note(text="x"))
    assert code_of(lambda: Record.create(record.folder)) == "record_exists"
    assert record.head().seq == 1
    assert list(record.folder.glob(".*")) == []


def test_no_record_is_made_by_opening_one(tmp_path: Path) -> None:
    assert code_of(lambda: Record.open(tmp_path / "nowhere")) == "record_missing"
    assert not (tmp_path / "nowhere").exists()
    assert code_of(lambda: Record.open(tmp_path)) == "record_missing"
    assert list(tmp_path.iterdir()) == []


def test_a_reader_cannot_write(record: Record) -> None:
    record.append("ada", Note(text="x"))
    reader = Record.open(record.folder, read_only=True)
    assert len(reader.rows()) == 1
    assert code_of(lambda: reader.append("ada", Note(text="x"))) == "record_read_only"
    assert code_of(lambda: reader.attach(b"x", "x")) == "record_read_only"
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("INSERT INTO entries VALUES (2, '', '', '', x'00')")
    record.append("ada", Note(text="y"))
    assert len(reader.rows()) == 2, "a reader sees what was committed after it opened"
    reader.close()


def test_a_record_on_a_medium_that_cannot_be_written_is_read(tmp_path: Path) -> None:
    """An auditor's read-only share or stick."""
    filled(tmp_path / "c", 3).close()
    if os.geteuid() == 0:
        mounted = subprocess.run(["mount", "--bind", "-o", "ro", tmp_path / "c", tmp_path / "c"], check=False)
        remount = ["mount", "-o", "remount,ro,bind", str(tmp_path / "c")]
        if mounted.returncode or subprocess.run(remount, check=False).returncode:
            pytest.skip("this machine does not let us mount anything read-only")
    else:
        (tmp_path / "c").chmod(0o500)
    try:
        record = Record.open(tmp_path / "c", read_only=True)
        assert check_chain(record.rows(), record.head()) == []
        assert len(record.rows()) == 3
        record.close()
        assert code_of(lambda: Record.open(tmp_path / "c").append("a", Note(text="x"))) in {
            "record_read_only",
            "record_unusable",
        }
    finally:
        if os.geteuid() == 0:
            subprocess.run(["umount", "--lazy", str(tmp_path / "c")], check=False)
        else:
            (tmp_path / "c").chmod(0o700)


# ---------------------------------------------------------------- damage


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "record_damaged"),
        (b"no database at all " * 50, "record_damaged"),
        (b"SQLite format 3\0", "record_damaged"),
    ],
    ids=["empty", "other", "header only"],
)
def test_what_is_no_record_is_named_and_left_as_it_is(tmp_path: Path, content: bytes, code: str) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert code_of(lambda: Record.open(tmp_path)) == code
    assert (tmp_path / FILE).read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == [FILE], "nothing is moved away silently"


def test_a_database_of_something_else_is_no_record(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / FILE)
    other.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY)")
    other.close()
    assert code_of(lambda: Record.open(tmp_path)) == "record_damaged"


def test_a_view_that_plays_the_table_is_no_record(tmp_path: Path) -> None:
    """A view could give another record at each look."""
    filled(tmp_path / "c").close()
    forge(tmp_path / "c", "ALTER TABLE entries RENAME TO real")
    forge(tmp_path / "c", "CREATE VIEW entries AS SELECT * FROM real")
    assert code_of(lambda: Record.open(tmp_path / "c")) == "record_damaged"


@pytest.mark.parametrize(("newer", "code"), [(0, ""), (1, "record_newer")])
def test_a_format_of_tomorrow_asks_for_an_update(tmp_path: Path, newer: int, code: str) -> None:
    filled(tmp_path / "c").close()
    forge(tmp_path / "c", f"PRAGMA user_version = {FORMAT + newer}")
    try:
        Record.open(tmp_path / "c").close()
        found = ""
    except Trouble as trouble:
        found = trouble.code
    assert found == code


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.999])
def test_a_record_cut_short_is_told_and_never_read_as_a_shorter_one(tmp_path: Path, share: float) -> None:
    filled(tmp_path / "c", 30).close()
    path = tmp_path / "c" / FILE
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(Trouble) as caught:
        Record.open(tmp_path / "c").rows()
    assert caught.value.code == "record_damaged"
    assert str(path) in caught.value.what
    assert caught.value.cure
    assert path.read_bytes() == whole[: int(len(whole) * share)]


def test_pages_overwritten_in_the_middle_are_found_by_sqlite_or_by_the_chain(tmp_path: Path) -> None:
    filled(tmp_path / "c", 30).close()
    path = tmp_path / "c" / FILE
    whole = path.read_bytes()
    sound = Record.open(tmp_path / "c")
    head = sound.head()
    sound.close()
    told = []
    for page in range(1, len(whole) // 4096):
        path.write_bytes(whole[: page * 4096] + b"\xa5" * 4096 + whole[(page + 1) * 4096 :])
        try:
            record = Record.open(tmp_path / "c", read_only=True)
            assert check_chain(record.rows(), head), f"page {page}"
            record.close()
        except Trouble as trouble:
            told.append((trouble.code, trouble.what))
    assert len(whole) // 4096 > 10
    assert {code for code, _ in told} == {"record_damaged"}
    assert all(str(path) in what for _, what in told)
    assert len({place for _, what in told for place in re.findall(r"behind entry (\d+)", what)}) > 1


def test_nothing_is_added_behind_an_entry_that_was_changed(tmp_path: Path) -> None:
    """Else the next commit would vouch for the forgery."""
    filled(tmp_path / "c").close()
    forge(tmp_path / "c", "UPDATE entries SET line = replace(line, 'grip', 'grab') WHERE seq = 5")
    record = Record.open(tmp_path / "c")
    assert code_of(lambda: record.append("ada", Note(text="x"))) == "record_damaged"
    assert code_of(lambda: record.entry(5)) == "record_damaged"
    assert record.entry(4).seq == 4
    assert record.head().seq == 5
    record.close()


@pytest.mark.parametrize("column", ["kind", "item", "digest", "line"])
@pytest.mark.parametrize("value", [7, 1.5, "text", b"\xff\xfe"])
def test_a_column_of_another_type_is_found_not_fallen_over(tmp_path: Path, column: str, value: object) -> None:
    filled(tmp_path / "c").close()
    forge(tmp_path / "c", f"UPDATE entries SET {column} = ? WHERE seq = 3", value)
    record = Record.open(tmp_path / "c")
    assert all(isinstance(row.line, bytes) and isinstance(row.kind, str) for row in record.rows())
    assert {one.seq for one in check_chain(record.rows(), record.head())} & {3, 4}
    record.close()


def test_text_that_is_no_utf8_is_found(tmp_path: Path) -> None:
    filled(tmp_path / "c").close()
    forge(tmp_path / "c", "UPDATE entries SET kind = CAST(x'fffe' AS TEXT) WHERE seq = 3")
    record = Record.open(tmp_path / "c")
    try:
        found = {one.seq for one in check_chain(record.rows())}
    except Trouble as trouble:
        found = {3} if trouble.code == "record_damaged" else set()
    assert found == {3}
    record.close()


def test_an_entry_that_is_not_there_is_no_damage(record: Record) -> None:
    assert code_of(lambda: record.entry(1)) == "entry_missing"


# ---------------------------------------------------------------- what an entry names


def test_an_entry_cannot_name_a_file_that_is_not_kept(record: Record) -> None:
    """A signed statement whose text is missing proves nothing."""
    assert code_of(lambda: record.append("ada", Note(text="x", attachments=(A_FILE,)))) == "attachment_missing"
    assert record.head().seq == 0


def test_the_notes_of_the_samples_come_back(tmp_path: Path) -> None:
    record = filled(tmp_path / "c", 3)
    append_note(record, 4)
    bodies = [record.entry(seq).body for seq in range(1, 5)]
    assert [body.text for body in bodies if isinstance(body, Note)] == [note_text(seq) for seq in range(1, 5)]
    record.close()
