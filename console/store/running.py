"""Uptime, crashes and what belongs to them, counted from a robot's journals as far as they are on this laptop.

Time: a second is up where a window covers it that processed frames with its camera ok. It is known where the journal tells of
it: between two entries of one boot with none missing between them, and between two boots that follow each other without a
missing entry (the robot was off). All else is unknown: after the newest entry, before the first, where the robot let entries
go, and in a boot whose clock can't be right. Counts belong to the moment of their entry, so that the parts of a span add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from console.fieldtest.running import Measured, Running, Span, together
from console.store.light import told
from console.store.rolled import Rolled
from console.store.rollups import rolled_between
from console.store.spans import spans_in
from console.store.store import Store
from console.store.timeline import Stretch, first_seq_at, holes, last_seq_at, stretches
from remote.histogram import Histogram
from remote.metrics import METRICS

_LOOK_BACK = 500
_CAMERA = ("camera_gone", "camera_stalled", "camera_frozen", "camera_black")
_CAMERA_OVER = ("camera_recovered", "worker_started", "agent_started")
"""After these a camera fault is another one."""
_TOLD = ("worker_crash", "worker_hang", *_CAMERA, *_CAMERA_OVER)


@dataclass
class _Counts:
    """What is added up over the stretches."""

    known_ns: int = 0
    happened: dict[str, int] = field(default_factory=dict)
    rolled: Rolled = field(default_factory=Rolled)
    spans: list[Span] = field(default_factory=list)

    def count(self, name: str) -> None:
        self.happened[name] = self.happened.get(name, 0) + 1


def running_between(
    store: Store, robot: str, from_wall_ns: int, to_wall_ns: int, *, interventions: int = 0, digests: bool = True
) -> Measured:
    """What the robot's journals say of a span of this laptop's wall clock, its end excluded.

    `interventions` are people's, counted elsewhere. Without `digests` there are no `spans`: every entry has to be read for
    those, which takes seconds for a week. Of a robot without a journal here nothing is known: `known_s` is 0.
    """
    counts = _Counts()
    boots: set[str] = set()
    free_ns = from_wall_ns  # time is accounted for up to here: the stretches of two journals may overlap
    for stretch in stretches(store, robot):
        _add_stretch(store, stretch, (from_wall_ns, to_wall_ns), free_ns, boots, counts)
        if digests:
            offset_ns = stretch.offset_ns
            counts.spans.extend(spans_in(store, stretch, from_wall_ns - offset_ns, to_wall_ns - offset_ns))
        free_ns = _add_known(store, stretch, free_ns, to_wall_ns, counts)
        boots.add(stretch.boot_id)
    return _measured(counts, max(0, to_wall_ns - from_wall_ns), interventions)


def _add_known(store: Store, stretch: Stretch, free_ns: int, to_ns: int, counts: _Counts) -> int:
    start, end = max(stretch.known_from_wall_ns, free_ns), min(stretch.last_wall_ns, to_ns)
    if start >= end:
        return free_ns
    offset = stretch.offset_ns
    missing = sum(max(0, min(b + offset, end) - max(a + offset, start)) for a, b in holes(store, stretch))
    counts.known_ns += end - start - missing
    return end


def _add_stretch(
    store: Store, stretch: Stretch, span: tuple[int, int], free_ns: int, boots: set[str], counts: _Counts
) -> None:
    """Everything whose moment lies in the span. `boots` are those seen before this stretch."""
    if span[1] <= stretch.first_wall_ns or span[0] > stretch.last_wall_ns:
        return
    from_ns, to_ns = span[0] - stretch.offset_ns, span[1] - stretch.offset_ns
    if stretch.rebooted and stretch.boot_id not in boots and from_ns <= stretch.first_mono_ns < to_ns:
        counts.count("reboot")
    _add_happenings(store, stretch, from_ns, to_ns, stretch.boot_id in boots, counts)
    rolled = rolled_between(store, stretch, from_ns, to_ns)
    if free_ns > max(span[0], stretch.first_wall_ns):  # another journal's time already: it can't be up twice
        alone = rolled_between(store, stretch, free_ns - stretch.offset_ns, to_ns)
        rolled.numbers["up_s"] = alone.number("up_s")
    counts.rolled.merge(rolled)


def _add_happenings(
    store: Store, stretch: Stretch, from_ns: int, to_ns: int, boot_goes_on: bool, counts: _Counts
) -> None:
    camera_away = _camera_away(store, stretch, first_seq_at(store, stretch, from_ns))
    # With a new boot the agent starts too; a new journal may tell of itself first.
    after = 0 if boot_goes_on else stretch.first_seq + 1
    for seq, mono_ns, name in _happenings(store, stretch, from_ns, to_ns):
        within = from_ns <= mono_ns < to_ns
        if name in _CAMERA:
            if within and not camera_away:
                counts.count("camera")
            camera_away = True
        elif within and (name != "agent_started" or seq > after):
            counts.count(name)
        if name in _CAMERA_OVER:
            camera_away = False


def _happenings(store: Store, stretch: Stretch, from_ns: int, to_ns: int) -> Iterator[tuple[int, int, str]]:
    """Number, moment and name of the events and failures around a span; some lie outside of it."""
    sql = (
        "SELECT seq, mono_ns, body FROM entries WHERE journal_id = ? AND kind = ? AND seq >= ? AND seq <= ? "
        "ORDER BY seq LIMIT 500"
    )
    first, last = first_seq_at(store, stretch, from_ns), last_seq_at(store, stretch, to_ns)
    found: list[tuple[int, int, str]] = []
    for kind in ("event", "failure"):
        seq = first
        while seq <= last and (rows := store.select(sql, (stretch.journal.id, kind, seq, last))):
            read = ((number, mono_ns, told(body)) for number, mono_ns, body in rows)
            found.extend((number, mono_ns, one.name) for number, mono_ns, one in read if one and one.name in _TOLD)
            seq = rows[-1][0] + 1
    return iter(sorted(found))


def _camera_away(store: Store, stretch: Stretch, seq: int) -> bool:
    """Whether a camera fault that began before `seq` goes on there."""
    newest: tuple[int, str] = (0, "")
    for kind in ("event", "failure"):
        sql = (
            "SELECT seq, body FROM entries WHERE journal_id = ? AND kind = ? AND seq < ? AND seq >= ? "
            f"ORDER BY seq DESC LIMIT {_LOOK_BACK}"
        )
        for number, body in store.select(sql, (stretch.journal.id, kind, seq, stretch.first_seq)):
            one = told(body)
            if one is not None and one.name in (*_CAMERA, *_CAMERA_OVER):
                newest = max(newest, (number, one.name))
                break
    return newest[1] in _CAMERA


def _measured(counts: _Counts, wanted_ns: int, interventions: int) -> Measured:
    rolled, happened = counts.rolled, counts.happened
    hosts = {name: one for name, one in rolled.numbers.items() if name in METRICS and METRICS[name].home == "host"}
    running = Running(
        wanted_s=wanted_ns / 1e9,
        known_s=counts.known_ns / 1e9,
        up_s=min(rolled.total("up_s"), counts.known_ns / 1e9),  # both are sums of parts, each rounded by itself
        crashes=happened.get("worker_crash", 0),
        hangs=happened.get("worker_hang", 0),
        reboots=happened.get("reboot", 0),
        agent_restarts=happened.get("agent_started", 0),
        camera_faults=happened.get("camera", 0),
        frames=round(rolled.total("frames")),
        failed_frames=round(rolled.total("failed_frames")),
        dropped_frames=round(rolled.total("dropped_frames")),
        interventions=interventions,
        throttled_s=_throttled_s(rolled),
    )
    return Measured(
        running=running,
        spreads={name: one.histogram() for name, one in rolled.spreads.items()},
        means={name: one.total / one.count for name, one in hosts.items()},
        highest={name: one.maximum for name, one in hosts.items()},
        readings={name: one.count for name, one in hosts.items()},
        spans=tuple(counts.spans),
    )


def _throttled_s(rolled: Rolled) -> float | None:
    """Host samples come once a second and say which share of the clocks was held down; None where no sample can tell."""
    return rolled.total("throttled") if "throttled" in rolled.numbers else None


def measured_together(parts: Iterable[Measured]) -> Measured:
    """Separate stretches of time as one: what was counted adds up, means weigh by their readings."""
    found = list(parts)
    readings: dict[str, int] = {}
    totals: dict[str, float] = {}
    highest: dict[str, float] = {}
    for one in found:
        for name, count in one.readings.items():
            readings[name] = readings.get(name, 0) + count
            totals[name] = totals.get(name, 0.0) + one.means[name] * count
            highest[name] = max(highest.get(name, one.highest[name]), one.highest[name])
    metrics = sorted({name for one in found for name in one.spreads})
    return Measured(
        running=together(one.running for one in found),
        spreads={name: Histogram.merge(one.spreads[name] for one in found if name in one.spreads) for name in metrics},
        means={name: totals[name] / count for name, count in readings.items()},
        highest=highest,
        readings=readings,
        spans=tuple(span for one in found for span in one.spans),
    )
