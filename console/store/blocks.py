"""Minutes of a robot's work as blocks for console.fieldtest.drift: what one bundle saw from one source."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from console.fieldtest.drift import Block
from console.store.light import window
from console.store.rolled import Rolled, Spread
from console.store.rolling import LEVELS_S, S_NS, numbers_of, roll, spread_of
from console.store.store import Store
from console.store.timeline import Stretch, stretches

FIGURES = ("confidence", "detections_a_frame", "latency_p95_ms", "brightness")
"""Means over the minute (of boxes' scores, of frames, of pictures' grey level), and the 95th percentile of end_to_end_ms."""
_LEAST_UP_S = 30.0
"""A minute with less work says too little of its own."""
_MINUTE_NS = LEVELS_S[0] * S_NS


class Origin(msgspec.Struct, frozen=True):
    """What blocks are of: a bundle (digest) and a source on one robot."""

    bundle: str
    source: str


def newest_origin(store: Store, robot: str) -> Origin | None:
    """What the robot's newest window is of; None where there is none."""
    for stretch in reversed(stretches(store, robot)):
        for entry in reversed(store.newest(stretch.journal.id, "window", 1)):
            read = window(bytes(entry.body))
            if read is not None:
                return Origin(read.bundle, read.source)
    return None


def commonest_origin(store: Store, robot: str, from_wall_ns: int, to_wall_ns: int) -> Origin | None:
    """What most minutes of a span are of; None where there are none."""
    tally: dict[int, int] = {}
    for stretch in stretches(store, robot):
        roll(store, stretch.journal.id)
        for _, origin, _ in _minutes(store, stretch, from_wall_ns, to_wall_ns):
            tally[origin] = tally.get(origin, 0) + 1
    if not tally:
        return None
    row = store.select("SELECT bundle, source FROM origins WHERE id = ?", (max(tally, key=lambda one: tally[one]),))[0]
    return Origin(*row)


def blocks_between(store: Store, robot: str, origin: Origin, from_wall_ns: int, to_wall_ns: int) -> list[Block]:
    """The whole minutes of a span (by this laptop's clock) in which the worker worked, in the order of time."""
    rows = store.select("SELECT id FROM origins WHERE bundle = ? AND source = ?", (origin.bundle, origin.source))
    found: list[Block] = []
    for stretch in stretches(store, robot):
        roll(store, stretch.journal.id)
        rows = rows or store.select(
            "SELECT id FROM origins WHERE bundle = ? AND source = ?", (origin.bundle, origin.source)
        )
        if rows:
            found.extend(_blocks(store, stretch, int(rows[0][0]), from_wall_ns, to_wall_ns))
    return sorted(found, key=lambda block: block.begin_ns)


def _blocks(store: Store, stretch: Stretch, origin: int, from_ns: int, to_ns: int) -> Iterator[Block]:
    latency = _latency(store, stretch, origin, from_ns, to_ns)
    for bucket, number, sums in _minutes(store, stretch, from_ns, to_ns):
        if number == origin:
            begin_ns = bucket * _MINUTE_NS + stretch.offset_ns
            yield Block(begin_ns, _figures(sums, latency.get(bucket)))


def _figures(sums: Rolled, latency: Spread | None) -> dict[str, float | None]:
    confidence, brightness = sums.numbers.get("confidence"), sums.numbers.get("brightness")
    frames = sums.total("frames")
    return {
        "confidence": confidence.mean if confidence else None,
        "detections_a_frame": sums.total("detections") / frames if frames else None,
        "latency_p95_ms": latency.histogram().quantile(0.95) if latency else None,
        "brightness": brightness.mean if brightness else None,
    }


def _minutes(store: Store, stretch: Stretch, from_ns: int, to_ns: int) -> Iterator[tuple[int, int, Rolled]]:
    """Minute, origin and sums of the whole minutes with enough work."""
    sql = (
        "SELECT bucket, origin, numbers FROM rolled_numbers WHERE journal_id = ? AND boot_id = ? AND level_s = ? "
        "AND bucket >= ? AND bucket < ? AND origin > 0 ORDER BY bucket"
    )
    for bucket, origin, blob in store.select(sql, _key(stretch, from_ns, to_ns)):
        sums = Rolled()
        numbers_of(blob, sums)
        if sums.total("up_s") >= _LEAST_UP_S:
            yield bucket, origin, sums


def _latency(store: Store, stretch: Stretch, origin: int, from_ns: int, to_ns: int) -> dict[int, Spread]:
    sql = (
        "SELECT bucket, total, minimum, maximum, buckets, counts FROM rolled_spreads WHERE journal_id = ? "
        "AND boot_id = ? AND level_s = ? AND bucket >= ? AND bucket < ? AND metric = 'end_to_end_ms' AND origin = ?"
    )
    found: dict[int, Spread] = {}
    for bucket, *row in store.select(sql, (*_key(stretch, from_ns, to_ns), origin)):
        spread_of((row[0], row[1], row[2], row[3], row[4]), found.setdefault(bucket, Spread()))
    return found


def _key(stretch: Stretch, from_ns: int, to_ns: int) -> tuple[int, str, int, int, int]:
    """The newest minute still grows: only what ended before the newest entry is whole."""
    first = -(-(from_ns - stretch.offset_ns) // _MINUTE_NS)
    end = min(to_ns - stretch.offset_ns, stretch.last_mono_ns) // _MINUTE_NS
    return stretch.journal.id, stretch.boot_id, LEVELS_S[0], _sixty_four(first), _sixty_four(end)


def _sixty_four(number: int) -> int:
    return max(-(1 << 62), min(number, 1 << 62))
