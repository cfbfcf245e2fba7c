"""Whether a record's lines hang together: digests, links, numbers, times, and the columns that they are sorted by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from console.record.canonical import FIRST_PREV, Outline, digest_of, is_canonical, outline_of
from console.record.rows import Head, Row


class Broken(NamedTuple):
    """What does not hold at one entry. `seq` is the number under which it is stored; `what` one sentence without a stop."""

    seq: int
    what: str


def check_chain(rows: Sequence[Row], head: Head | None = None) -> list[Broken]:
    """Everything that does not hold in the chain of `rows`, in their order; empty where it is whole.

    `head` is what the record says of its end (`record.head()`): with it, entries cut off at the end are found too. What lies
    within the bodies, attachments and signatures is not looked at.
    """
    found: list[Broken] = []
    expected_seq, digest, wall_ns = 1, FIRST_PREV, 0
    for at, row in enumerate(rows):
        outline, actual = outline_of(row.line), digest_of(row.line)
        if at and outline is not None and outline.prev != digest and _was_changed(rows, at - 1, head):
            before = rows[at - 1]
            what = f"{before.item or before.kind} was changed: the entry behind it names another digest"
            found.append(Broken(before.seq, what))
        if row.seq != expected_seq:
            found.append(Broken(row.seq, _gap(expected_seq, row.seq)))
        if actual != row.digest:
            found.append(Broken(row.seq, "the line's SHA-256 is not the one stored with it: one of them was changed"))
        if outline is None:
            found.append(Broken(row.seq, "the line is no entry"))
        else:
            found.extend(Broken(row.seq, what) for what in _differences(row, outline, digest, wall_ns))
            wall_ns = outline.wall_ns
        expected_seq, digest = row.seq + 1, actual
    if head is not None and rows:
        found.extend(_ends(head, Head(rows[-1].seq, digest)))
    elif head is not None:
        found.extend(_ends(head, Head()))
    return found


def _differences(row: Row, outline: Outline, prev: str, wall_ns: int) -> Iterable[str]:
    if outline.prev != prev:
        yield "it was not written behind the entry before it: that one was changed, dropped, added or swapped"
    if outline.seq != row.seq:
        yield f"its line says that it is entry {outline.seq}"
    if (outline.kind, outline.item) != (row.kind, row.item):
        yield f"it is sorted as {row.kind!r} of {row.item!r}, its line says {outline.kind!r} of {outline.item!r}"
    if outline.wall_ns < wall_ns:
        yield "its time lies before that of the entry before it"
    if not is_canonical(row.line):
        yield "its line is spelt otherwise than a record is written: somebody else wrote it"


def _was_changed(rows: Sequence[Row], at: int, head: Head | None) -> bool:
    """Whether this line alone differs from what was written: both neighbours are in place, and the next names another digest.

    Without the next one's own digest, known from the one behind it or from the head, that one might be the changed one.
    """
    if at + 1 >= len(rows):
        return False
    line, behind = outline_of(rows[at].line), outline_of(rows[at + 1].line)
    if line is None or behind is None or behind.prev == digest_of(rows[at].line):
        return False
    before = digest_of(rows[at - 1].line) if at else FIRST_PREV
    in_place = line.prev == before and line.seq == rows[at].seq == at + 1 and behind.seq == rows[at + 1].seq == at + 2
    return in_place and _named_later(rows, at + 1, head)


def _named_later(rows: Sequence[Row], at: int, head: Head | None) -> bool:
    digest = digest_of(rows[at].line)
    if at + 1 < len(rows):
        later = outline_of(rows[at + 1].line)
        return later is not None and later.prev == digest
    return head is not None and head.digest == digest


def _gap(expected: int, found: int) -> str:
    if found > expected:
        missing = f"entry {expected}" if found == expected + 1 else f"entries {expected} to {found - 1}"
        return f"{missing} before it {'is' if found == expected + 1 else 'are'} missing"
    return f"it stands where entry {expected} belongs"


def _ends(said: Head, actual: Head) -> Iterator[Broken]:
    if said.seq != actual.seq:
        yield Broken(actual.seq, f"the record says that it ends with entry {said.seq}, here it ends with {actual.seq}")
    elif said.digest != actual.digest:
        yield Broken(actual.seq, "the record's last entry is not the one that the record says")
