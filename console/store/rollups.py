"""What a span of a journal amounts to: whole hours and minutes are kept added up, the edges are read from the windows."""

from __future__ import annotations

from collections.abc import Iterator

from console.store.light import LightHost, LightWindow, host, window
from console.store.rolled import Rolled
from console.store.rolling import LEVELS_S, S_NS, add_up, numbers_of, roll, rolled_through, spread_of
from console.store.store import Store
from console.store.timeline import DISORDER_NS, Stretch, first_seq_at, last_seq_at, stretches
from remote.histogram import Histogram
from remote.protocol import STAGES

_ROWS = 500
_MINUTE_NS = LEVELS_S[0] * S_NS
_MINUTES_IN_HOUR = LEVELS_S[1] // LEVELS_S[0]
_SPREADS = tuple(f"{stage}_ms" for stage in STAGES)
_WORTH_ROLLING_NS = 1800 * S_NS
_WORTH_ROLLING_TIMES = 8
"""A shorter span, or one that is a small part of what would have to be added up first, is read from the windows."""


def spread(store: Store, robot: str, metric: str, from_wall_ns: int, to_wall_ns: int) -> Histogram:
    """The distribution of a window's metric (`end_to_end_ms`, ...) over a span of this laptop's wall clock, exact at its
    edges. Empty where nothing is known of it.
    """
    found = Rolled()
    for stretch in stretches(store, robot):
        offset_ns = stretch.offset_ns
        found.merge(rolled_between(store, stretch, from_wall_ns - offset_ns, to_wall_ns - offset_ns, only=metric))
    return found.spread(metric).histogram()


def rolled_between(
    store: Store, stretch: Stretch, from_mono_ns: int, to_mono_ns: int, *, only: str | None = None
) -> Rolled:
    """Everything of a stretch whose moment lies in the span of its monotonic clock, the end excluded.

    `only`: the one distribution that is wanted, and no numbers. Where it is worth it the journal's roll-ups are brought up to
    date first: about 1.5 s for each 8 hours of windows.
    """
    found = Rolled()
    start, end = max(from_mono_ns, stretch.first_mono_ns), min(to_mono_ns, stretch.last_mono_ns + 1)
    if start >= end:
        return found
    first, last = -(-start // _MINUTE_NS), end // _MINUTE_NS
    if last <= first or not _is_rolled(store, stretch, start, end):
        _add_read(store, stretch, start, end, found)
        return found
    _add_read(store, stretch, start, first * _MINUTE_NS, found)
    _add_whole(store, stretch, first, last, found, only)
    _add_read(store, stretch, last * _MINUTE_NS, end, found)
    return found


def _is_rolled(store: Store, stretch: Stretch, start_ns: int, end_ns: int) -> bool:
    """Whether the roll-ups reach as far as the span; they are brought up to date where that is worth it."""
    through = rolled_through(store, stretch.journal.id)
    first, last = first_seq_at(store, stretch, start_ns), last_seq_at(store, stretch, end_ns + DISORDER_NS)
    missing = store.last_seq(stretch.journal.id) - through
    if through < last and end_ns - start_ns >= _WORTH_ROLLING_NS and missing <= _WORTH_ROLLING_TIMES * (last - first):
        through = roll(store, stretch.journal.id)
    return through >= last


def _add_whole(store: Store, stretch: Stretch, first: int, last: int, found: Rolled, only: str | None) -> None:
    """Minutes `first` to `last` (excluded), by whole hours where there are any."""
    hour, hours_end = -(-first // _MINUTES_IN_HOUR), last // _MINUTES_IN_HOUR
    if hour >= hours_end:
        _add_rows(store, stretch, LEVELS_S[0], first, last, found, only)
        return
    _add_rows(store, stretch, LEVELS_S[0], first, hour * _MINUTES_IN_HOUR, found, only)
    _add_rows(store, stretch, LEVELS_S[1], hour, hours_end, found, only)
    _add_rows(store, stretch, LEVELS_S[0], hours_end * _MINUTES_IN_HOUR, last, found, only)


def _add_rows(
    store: Store, stretch: Stretch, level_s: int, first: int, last: int, found: Rolled, only: str | None
) -> None:
    where = "WHERE journal_id = ? AND boot_id = ? AND level_s = ? AND bucket >= ? AND bucket < ?"
    key = (stretch.journal.id, stretch.boot_id, level_s, first, last)
    if only is None:
        for (blob,) in store.select(f"SELECT numbers FROM rolled_numbers {where}", key):
            numbers_of(blob, found)
    for metric in (only,) if only is not None else _SPREADS:
        sql = f"SELECT total, minimum, maximum, buckets, counts FROM rolled_spreads {where} AND metric = ?"
        for row in store.select(sql, (*key, metric)):
            spread_of(row, found.spread(metric))


def _add_read(store: Store, stretch: Stretch, from_mono_ns: int, to_mono_ns: int, found: Rolled) -> None:
    """Windows and host samples themselves."""
    if from_mono_ns >= to_mono_ns:
        return
    for mono_ns, body in _bodies(store, stretch, from_mono_ns, to_mono_ns):
        within = from_mono_ns <= mono_ns < to_mono_ns
        if isinstance(body, LightHost):
            if within:
                found.add_host(body)
            continue
        if within:
            found.add_window(body)
        add_up(found, body.up(mono_ns), from_mono_ns, to_mono_ns)


def _bodies(
    store: Store, stretch: Stretch, from_mono_ns: int, to_mono_ns: int
) -> Iterator[tuple[int, LightWindow | LightHost]]:
    """Windows and host samples around a span, with the moment of each; some lie outside of it."""
    seq, last = first_seq_at(store, stretch, from_mono_ns), last_seq_at(store, stretch, to_mono_ns + DISORDER_NS)
    sql = (
        "SELECT seq, mono_ns, kind, body FROM entries WHERE journal_id = ? AND seq >= ? AND seq <= ? "
        f"AND kind IN ('window', 'host') ORDER BY seq LIMIT {_ROWS}"
    )
    while seq <= last and (rows := store.select(sql, (stretch.journal.id, seq, last))):
        for _, mono_ns, kind, body in rows:
            read = window(body) if kind == "window" else host(body)
            if read is not None:
                yield mono_ns, read
        seq = rows[-1][0] + 1
