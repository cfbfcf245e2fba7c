"""What somebody can do to a record's lines, and that each of it is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.record.canonical import digest_of, line_of
from console.record.chain import check_chain
from console.record.entries import Entry, Note
from console.record.rows import Head, Row
from tests.console.record.record_samples import filled

COUNT = 5


def row(seq: int, prev: str, text: str, wall_ns: int = 7) -> Row:
    line = line_of(Entry(seq=seq, prev=prev, wall_ns=wall_ns, person="ada", body=Note(item="grip", text=text)))
    return Row(seq, "note", "grip", digest_of(line), line)


def rows_of(count: int = COUNT) -> list[Row]:
    rows: list[Row] = []
    for seq in range(1, count + 1):
        rows.append(row(seq, rows[-1].digest if rows else Head().digest, f"note {seq}"))
    return rows


def head_of(rows: list[Row]) -> Head:
    return Head(rows[-1].seq, rows[-1].digest) if rows else Head()


def test_a_whole_record_is_whole(tmp_path: Path) -> None:
    record = filled(tmp_path / "c")
    assert check_chain(record.rows(), record.head()) == []
    assert check_chain(rows_of(), head_of(rows_of())) == []
    assert check_chain([], Head()) == []
    record.close()


def changed(rows: list[Row]) -> list[Row]:
    return [*rows[:2], rows[2]._replace(line=rows[2].line.replace(b"note 3", b"note 9")), *rows[3:]]


def changed_with_digest(rows: list[Row]) -> list[Row]:
    return [*rows[:2], row(3, rows[1].digest, "note 9"), *rows[3:]]


def dropped(rows: list[Row]) -> list[Row]:
    return [*rows[:2], *rows[3:]]


def swapped(rows: list[Row]) -> list[Row]:
    return [rows[0], rows[2]._replace(seq=2), rows[1]._replace(seq=3), *rows[3:]]


def swapped_with_numbers(rows: list[Row]) -> list[Row]:
    second = row(2, rows[0].digest, "note 3")
    return [rows[0], second, row(3, second.digest, "note 2"), *rows[3:]]


def added(rows: list[Row]) -> list[Row]:
    return [*rows[:2], row(3, rows[1].digest, "new"), *(r._replace(seq=r.seq + 1) for r in rows[2:])]


def doubled(rows: list[Row]) -> list[Row]:
    return [*rows[:3], rows[2], *rows[3:]]


def resorted_kind(rows: list[Row]) -> list[Row]:
    return [*rows[:2], rows[2]._replace(kind="attempt"), *rows[3:]]


def resorted_item(rows: list[Row]) -> list[Row]:
    return [*rows[:2], rows[2]._replace(item="other"), *rows[3:]]


def relabelled(rows: list[Row]) -> list[Row]:
    return [*rows[:2], rows[2]._replace(digest="0" * 64), *rows[3:]]


def emptied(rows: list[Row]) -> list[Row]:
    return [*rows[:2], rows[2]._replace(line=b""), *rows[3:]]


@pytest.mark.parametrize(
    "forgery",
    [
        changed,
        changed_with_digest,
        dropped,
        swapped,
        swapped_with_numbers,
        added,
        doubled,
        resorted_kind,
        resorted_item,
        relabelled,
        emptied,
    ],
)
def test_a_forgery_in_the_middle_is_found_without_knowing_the_head(forgery: Callable[[list[Row]], list[Row]]) -> None:
    broken = check_chain(forgery(rows_of()))
    assert broken
    assert {one.seq for one in broken} <= {2, 3, 4, 5, 6}, "the place is the forged entry or the one behind it"


def test_a_line_that_alone_was_changed_is_named_itself() -> None:
    """In a JSON file nothing but the next entry knows the digest: who reads only that looks at the wrong entry."""
    rows = rows_of()
    assert [one.seq for one in check_chain(changed_with_digest(rows))] == [3, 4]
    assert "was changed" in check_chain(changed_with_digest(rows))[0].what
    before_last = [*rows[:-2], row(COUNT - 1, rows[-3].digest, "other"), rows[-1]]
    assert [one.seq for one in check_chain(before_last)] == [COUNT], "which of the two was changed can't be known"
    assert [one.seq for one in check_chain(before_last, head_of(rows))] == [COUNT - 1, COUNT]
    for forgery in (dropped, swapped_with_numbers, added, doubled):
        assert not any(" was changed: the entry" in one.what and one.seq > 3 for one in check_chain(forgery(rows)))


def test_the_first_entry_cannot_be_dropped() -> None:
    broken = check_chain(rows_of()[1:])
    assert broken[0].seq == 2
    assert "entry 1 before it is missing" in broken[0].what


@settings(deadline=None)
@given(st.integers(0, COUNT - 1))
def test_an_end_cut_off_is_found_against_the_head(keep: int) -> None:
    rows = rows_of()
    assert check_chain(rows[:keep]) == [], "the lines alone can't tell"
    broken = check_chain(rows[:keep], head_of(rows))
    assert [one.seq for one in broken] == [keep]
    assert f"ends with entry {COUNT}" in broken[0].what


def test_a_last_entry_written_anew_is_found_against_the_head() -> None:
    rows = rows_of()
    forged = [*rows[:-1], row(COUNT, rows[-2].digest, "other")]
    assert check_chain(forged) == [], "the lines alone can't tell"
    assert [one.seq for one in check_chain(forged, head_of(rows))] == [COUNT]


def test_a_time_that_runs_backwards_is_found() -> None:
    first = row(1, Head().digest, "a", wall_ns=10)
    assert check_chain([first, row(2, first.digest, "b", wall_ns=10)]) == []
    assert "time" in check_chain([first, row(2, first.digest, "b", wall_ns=9)])[0].what


@settings(deadline=None)
@given(st.data())
def test_any_changed_byte_is_found(data: st.DataObject) -> None:
    rows = rows_of()
    number = data.draw(st.integers(0, COUNT - 1))
    line = bytearray(rows[number].line)
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] ^= data.draw(st.integers(1, 255))
    rows[number] = rows[number]._replace(line=bytes(line))
    assert any(one.seq == number + 1 for one in check_chain(rows))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"text":"', b'"text": "'),
        (b"note 3", b"\\u006eote 3"),
        (b'"wall_ns":7', b'"wall_ns":7e0'),
        (b'"seq":3,"wall_ns":7', b'"wall_ns":7,"seq":3'),
    ],
)
def test_another_spelling_is_found_though_its_digests_fit(old: bytes, new: bytes) -> None:
    """Readers look for bytes of the one spelling: another one would hide a failure from them."""
    rows = rows_of(3)
    line = rows[2].line.replace(old, new)
    assert line != rows[2].line
    rows[2] = rows[2]._replace(line=line, digest=digest_of(line))
    assert [broken.seq for broken in check_chain(rows, head_of(rows))] == [3]
