"""Where a robot's journals lie in time: each boot's stretch, placed by this laptop's clock, and what lies between them.

Within a boot the monotonic clock tells the time, whatever the wall clock does. A boot is placed in the laptop's time by when
its entries arrived (`arrivals`: at least two that came live agree), else by where the robot's own wall clock stood at its
last entry: a clock that was set meanwhile is then right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from console.store.light import told, window
from console.store.store import Journal, Store

AGREE_NS = 2_000_000_000
"""Two placings of a boot that differ by less are the same."""
DISORDER_NS = 10_000_000_000
"""A window is stamped when it ends and journalled soon after: entries are in order of time but for so much."""
_FIRST_ROWS = 10
_NEWEST_ROWS = 50
_WAITING_MOST = 2100  # a robot keeps 2000 entries while its disk refuses, and lets older ones go
_Row = tuple[int, str, int, int]
_HEAD = "SELECT seq, boot_id, mono_ns, wall_ns FROM entries WHERE journal_id = ?"


@dataclass(frozen=True)
class Stretch:
    """The entries of one boot in one journal. `offset_ns` is the laptop's wall clock minus the robot's monotonic one.

    `sure`: placed by arrivals. `credible`: nothing of it arrived before it was written. `off_since_wall_ns`: the last entry of
    the boot before, where this one follows it without a missing entry, so that the time between them is known: the robot was
    off. `rebooted`: another boot came before.
    """

    journal: Journal
    boot_id: str
    first_seq: int
    last_seq: int
    first_mono_ns: int
    last_mono_ns: int
    offset_ns: int
    sure: bool
    credible: bool = True
    off_since_wall_ns: int | None = None
    rebooted: bool = False

    @property
    def known_from_wall_ns(self) -> int:
        """Since when its time is known, by the laptop's clock."""
        return self.first_wall_ns if self.off_since_wall_ns is None else self.off_since_wall_ns

    @property
    def first_wall_ns(self) -> int:
        """When its first entry was written, by the laptop's clock."""
        return self.first_mono_ns + self.offset_ns

    @property
    def last_wall_ns(self) -> int:
        """When its last entry was written, by the laptop's clock."""
        return self.last_mono_ns + self.offset_ns


def stretches(store: Store, robot: str) -> tuple[Stretch, ...]:
    """Every boot of every journal of the robot that can be placed, oldest first.

    A boot whose clock contradicts the one before (it would have begun before that one's last entry), or this laptop's (its
    entries arrived before they were written), is left out, unless its arrivals say when it was; its time is unknown.
    """
    placed: list[Stretch] = []
    for journal in store.journals(robot):
        placed.extend(_placed(store, list(_boots(store, journal))))
    return tuple(sorted(placed, key=lambda one: one.first_wall_ns))


def _placed(store: Store, boots: list[Stretch]) -> list[Stretch]:
    """The boots of one journal that don't contradict each other, with what lies between them."""
    placed: list[Stretch] = []
    for number, found in enumerate(boots):
        while placed and _contradicts(placed[-1], found) and found.sure and not placed[-1].sure:
            placed.pop()
        if not found.credible or (placed and _contradicts(placed[-1], found)):
            continue
        before = boots[number - 1] if number else None
        follows = before is not None and placed and placed[-1].first_seq == before.first_seq
        off_since = placed[-1].last_wall_ns if follows and placed[-1].last_seq + 1 == found.first_seq else None
        rebooted = before is not None or _replaced_another(store, found)
        placed.append(replace(found, off_since_wall_ns=off_since, rebooted=rebooted))
    return placed


def _replaced_another(store: Store, first: Stretch) -> bool:
    """Whether a new journal begins because the one before was damaged, as by a power cut."""
    sql = "SELECT body FROM entries WHERE journal_id = ? AND seq = ? AND kind = 'event'"
    rows = store.select(sql, (first.journal.id, first.first_seq))
    event = told(rows[0][0]) if rows else None
    return event is not None and event.name == "journal_replaced"


def holes(store: Store, stretch: Stretch) -> list[tuple[int, int]]:
    """The times (monotonic, from and to) within the stretch of which entries are missing, in order and apart."""
    found: list[tuple[int, int]] = []
    for first, last in store.lost(stretch.journal.id):
        if stretch.first_seq <= first and last <= stretch.last_seq:
            before = _at_most(store, stretch.journal.id, first - 1)
            if before is not None:
                found.append((before[2], _told_from(store, stretch.journal.id, last + 1, stretch.last_seq)))
    found.extend(_blocked(store, stretch))
    apart: list[tuple[int, int]] = []
    for begin, end in sorted(found):
        begin = max(begin, apart[-1][1]) if apart else begin
        if begin < end:
            apart.append((begin, end))
    return apart


def first_seq_at(store: Store, stretch: Stretch, mono_ns: int) -> int:
    """A sequence number before which every entry of the stretch is older than `mono_ns`; found by halving."""
    low, high = stretch.first_seq, stretch.last_seq + 1
    while low < high:
        middle = (low + high) // 2
        row = _at_least(store, stretch.journal.id, middle)
        if row is not None and row[0] <= stretch.last_seq and row[2] < mono_ns - DISORDER_NS:
            low = int(row[0]) + 1
        else:
            high = middle
    return low


