"""What a span of a journal amounts to: whole hours and minutes are kept added up, the edges are read from the windows."""

from __future__ import annotations

from collections.abc import Iterator

from console.store.light import LightHost, LightWindow, host, window
from console.store.rolled import Rolled
from console.store.store import Store
from console.store.timeline import DISORDER_NS, Stretch, first_seq_at, last_seq_at, stretches
from remote.histogram import Histogram

_ROWS = 500


def spread(store: Store, robot: str, metric: str, from_wall_ns: int, to_wall_ns: int) -> Histogram:
    """The distribution of a window's metric (`end_to_end_ms`, ...) over a span of this laptop's wall clock, exact at its
    edges. Empty where nothing is known of it.
    """
    found = Rolled()
    for stretch in stretches(store, robot):
        found.merge(rolled_between(store, stretch, from_wall_ns - stretch.offset_ns, to_wall_ns - stretch.offset_ns))
    return found.spread(metric).histogram()


def rolled_between(store: Store, stretch: Stretch, from_mono_ns: int, to_mono_ns: int) -> Rolled:
    """Everything of a stretch whose moment lies in the span of its monotonic clock, the end excluded."""
    found = Rolled()
    if to_mono_ns <= stretch.first_mono_ns or from_mono_ns > stretch.last_mono_ns:
        return found
    for mono_ns, body in bodies(store, stretch, from_mono_ns, to_mono_ns):
        within = from_mono_ns <= mono_ns < to_mono_ns
        if isinstance(body, LightHost):
            if within:
                found.add_host(body)
            continue
        if within:
            found.add_window(body)
        if (up := body.up) and (span_ns := min(up[1], to_mono_ns) - max(up[0], from_mono_ns)) > 0:
            found.add_up(span_ns)
    return found


def bodies(
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
