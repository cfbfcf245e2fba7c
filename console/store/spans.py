"""Which entries were counted, named so that whoever has the journal can check it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from console.fieldtest.running import Span
from console.store.store import Journal, Store
from console.store.timeline import Stretch, first_seq_at, last_seq_at, stretches

_ROWS = 500


def spans_between(store: Store, robot: str, from_wall_ns: int, to_wall_ns: int) -> tuple[Span, ...]:
    """The entries of all of a robot's journals in a span of this laptop's wall clock, its end excluded."""
    return tuple(
        span
        for stretch in stretches(store, robot)
        for span in spans_in(store, stretch, from_wall_ns - stretch.offset_ns, to_wall_ns - stretch.offset_ns)
    )


def spans_in(store: Store, stretch: Stretch, from_mono_ns: int, to_mono_ns: int) -> Iterator[Span]:
    """The entries of a stretch in a span of its monotonic clock, the end excluded."""
    sql = (
        "SELECT min(seq), max(seq) FROM entries WHERE journal_id = ? AND seq >= ? AND seq <= ? "
        "AND mono_ns >= ? AND mono_ns < ?"
    )
    from_mono_ns, to_mono_ns = max(from_mono_ns, stretch.first_mono_ns), min(to_mono_ns, stretch.last_mono_ns + 1)
    if from_mono_ns >= to_mono_ns:
        return
    around = (first_seq_at(store, stretch, from_mono_ns), last_seq_at(store, stretch, to_mono_ns))
    first, last = store.select(sql, (stretch.journal.id, *around, from_mono_ns, to_mono_ns))[0]
    if first is not None:
        yield from spans_of(store, stretch.journal, first, last)


def spans_of(store: Store, journal: Journal, first_seq: int, last_seq: int) -> Iterator[Span]:
    """The entries `first_seq`..`last_seq` of a journal as spans without holes: one where nothing of it is lost."""
    for first, last in _whole(store.lost(journal.id), first_seq, last_seq):
        yield Span(
            journal=journal.journal, first_seq=first, last_seq=last, digest=digest(store, journal.id, first, last)
        )


def digest(store: Store, journal_id: int, first_seq: int, last_seq: int) -> str:
    """SHA-256 (hex) over the entries' bodies in order, each followed by a line feed."""
    found = hashlib.sha256()
    sql = f"SELECT seq, body FROM entries WHERE journal_id = ? AND seq >= ? AND seq <= ? ORDER BY seq LIMIT {_ROWS}"
    while first_seq <= last_seq and (rows := store.select(sql, (journal_id, first_seq, last_seq))):
        for _, body in rows:
            found.update(body)
            found.update(b"\n")
        first_seq = rows[-1][0] + 1
    return found.hexdigest()


def _whole(lost: tuple[tuple[int, int], ...], first: int, last: int) -> Iterator[tuple[int, int]]:
    for gone, until in lost:
        if until < first or gone > last:
            continue
        if first < gone:
            yield first, gone - 1
        first = until + 1
    if first <= last:
        yield first, last
