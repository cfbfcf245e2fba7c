"""What the journal lets go, and when. Age and absence count while the agent runs, not by the wall clock."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from remote.agent.clock import Clock
from remote.agent.journal import Journal, Taken, draft
from remote.agent.settings import Limits
from remote.protocol import Event

UNSEEN_LIMIT_S = 14 * 86400.0
LEAST_BYTES = 8 * 1024 * 1024
"""The journal is not cut below this for the free-space floor: somebody else fills that disk."""
HEADROOM = 0.1


def taken_through(acks: Iterable[Taken]) -> int:
    """The last entry that every console still counted has taken; 0 while nobody ever took anything.

    Consoles unseen for longer than UNSEEN_LIMIT_S hold nothing back. Where only such are known, the furthest counts.
    """
    known = list(acks)
    active = [one.seq for one in known if one.unseen_s <= UNSEEN_LIMIT_S]
    if active:
        return min(active)
    return max((one.seq for one in known), default=0)


def trim(journal: Journal, limits: Limits, clock: Clock, free_bytes: Callable[[Path], int] | None = None) -> int:
    """Let the oldest entries go as the limits say; how many went. What nobody had taken is told by a `journal_lost` entry."""
    taken = taken_through(journal.acks())
    gone = 0
    soft = max(_cut_for(journal, limits.keep_bytes), journal.seq_of_age(limits.keep_running_days * 86400))
    if min(soft, taken) >= journal.first_seq:
        gone += journal.remove_through(min(soft, taken))
    free = (free_bytes or _free_bytes)(journal.path.parent)
    allowed = min(limits.max_bytes, max(LEAST_BYTES, journal.content_bytes() - (limits.disk_free_floor_bytes - free)))
    hard = _cut_for(journal, allowed)
    if hard >= journal.first_seq:
        gone += _cut_hard(journal, hard, taken, clock)
    return gone


def _cut_for(journal: Journal, allowed_bytes: int) -> int:
    """The last entry that must go so that the journal fits into `allowed_bytes` with headroom; 0 where it fits already."""
    used, count = journal.content_bytes(), journal.last_seq - journal.first_seq + 1
    if used <= allowed_bytes or count < 2:
        return 0
    excess = used - allowed_bytes * (1 - HEADROOM)
    return min(journal.last_seq - 1, journal.first_seq - 1 + max(1, round(count * excess / used)))


def _cut_hard(journal: Journal, through: int, taken: int, clock: Clock) -> int:
    first = max(journal.first_seq, taken + 1)
    if first > through:
        return journal.remove_through(through)
    count = through - first + 1
    text = f"the disk limit removed {count} entries ({first} to {through}) before every console had taken them"
    data = {"first_seq": first, "last_seq": through, "count": count}
    event = Event(name="journal_lost", severity="error", text=text, data=dict(data))
    return journal.remove_through(through, then=draft(event, clock))


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free
