"""Which pictures the laptop's store speaks of, newest first: the list of what is wanted, which no crash can lose."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import islice

from console.store.store import Journal, Store, kind_of
from remote.errors import Trouble
from remote.protocol import Clip, Entry, Failure, body_of

PAGE = 50
KINDS = ("failure", "clip")
"""Journal entries that name pictures."""


class PictureBacklog:
    """Walks backwards over every journal of a robot, also old ones: pictures are kept by digest, whatever the journal."""

    def __init__(self, store: Store, robot: str) -> None:
        self._store = store
        self._robot = robot
        self._walk: Iterator[Entry] = iter(())
        self.ended = True

    def restart(self) -> None:
        """Begin at the newest entry again."""
        self._walk = self._entries()
        self.ended = False

    def more(self) -> list[str]:
        """Digests that the next PAGE entries name, newest entry first; none at the end, which `ended` says."""
        entries = list(islice(self._walk, PAGE))
        self.ended = len(entries) < PAGE
        return [digest for entry in entries for digest in digests_of(entry)]

    def _entries(self) -> Iterator[Entry]:
        for journal in reversed(self._store.journals(self._robot)):
            yield from heapq.merge(*(self._backwards(journal, kind) for kind in KINDS), key=lambda entry: -entry.seq)

    def _backwards(self, journal: Journal, kind: str) -> Iterator[Entry]:
        seq = journal.last_seq + 1
        while page := self._store.beside(journal.id, kind, seq, before=PAGE):
            yield from reversed(page)
            seq = page[0].seq


def digests_of(entry: Entry) -> tuple[str, ...]:
    """The pictures that a journal entry names, the failure's own first; none for one that is not understood."""
    if kind_of(entry) not in KINDS:
        return ()
    try:
        body = body_of(entry)
    except Trouble:
        return ()
    if isinstance(body, Failure):
        return tuple(digest for digest in (body.picture, body.before) if digest)
    return tuple(frame.picture for frame in body.frames) if isinstance(body, Clip) else ()
