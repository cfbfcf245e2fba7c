"""Keeping a rate for sources that have none of their own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_NS_PER_S = 1_000_000_000


class Pace:
    """Lets one frame through every 1 / `fps` seconds of the monotonic clock.

    After a delay it goes on from now instead of sending the missed frames all at once.
    """

    def __init__(self, fps: float, *, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._interval_ns = round(_NS_PER_S / fps)
        self._clock = clock
        self._due_ns: int | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        """The first frame is due now."""
        self._due_ns = None
        self._ended.clear()

    def wait(self) -> None:
        """Return when the next frame is due, or at once after `end`."""
        now = self._clock()
        due = now if self._due_ns is None else max(self._due_ns, now - self._interval_ns)
        if due > now:
            self._ended.wait((due - now) / _NS_PER_S)
        self._due_ns = due + self._interval_ns

    def end(self) -> None:
        """Wake whoever waits."""
        self._ended.set()
