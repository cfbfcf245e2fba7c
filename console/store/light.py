"""Entries' bodies read for counting: only the fields that are needed, so that weeks are read in seconds.

What can't be understood is None and left out, as in `rows`; it stays in the store.
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from remote.protocol import LabelCount, Scalar

UP_MOST_MS = 5000.0
"""A worker that says nothing for 5 s hangs: a longer window is not counted as up."""
LATE_NS = 5_000_000_000
"""A window is journalled within so much of its end."""
T = TypeVar("T")
_Spread = tuple[int, float, float, float, list[int], list[int]]


class LightCamera(msgspec.Struct):
    """A camera's health."""

    phase: str = ""
    brightness: float | None = None


class LightWindow(msgspec.Struct):
    """A window, its histograms as plain arrays."""

    start_mono_ns: int
    span_ms: float
    frames: int
    camera: LightCamera
    dropped: int = 0
    failed: int = 0
    source: str = ""
    bundle: str = ""
    labels: dict[str, LabelCount] = {}
    stages_ms: dict[str, _Spread] = {}

    def up(self, stamp_ns: int) -> tuple[int, int] | None:
        """From when to when (monotonic) frames were processed as they should be; None: not in this window.

        `stamp_ns` is its entry's: a window that says it covers another time is not believed.
        """
        if self.frames <= 0 or self.camera.phase != "ok" or not 0 < self.span_ms <= UP_MOST_MS:
            return None
        end_ns = self.start_mono_ns + round(self.span_ms * 1e6)
        return (self.start_mono_ns, end_ns) if -LATE_NS < end_ns - stamp_ns < LATE_NS else None


class LightHost(msgspec.Struct):
    """The computer's state: single numbers only."""

    values: dict[str, float] = {}


class Told(msgspec.Struct):
    """An event or a failure: what it is called, and its data."""

    name: str
    data: dict[str, Scalar] = {}


_window = msgspec.json.Decoder(LightWindow)
_host = msgspec.json.Decoder(LightHost)
_told = msgspec.json.Decoder(Told)


def window(body: bytes) -> LightWindow | None:
    """A window's body."""
    return _read(_window, body)


def host(body: bytes) -> LightHost | None:
    """A host's body."""
    return _read(_host, body)


def told(body: bytes) -> Told | None:
    """An event's or a failure's body."""
    return _read(_told, body)


def _read(decoder: msgspec.json.Decoder[T], body: bytes) -> T | None:
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
