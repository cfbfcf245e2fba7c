"""The book of failures: each one once, whatever happened to the files, and what people said of it for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.failures.book import FailureBook
from console.failures.query import parse
from console.store.store import Store
from remote.errors import Trouble
from remote.protocol import Failure
from tests.console.failures.book_samples import BUNDLE, PICTURE, clip, failure, fill, foreign, store_with


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = store_with(tmp_path / "store.db", 12)
    yield made
    made.close()


@pytest.fixture
def book(tmp_path: Path) -> Iterator[FailureBook]:
    made = FailureBook(tmp_path, wall_ns=lambda: 77)
    yield made
    made.close()


def texts(book: FailureBook, line: str = "") -> list[str]:
    return [row.text for row in book.all_rows(book.find(parse(line)))]


def test_a_failure_is_in_the_book_with_what_the_journal_knows_of_it(store: Store, book: FailureBook) -> None:
    assert book.refresh(store).rows == 12
    row = book.failure("j-one:4")
    assert (row.kind, row.text, row.labels, row.temp_c) == ("low_confidence", "failure number 1", ("cup",), 51.0)
    assert (row.robot, row.bundle, row.at, row.phase, row.light) == ("orin", BUNDLE, PICTURE, "office", 1.0)
    assert texts(book)[0] == "failure number 11"  # the newest first


def test_nothing_is_counted_twice_by_reading_again_or_from_a_store_that_was_rebuilt(
    store: Store, book: FailureBook, tmp_path: Path
) -> None:
    book.refresh(store)
    assert book.refresh(store).rows == 0
    rebuilt = store_with(tmp_path / "rebuilt.db", 13)
    assert book.refresh(rebuilt).rows == 1
    rebuilt.close()
    # The same robot under a second name: its journal is the same.
    other = Store(tmp_path / "other.db")
    fill(other, [failure(n) for n in range(3)], robot="orin-by-cable", journal="j-one")
    assert book.refresh(other).rows <= 2  # numbers that held host samples there
    other.close()


def test_old_journals_are_in_it_too(store: Store, book: FailureBook) -> None:
    """A robot whose journal was made anew keeps its history on the laptop."""
    book.refresh(store)
    fill(store, [failure(50)], journal="j-two")
    assert book.refresh(store).rows == 1
    assert len(texts(book)) == 13


def test_a_clip_that_comes_later_gives_the_failure_its_pictures(store: Store, book: FailureBook) -> None:
    book.refresh(store)
    fill(store, [clip("f1")], first=25)
    book.refresh(store)
    row = book.failure("j-one:4")
    assert [one.offset_ms for one in row.clip] == [-5000.0, 0.0, 5000.0]
    assert row.after == "02" * 32
    assert row.pictures == (PICTURE, "02" * 32, "01" * 32)


def test_importing_the_same_file_twice_counts_nothing_twice(book: FailureBook) -> None:
    rows = [foreign(n) for n in range(1, 6)]
    assert book.add_imported(rows, "d" * 64, "a.log") == 5
    assert book.add_imported([*rows, foreign(6)], "d" * 64, "copy-of-a.log") == 1
    assert book.add_imported(rows, "e" * 64, "another.log") == 5
    assert book.failure("dddd:3").imported_from == "a.log:3"
    assert len(texts(book, "imported:yes robot:old")) == 11


def test_the_newest_mark_counts_and_notes_stay_in_order(store: Store, book: FailureBook) -> None:
    book.refresh(store)
    book.mark(["j-one:4", "j-one:6"], "real", "ada")
    book.mark(["j-one:4"], "false_alarm", "bob")
    book.note("j-one:4", "the mirror", "ada")
    book.note("j-one:4", "again", "bob")
    row = book.failure("j-one:4")
    assert row.mark == "false_alarm"
    assert [(note.person, note.text) for note in row.notes] == [("ada", "the mirror"), ("bob", "again")]
    assert texts(book, "marked:yes") == ["failure number 2", "failure number 1"]
    book.mark(["j-one:6"], "", "ada")
    assert texts(book, "marked:yes noted:yes") == ["failure number 1"]


def test_two_consoles_see_each_others_marks(store: Store, book: FailureBook, tmp_path: Path) -> None:
    book.refresh(store)
    other = FailureBook(tmp_path)
    other.mark(["j-one:4"], "seen", "bob")
    assert book.failure("j-one:4").mark == "seen"
    other.close()


def test_a_damaged_book_is_moved_aside_and_made_again_with_what_people_said(store: Store, tmp_path: Path) -> None:
    """What nobody can make again - the words of people - does not lie in the file that broke."""
    book = FailureBook(tmp_path)
    book.refresh(store)
    book.mark(["j-one:4"], "real", "ada")
    book.note("j-one:6", "look at this", "ada")
    book.add_imported([foreign(1)], "d" * 64, "a.log")
    book.mark([f"{'d' * 64}:1"], "to_label", "ada")
    book.close()
    (tmp_path / "failures.db").write_bytes(b"this is no database " * 400)
    for part in ("-wal", "-shm"):
        (tmp_path / f"failures.db{part}").unlink(missing_ok=True)
    again = FailureBook(tmp_path)
    assert again.moved_aside is not None
    assert again.moved_aside.read_bytes().startswith(b"this is no database")
    assert again.refresh(store).rows == 12
    assert again.failure("j-one:4").mark == "real"
    assert again.failure("j-one:6").notes[0].text == "look at this"
    # An imported file must be imported again; the book knows which, and what was said of its lines.
    assert [one.file for one in again.imports()] == ["a.log"]
    again.add_imported([foreign(1)], "d" * 64, "a.log")
    assert again.failure("dddd:1").mark == "to_label"
    again.close()


def test_a_mark_that_a_crash_cut_off_harms_no_other(store: Store, book: FailureBook, tmp_path: Path) -> None:
    book.refresh(store)
    book.mark(["j-one:4"], "real", "ada")
    file = tmp_path / "failure_marks.jsonl"
    file.write_bytes(file.read_bytes() + b'{"said":"mark","id":"j-one:6","ma')
    book.mark(["j-one:8"], "seen", "ada")
    assert [book.failure(f"j-one:{n}").mark for n in (4, 6, 8)] == ["real", "", "seen"]
    file.write_bytes(b"\xff\xfe garbage\n" + b"[" * 5000 + b"\n" + file.read_bytes())
    fresh = FailureBook(tmp_path)
    fresh._database.execute("DELETE FROM about")
    fresh.hear()
    assert fresh.damaged_marks >= 2
    assert fresh.failure("j-one:4").mark == "real"
    fresh.close()


@pytest.mark.parametrize(
    "text", ["\x1b[2J\x07\x00 cleared", "x" * 10_240, "\n\r\n", "\u202eturned", "' OR 1=1 --", "%_\\", "\U0010ffff"]
)
def test_hostile_text_is_kept_found_and_harms_nothing(store: Store, book: FailureBook, text: str) -> None:
    fill(store, [Failure(name="no_detection", text=text, conditions={text[:40]: text[:40]})], first=25)
    book.refresh(store)
    (row,) = book.page(book.find(), 0, 1)
    assert row.text.startswith(text[:4000])
    assert len(row.text) < 4100
    assert book.groups(parse(""), "place")
    assert book.find(parse("x{0}", None)).count == 13


def test_a_name_that_fits_several_or_none_is_said(store: Store, book: FailureBook) -> None:
    fill(store, [failure(50)] * 4, journal="j-two")
    book.refresh(store)
    assert book.failure("j-t:4").journal == "j-two"
    for wrong in ("j-:4", "j-one:999", "nonsense", ":4", "j-one:x", "j-one:²"):
        with pytest.raises(Trouble) as caught:
            book.failure(wrong)
        assert caught.value.code == "unknown_failure"


def test_reading_goes_on_while_another_thread_fills(store: Store, book: FailureBook) -> None:
    filler = threading.Thread(target=lambda: book.refresh(store))
    filler.start()
    for _ in range(50):
        found = book.find()
        assert len(book.page(found, 0, 20)) == found.count
    filler.join()
    assert book.find().count == 12


def test_groups_count_what_matches_and_name_the_query_that_shows_it(store: Store, book: FailureBook) -> None:
    book.refresh(store)
    kinds = book.groups(parse(""), "kind")
    assert {(group.name, group.count) for group in kinds} == {
        ("no_detection", 4),
        ("low_confidence", 4),
        ("camera_black", 4),
    }
    for by in ("kind", "label", "hour", "light", "place", "robot", "marked", "phase"):
        for group in book.groups(parse("number !11"), by):
            assert book.find(parse(group.query)).count == group.count, group
