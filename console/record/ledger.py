"""A record's rows sorted by kind and item, decoded only where a state depends on them: what the fold reads from.

A campaign of ten thousand entries has a few hundred that decide. The rest is counted as the bytes that they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from console.record.canonical import CURE, FIRST_PREV, entry_of, item_of, kind_of, outline_of
from console.record.entries import Body, Entry, Withdrawal
from console.record.rows import Row
from remote.errors import Trouble

WITHDRAWABLE = (
    "confirmation", "override", "deferral", "signature", "poll", "trial", "frame_scored", "intervention",
)  # fmt: skip
"""What a person can take back: words, and what a person counted. What a probe saw or was done stays, a withdrawal of it counts
for nothing."""

B = TypeVar("B", bound=Body)


@dataclass(frozen=True)
class Kept(Generic[B]):
    """One decoded entry; `body` is the entry's own, typed."""

    seq: int
    digest: str
    entry: Entry
    body: B


class Ledger:
    """The rows of one record, in order. Every method raises Trouble `record_damaged` for a line that can't be what it is
    sorted as."""

    def __init__(self, rows: Sequence[Row]) -> None:
        groups: defaultdict[tuple[str, str], list[Row]] = defaultdict(list)
        for row in rows:
            groups[row[1], row[2]].append(row)
        self._groups = dict(groups)
        self.entries = len(rows)
        self.head = rows[-1].digest if rows else FIRST_PREV
        self.last_wall_ns = _wall_ns(rows[-1]) if rows else 0
        self.withdrawn: dict[int, Kept[Withdrawal]] = {
            kept.body.seq: kept for kept in self.all(Withdrawal) if kept.body.seq < kept.seq
        }

    def rows(self, kind: str, item: str = "") -> Sequence[Row]:
        """The rows of one kind and item (or stage), in order, the withdrawn ones too."""
        return self._groups.get((kind, item), ())

    def all(self, body: type[B], item: str = "") -> Iterator[Kept[B]]:
        """Every entry of one kind and item, in order, the withdrawn ones too."""
        return (_kept(row, body) for row in self.rows(_tag(body), item))

    def newest(self, body: type[B], item: str = "", *, withdrawn_too: bool = False) -> Iterator[Kept[B]]:
        """Those that count, the last one first, each decoded when it is asked for."""
        kind = _tag(body)
        counts = withdrawn_too or kind not in WITHDRAWABLE
        return (_kept(row, body) for row in reversed(self.rows(kind, item)) if counts or row.seq not in self.withdrawn)

    def last(self, body: type[B], item: str = "") -> Kept[B] | None:
        """The last one that counts."""
        return next(self.newest(body, item), None)

    def entry(self, body: type[B], item: str, seq: int) -> Kept[B] | None:
        """The entry of that number, if it is of that kind and item; the withdrawn ones too."""
        row = next((row for row in self.rows(_tag(body), item) if row.seq == seq), None)
        return None if row is None else _kept(row, body)

    def then(self, body: type[B], item: str, seq: int) -> Kept[B] | None:
        """The last one that counted after entry `seq`: what was withdrawn later still counted then."""
        for row in reversed(self.rows(_tag(body), item)):
            gone = self.withdrawn.get(row.seq)
            if row.seq <= seq and (gone is None or gone.seq > seq):
                return _kept(row, body)
        return None

    def failures(self, item: str) -> list[int]:
        """The numbers of an item's failed attempts and of the confirmations that said no, the withdrawn ones too."""
        failed = [row.seq for row in self.rows("attempt", item) if _has_failed(row.line)]
        failed += [row.seq for row in self.rows("confirmation", item) if _NO in row.line]
        return sorted(failed)


# ------------------------------------------------------------ one line

_JUDGED, _VERDICT, _FAIL, _NO = b'"judgement":{', b'"verdict":"', b'fail"', b'"holds":false'


def _has_failed(line: bytes) -> bool:
    """Whether the judgement's verdict is fail, by the bytes of a canonical line.

    Such a line has `"judgement":{` at most once, whatever texts it holds: quotes within a text are escaped, and what else has
    free keys (details, fingerprints) has no objects as values. Before the verdict a judgement has numbers only. Most of the
    line, a long histogram, comes behind and is not read. So it is with `"holds":false`: no free key has a bare value.
    """
    begins = line.find(_JUDGED)
    return begins >= 0 and line.startswith(_FAIL, line.find(_VERDICT, begins) + len(_VERDICT))


def _wall_ns(row: Row) -> int:
    outline = outline_of(row.line)
    if outline is None:
        raise _damaged(row.seq, "it is no entry")
    return outline.wall_ns


def _tag(body: type[B]) -> str:
    return str(body.__struct_config__.tag)


_MANY = frozenset(("trial_begun", "trial", "intervention", "frame_scored"))
"""Kinds of which every single one is read at each fold, by the thousand: those are decoded once."""


@lru_cache(maxsize=16_384)
def _decoded(line: bytes, seq: int) -> Entry:
    return entry_of(line, f"entry {seq}")


def _kept(row: Row, wanted: type[B]) -> Kept[B]:
    entry = _decoded(row.line, row.seq) if row.kind in _MANY else entry_of(row.line, f"entry {row.seq}")
    body = entry.body
    if not isinstance(body, wanted) or entry.seq != row.seq or item_of(body) != row.item:
        raise _damaged(row.seq, f"its line is entry {entry.seq}, a {kind_of(body)} of {item_of(body)!r}")
    return Kept(row.seq, row.digest, entry, body)


def _damaged(seq: int, why: str) -> Trouble:
    return Trouble(f"entry {seq} can't be read: {why}", cure=CURE, code="record_damaged")
