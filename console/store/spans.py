"""Which entries were counted, named so that whoever has the journal can check it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from console.fieldtest.running import Span
from console.store.store import Journal, Store

_ROWS = 500


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
