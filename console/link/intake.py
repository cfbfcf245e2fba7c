"""Entries from a connection into the store: in order, once, acknowledged only when they are safe."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from console.link.snapshot import HISTORY, KINDS_SHOWN
from console.store.store import Journal, Store
from remote.errors import Trouble
from remote.protocol import Entry

PAUSE_NS = 3_000_000_000
"""How long after a full disk, or an order that does not fit, the robot is asked again."""


class Took(msgspec.Struct, frozen=True):
    """What became of a batch: entries to show, what to acknowledge (None: nothing)."""

    fresh: tuple[Entry, ...] = ()
    ack: int | None = None


class Intake:
    """One robot's way into the store. Not locked: one thread uses it.

    `trouble` says why nothing is taken at present, None normally. While it does, nothing is acknowledged, so the robot
    keeps everything; `ask_again_ns` is when to subscribe anew from `stored_seq`.
    """

    def __init__(self, store: Store, robot: str) -> None:
        self._store = store
        self._robot = robot
        self._journal: Journal | None = None
        self._shown_seq = 0
        self._asked_ns = -PAUSE_NS
        self.stored_seq = 0
        self.trouble: Trouble | None = None
        self.ask_again_ns: int | None = None
        aside = store.moved_aside
        self.note = f"this laptop's store was damaged; it was moved to {aside} and begun anew" if aside else ""

    def past(self) -> tuple[Entry, ...]:
        """What the store holds of the robot's newest journal, for a screen before the link is up."""
        known = self._store.journals(self._robot)
        return self._use(known[-1]) if known else ()

    def begin(self, journal_id: str) -> tuple[tuple[Entry, ...], bool]:
        """A connection to that journal begins: entries to show, and whether those shown before belong to another one."""
        before = self._journal
        journal = self._store.journal(self._robot, journal_id)
        changed = before is not None and before.id != journal.id
        if changed or before is None:
            self._shown_seq = 0
        self.note = _note(before, journal) if changed else self.note
        self.trouble, self.ask_again_ns = None, None
        return self._use(journal), changed

    def take(self, entries: Sequence[Entry], now_ns: int) -> Took:
        """Store a batch. A hole or a full disk stores nothing of it and sets `ask_again_ns`."""
        journal = self._journal
        if journal is None or not entries or self.trouble is not None:
            return Took()
        try:
            self.stored_seq = self._store.add(journal.id, entries)
        except Trouble as trouble:
            self._stop(trouble, now_ns)
            return Took()
        self.ask_again_ns = None
        fresh = tuple(entry for entry in entries if entry.seq > self._shown_seq)
        self._shown_seq = max(self._shown_seq, entries[-1].seq)
        return Took(fresh, self.stored_seq)

    def lost(self, first_seq: int, last_seq: int, now_ns: int) -> None:
        """The robot no longer has these."""
        if self._journal is None or self.trouble is not None:
            return
        try:
            self.stored_seq = self._store.add_lost(self._journal.id, first_seq, last_seq)
        except Trouble as trouble:
            self._stop(trouble, now_ns)

    def ask_again(self, now_ns: int) -> bool:
        """Whether it is time to subscribe anew; if so, taking is on again."""
        if self.ask_again_ns is None or now_ns < self.ask_again_ns:
            return False
        self.trouble, self.ask_again_ns = None, None
        self._asked_ns = now_ns
        return True

    def _stop(self, trouble: Trouble, now_ns: int) -> None:
        if trouble.code == "out_of_order":
            # Batches of before the new subscription may still come, out of order too: asking once in a while is enough.
            if self.ask_again_ns is None:
                self.ask_again_ns = max(now_ns, self._asked_ns + PAUSE_NS)
            return
        self.trouble, self.ask_again_ns = trouble, now_ns + PAUSE_NS

    def _use(self, journal: Journal) -> tuple[Entry, ...]:
        self._journal = journal
        self.stored_seq = journal.last_seq
        found = [
            e for kind in KINDS_SHOWN for e in self._store.newest(journal.id, kind, HISTORY) if e.seq > self._shown_seq
        ]
        self._shown_seq = max(self._shown_seq, journal.last_seq)
        return tuple(sorted(found, key=lambda entry: entry.seq))


def _note(before: Journal | None, now: Journal) -> str:
    old = before.journal[:8] if before else "?"
    return f"the robot's journal is another one ({now.journal[:8]}, was {old}); both are kept on this laptop"