def last_seq_at(store: Store, stretch: Stretch, mono_ns: int) -> int:
    """A sequence number after which no entry of the stretch is older than `mono_ns`."""
    return min(stretch.last_seq, first_seq_at(store, stretch, mono_ns + 2 * DISORDER_NS))


def _boots(store: Store, journal: Journal) -> Iterator[Stretch]:
    """Boots follow each other within a journal, so the end of each is found by halving: no entry's body is read."""
    row = _at_least(store, journal.id, 0)
    while row is not None:
        first, boot_id = int(row[0]), str(row[1])
        last = _last_of_boot(store, journal, first, boot_id)
        yield _stretch(store, journal, boot_id, first, last)
        row = _at_least(store, journal.id, last + 1)


def _last_of_boot(store: Store, journal: Journal, first: int, boot_id: str) -> int:
    low, high = first, journal.last_seq
    while low < high:
        middle = (low + high + 1) // 2
        row = _at_least(store, journal.id, middle)
        if row is not None and row[1] == boot_id:
            low = max(middle, int(row[0]))
        else:
            high = middle - 1
    row = _at_most(store, journal.id, low)
    assert row is not None  # the boot's first entry is there
    return int(row[0])


def _stretch(store: Store, journal: Journal, boot_id: str, first: int, last: int) -> Stretch:
    near_end = store.select(
        f"{_HEAD} AND seq <= ? AND seq >= ? ORDER BY seq DESC LIMIT {_NEWEST_ROWS}", (journal.id, last, first)
    )
    first_mono, last_mono = _told_from(store, journal.id, first, last), max(int(row[2]) for row in near_end)
    least, live = _arrived(store, journal.id, boot_id)
    said = int(near_end[0][3]) - int(near_end[0][2])
    span = (journal, boot_id, first, last, first_mono, last_mono)
    if live and least is not None:
        return Stretch(*span, offset_ns=least, sure=True)
    return Stretch(*span, offset_ns=said, sure=False, credible=least is None or said <= least + AGREE_NS)


def _told_from(store: Store, journal_id: int, seq: int, last_seq: int) -> int:
    """The earliest moment that the entries from `seq` on tell of: a window tells of the time that it covers."""
    sql = (
        "SELECT mono_ns, kind, body FROM entries WHERE journal_id = ? AND seq >= ? AND seq <= ? "
        f"ORDER BY seq LIMIT {_FIRST_ROWS}"
    )
    moments = []
    for mono_ns, kind, body in store.select(sql, (journal_id, seq, last_seq)):
        moments.append(int(mono_ns))
        if kind == "window" and (read := window(body)) and (up := read.up(mono_ns)):
            moments.append(up[0])
    return min(moments)


def _arrived(store: Store, journal_id: int, boot_id: str) -> tuple[int | None, bool]:
    """The least offset by arrivals, and whether one as good was seen at another time: what came in bulk differs."""
    one_boot = "FROM arrivals WHERE journal_id = ? AND boot_id = ?"
    rows = store.select(f"SELECT offset_ns, ten_s {one_boot} ORDER BY offset_ns LIMIT 1", (journal_id, boot_id))
    if not rows:
        return None, False
    least, ten_s = rows[0]
    # Not the next ten seconds: both may be one moment at their border.
    as_good = f"SELECT 1 {one_boot} AND offset_ns <= ? AND abs(ten_s - ?) >= 2 LIMIT 1"
    return int(least), bool(store.select(as_good, (journal_id, boot_id, least + AGREE_NS, ten_s)))


def _contradicts(before: Stretch, found: Stretch) -> bool:
    """Whether `found` would have begun before the end of the boot before it: monotonic time begins with the boot."""
    return found.offset_ns < before.last_wall_ns - AGREE_NS


def _blocked(store: Store, stretch: Stretch) -> Iterator[tuple[int, int]]:
    """Where the robot's disk refused entries for good: the widest gap before the entry that says so."""
    sql = "SELECT seq, body FROM entries WHERE journal_id = ? AND kind = 'event' AND seq >= ? AND seq <= ? AND instr(body, ?)"
    journal, first = stretch.journal.id, stretch.first_seq
    for seq, body in store.select(sql, (journal, first, stretch.last_seq, b'"journal_blocked"')):
        event = told(body)
        if event is not None and event.name == "journal_blocked" and event.data.get("not_journalled"):
            near = (journal, max(first, seq - _WAITING_MOST), seq)
            before, after = _widest(store.select(f"{_HEAD} AND seq >= ? AND seq <= ? ORDER BY seq", near))
            yield before[2], _told_from(store, journal, after[0], stretch.last_seq)


def _widest(rows: Sequence[_Row]) -> tuple[_Row, _Row]:
    return max(pairwise(rows), key=lambda pair: pair[1][2] - pair[0][2], default=(rows[0], rows[0]))


def _at_least(store: Store, journal_id: int, seq: int) -> _Row | None:
    rows = store.select(f"{_HEAD} AND seq >= ? ORDER BY seq LIMIT 1", (journal_id, seq))
    return tuple(rows[0]) if rows else None


def _at_most(store: Store, journal_id: int, seq: int) -> _Row | None:
    rows = store.select(f"{_HEAD} AND seq <= ? ORDER BY seq DESC LIMIT 1", (journal_id, seq))
    return tuple(rows[0]) if rows else None
