"""What the store holds as tables: columns named with their units, rows made one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from typing import Literal, Union

from console.store.store import Journal, Store
from remote.errors import Trouble
from remote.histogram import Histogram
from remote.metrics import METRICS
from remote.protocol import STAGES, Body, Entry, Event, Failure, Host, Window, body_of

Cell = Union[str, int, float, None]
Table = Literal["windows", "events", "failures", "hosts"]
TABLES: tuple[Table, ...] = ("windows", "events", "failures", "hosts")

_COMMON = ("time_utc", "wall_ns", "robot", "journal", "seq", "boot_id", "mono_ns")
_SPREAD = ("p50", "p95", "p99", "max")
_WINDOW = ("run", "window", "span_ms", "frames", "fps", "dropped_frames", "failed_frames", "detections")
_HOST_VALUES = tuple(metric.name for metric in METRICS.values() if metric.home == "host" and metric.shape == "value")
_HOST_TEXT = tuple(metric.name for metric in METRICS.values() if metric.home == "host" and metric.shape == "text")

COLUMNS: dict[Table, tuple[str, ...]] = {
    "windows": (
        *_COMMON,
        *_WINDOW,
        *(f"{stage}_{part}_ms" for stage in STAGES for part in _SPREAD),
        *("camera", "brightness", "source", "bundle"),
    ),
    "events": (*_COMMON, "name", "severity", "text", "data"),
    "failures": (
        *_COMMON,
        "name",
        "text",
        "frame",
        "picture",
        *(f"{stage}_ms" for stage in STAGES),
        "source",
        "bundle",
        "data",
    ),
    "hosts": (*_COMMON, *_HOST_VALUES, *_HOST_TEXT, "series", "unavailable"),
}
"""The columns of each table, in order. A distribution's columns are its metric's name with the quantile before the unit."""


def rows(store: Store, robot: str, table: Table) -> Iterator[tuple[Cell, ...]]:
    """Every row of a robot's table, oldest first, over all of its journals.

    Entries that this version does not understand are left out (they stay in the store). Raises Trouble `no_data` where
    the store knows nothing of the robot.
    """
    journals = store.journals(robot)
    if not journals:
        cure = f"watch it first: `fieldgate watch {robot}`"
        raise Trouble(f"the store holds nothing of '{robot}'", cure=cure, code="no_data")
    kind = table.removesuffix("s")
    return (row for journal in journals for row in _journal_rows(store, journal, kind))


def _journal_rows(store: Store, journal: Journal, kind: str) -> Iterator[tuple[Cell, ...]]:
    for entry in store.entries(journal.id, kind):
        try:
            body = body_of(entry)
        except Trouble:
            continue
        yield (*_common(journal, entry), *_CELLS[type(body)](body))


def _common(journal: Journal, entry: Entry) -> tuple[Cell, ...]:
    time = _utc(entry.wall_ns)
    return (time, entry.wall_ns, journal.robot, journal.journal, entry.seq, entry.boot_id, entry.mono_ns)


def _utc(wall_ns: int) -> str | None:
    try:
        when = datetime.fromtimestamp(wall_ns // 1_000_000_000, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None  # a robot's clock may say anything; wall_ns keeps what it said
    return f"{when:%Y-%m-%dT%H:%M:%S}.{wall_ns // 1_000_000 % 1000:03d}Z"


def _window(body: Body) -> Sequence[Cell]:
    assert isinstance(body, Window)
    detections = sum(label.count for label in body.labels.values())
    counts = (body.run, body.window, body.span_ms, body.frames, body.fps, body.dropped, body.failed, detections)
    spreads = [cell for stage in STAGES for cell in _spread(body.stages_ms.get(stage, Histogram()))]
    return (*counts, *spreads, body.camera.phase, body.camera.brightness, body.source, body.bundle)


def _spread(histogram: Histogram) -> Sequence[Cell]:
    if not histogram.count:
        return (None,) * len(_SPREAD)
    return (*(histogram.quantile(q) for q in (0.5, 0.95, 0.99)), histogram.maximum)


def _event(body: Body) -> Sequence[Cell]:
    assert isinstance(body, Event)
    return (body.name, body.severity, body.text, _json(body.data))


def _failure(body: Body) -> Sequence[Cell]:
    assert isinstance(body, Failure)
    stages = (body.stages_ms.get(stage) for stage in STAGES)
    return (body.name, body.text, body.frame, body.picture, *stages, body.source, body.bundle, _json(body.data))


def _host(body: Body) -> Sequence[Cell]:
    assert isinstance(body, Host)
    values = (body.values.get(name) for name in _HOST_VALUES)
    text = (body.text.get(name) for name in _HOST_TEXT)
    return (*values, *text, _json(body.series), _json(body.unavailable))


_CELLS: dict[type, Callable[[Body], Sequence[Cell]]] = {Window: _window, Event: _event, Failure: _failure, Host: _host}


def _json(value: object) -> str:
    import json

    return json.dumps(value, sort_keys=True, ensure_ascii=False) if value else ""
