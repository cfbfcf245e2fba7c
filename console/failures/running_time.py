"""A journal's windows summed up by quarter of an hour and circumstances, kept so that only new ones are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from console.failures import side_file
from console.failures.circumstances import QUARTER_NS, light_name, temp_name
from console.failures.scope import Moment
from console.store.store import Journal, Store

TEMP_AGE_NS = 10_000_000_000
"""A temperature that is older than this says nothing of the window."""
FORMAT = 1


class Stretch(NamedTuple):
    """Where a window belongs: the quarter of an hour since the epoch, bands, what the robot was told."""

    quarter: int
    bundle: str
    light: str
    temp: str
    conditions: tuple[tuple[str, str], ...]


class Running(msgspec.Struct):
    """Running time: seconds and frames; of those with anything detected; of those with each label."""

    seconds: float = 0.0
    frames: float = 0.0
    seen_seconds: float = 0.0
    seen_frames: float = 0.0
    labels: dict[str, tuple[float, float]] = {}

    def add(self, other: Running) -> None:
        """Add another one's."""
        self.seconds += other.seconds
        self.frames += other.frames
        self.seen_seconds += other.seen_seconds
        self.seen_frames += other.seen_frames
        for label, (seconds, frames) in other.labels.items():
            here = self.labels.get(label, (0.0, 0.0))
            self.labels[label] = (here[0] + seconds, here[1] + frames)


class _Heat(msgspec.Struct, frozen=True):
    """The newest temperature, and when it was."""

    temp_c: float | None = None
    mono_ns: int = 0
    boot_id: str = ""


class _Kept(msgspec.Struct, frozen=True):
    """What is kept of a journal up to an entry."""

    format: int
    seq: int
    heat: _Heat
    stretches: list[tuple[Stretch, Running]]


class _Camera(msgspec.Struct, frozen=True):
    brightness: float | None = None


class _Seen(msgspec.Struct, array_like=True):
    count: int
    frames: int


class _Window(msgspec.Struct):
    """The part of a window that counts here: the rest is not decoded, there may be millions."""

    span_ms: float
    frames: int
    frames_with_detections: int = 0
    bundle: str = ""
    labels: dict[str, _Seen] = {}
    conditions: dict[str, str] = {}
    camera: _Camera = _Camera()


class _Values(msgspec.Struct, frozen=True):
    temp_max_c: float | None = None


class _Host(msgspec.Struct):
    values: _Values = _Values()


_window = msgspec.json.Decoder(_Window)
_host = msgspec.json.Decoder(_Host)
# `+kind` keeps SQLite on the order of seq: by its index on kinds it would sort the rest of the journal for each piece.
_ROWS = (
    "SELECT seq, boot_id, mono_ns, wall_ns, kind, body FROM entries WHERE journal_id = ? AND seq > ?"
    " AND +kind IN ('host', 'window') ORDER BY seq LIMIT 1000"
)
Wanted = Callable[[Moment], bool]


def of_journal(store: Store, journal: Journal, folder: Path | None) -> dict[Stretch, Running]:
    """All of a journal's running; with a `folder` only what came since the last time is read."""
    side = _side(folder, store, journal) if folder else None
    kept = (_load(side) if side else None) or _Kept(FORMAT, 0, _Heat(), [])
    adding = _Adding(journal.robot, kept.heat, dict(kept.stretches))
    seq = adding.take(store, journal, kept.seq, None)
    if side and seq > kept.seq:
        side_file.save(side, _Kept(FORMAT, seq, adding.heat, list(adding.found.items())))
    return adding.found


def running_of(store: Store, journal: Journal, wanted: Wanted) -> dict[Stretch, Running]:
    """The running of those windows that are wanted."""
    adding = _Adding(journal.robot, _Heat(), {})
    adding.take(store, journal, 0, wanted)
    return adding.found


class _Adding:
    def __init__(self, robot: str, heat: _Heat, found: dict[Stretch, Running]) -> None:
        self._robot, self.heat, self.found = robot, heat, found

    def take(self, store: Store, journal: Journal, after_seq: int, wanted: Wanted | None) -> int:
        """Add the windows behind an entry; the last entry's number."""
        while rows := store.select(_ROWS, (journal.id, after_seq)):
            after_seq = rows[-1][0]
            for _, boot_id, mono_ns, wall_ns, kind, body in rows:
                try:
                    if kind == "host":
                        self.heat = _Heat(_host.decode(body).values.temp_max_c, mono_ns, boot_id)
                    else:
                        self._add(boot_id, mono_ns, wall_ns, _window.decode(body), wanted)
                except msgspec.DecodeError:
                    continue
        return after_seq

    def _add(self, boot_id: str, mono_ns: int, wall_ns: int, window: _Window, wanted: Wanted | None) -> None:
        if window.frames <= 0:
            return
        fresh = self.heat.boot_id == boot_id and mono_ns - self.heat.mono_ns <= TEMP_AGE_NS
        temp_c = self.heat.temp_c if fresh else None
        light = window.camera.brightness
        if wanted is not None and not wanted(
            Moment(
                wall_ns=wall_ns,
                robot=self._robot,
                bundle=window.bundle,
                light=light,
                temp_c=temp_c,
                conditions=window.conditions,
            )
        ):
            return
        at = Stretch(
            wall_ns // QUARTER_NS,
            window.bundle,
            light_name(light),
            temp_name(temp_c),
            tuple(sorted(window.conditions.items())),
        )
        running = self.found.get(at)
        if running is None:
            running = self.found[at] = Running()
        _count(running, window)


def _count(running: Running, window: _Window) -> None:
    seconds = window.span_ms / 1000
    each = seconds / window.frames
    running.seconds += seconds
    running.frames += window.frames
    running.seen_seconds += each * window.frames_with_detections
    running.seen_frames += window.frames_with_detections
    for label, seen in window.labels.items():
        here = running.labels.get(label, (0.0, 0.0))
        running.labels[label] = (here[0] + each * seen.frames, here[1] + seen.frames)


def _side(folder: Path, store: Store, journal: Journal) -> Path:
    name = f"{store.store_id} {journal.robot} {journal.journal}"
    return folder / "running" / f"{hashlib.sha256(name.encode()).hexdigest()[:32]}.running"


def _load(side: Path) -> _Kept | None:
    kept = side_file.load(side, _Kept)
    return kept if kept is not None and kept.format == FORMAT else None
