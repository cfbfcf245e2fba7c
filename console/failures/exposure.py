"""How long robots ran under which circumstances: without it a count of failures is no rate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from console.failures.circumstances import Group, HourOf, groups_of
from console.failures.query import Query
from console.failures.scope import Moment, covers
from console.store.store import Journal, Store, kind_of
from remote.protocol import Entry

TEMP_AGE_NS = 10_000_000_000
"""A temperature that is older than this says nothing of the window."""


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """Time of running by group, in seconds, and frames. `label` groups hold the share of frames in which it was seen, and
    `seen_seconds` and `seen_frames` that in which anything was.

    A condition that was not told at all in some windows leaves that time out of all of its groups.
    """

    seconds: dict[Group, float]
    frames: dict[Group, float]
    all_seconds: float
    all_frames: float
    seen_seconds: float = 0.0
    seen_frames: float = 0.0


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


class _Host(msgspec.Struct):
    values: dict[str, float] = {}


_window = msgspec.json.Decoder(_Window)
_host = msgspec.json.Decoder(_Host)


def exposure_of(store: Store, query: Query, hour_of: HourOf) -> Exposure:
    """What the store's windows amount to, as far as the query's time, robot, bundle, light, temperature and conditions go.

    Windows without a frame are no running. Entries that can't be understood are left out.
    """
    tally = _Tally(hour_of)
    for journal in store.journals():
        for entry, window, temp_c in _windows(store, journal):
            moment = Moment(
                wall_ns=entry.wall_ns,
                robot=journal.robot,
                bundle=window.bundle,
                light=window.camera.brightness,
                temp_c=temp_c,
                conditions=window.conditions,
            )
            if window.frames > 0 and covers(query, moment):
                tally.add(moment, window)
    return tally.exposure()


class _Tally:
    def __init__(self, hour_of: HourOf) -> None:
        self._hour_of = hour_of
        self._seconds: Counter[Group] = Counter()
        self._frames: Counter[Group] = Counter()
        self._all_seconds = self._all_frames = self._seen_seconds = self._seen_frames = 0.0

    def add(self, moment: Moment, window: _Window) -> None:
        seconds = window.span_ms / 1000
        self._all_seconds += seconds
        self._all_frames += window.frames
        self._seen_seconds += seconds * window.frames_with_detections / window.frames
        self._seen_frames += window.frames_with_detections
        for group in groups_of(
            robot=moment.robot,
            bundle=moment.bundle,
            hour=self._hour_of(moment.wall_ns),
            light=moment.light,
            temp_c=moment.temp_c,
            conditions=moment.conditions,
        ):
            self._seconds[group] += seconds  # type: ignore[assignment]  # a Counter takes floats as well
            self._frames[group] += window.frames
        for label, seen in window.labels.items():
            group = ("label", f"label {label}")
            self._seconds[group] += seconds * seen.frames / window.frames  # type: ignore[assignment]
            self._frames[group] += seen.frames

    def exposure(self) -> Exposure:
        return Exposure(
            seconds=dict(self._seconds),
            frames=dict(self._frames),
            all_seconds=self._all_seconds,
            all_frames=self._all_frames,
            seen_seconds=self._seen_seconds,
            seen_frames=self._seen_frames,
        )


def _windows(store: Store, journal: Journal) -> Iterator[tuple[Entry, _Window, float | None]]:
    """Every window with the hottest sensor's temperature at that time."""
    temp_c, at_ns, boot = None, 0, ""
    for entry in store.entries(journal.id):
        kind = kind_of(entry)
        try:
            if kind == "host":
                temp_c, at_ns, boot = _host.decode(entry.body).values.get("temp_max_c"), entry.mono_ns, entry.boot_id
            elif kind == "window":
                fresh = boot == entry.boot_id and entry.mono_ns - at_ns <= TEMP_AGE_NS
                yield entry, _window.decode(entry.body), temp_c if fresh else None
        except msgspec.DecodeError:
            continue
