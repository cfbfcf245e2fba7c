"""How slow a server may be: an attacker who can't forge anything may still keep a robot waiting for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

LEAST_BYTES_PER_S = 1024.0
WINDOW_S = 20.0
NS_PER_S = 1e9


class TooSlow(Exception):
    """Fewer than `least` bytes came in each second of a whole window."""


class Pace:
    """Counts what came. The rate is judged at the end of each window, so that a short pause is forgiven.

    Args:
        clock: monotonic nanoseconds.
    """

    def __init__(
        self,
        clock: Callable[[], int] = time.monotonic_ns,
        *,
        least_bytes_per_s: float = LEAST_BYTES_PER_S,
        window_s: float = WINDOW_S,
    ) -> None:
        self._clock, self._least, self._window_s = clock, least_bytes_per_s, window_s
        self._since_ns, self._bytes = clock(), 0

    def got(self, count: int) -> None:
        """So many bytes came just now. Raises TooSlow."""
        self._bytes += count
        now_ns = self._clock()
        seconds = (now_ns - self._since_ns) / NS_PER_S
        if seconds < self._window_s:
            return
        if self._bytes < self._least * seconds:
            raise TooSlow(
                f"{self._bytes} bytes came in {seconds:.0f} s, {self._least:g} bytes/s is the least that is waited for"
            )
        self._since_ns, self._bytes = now_ns, 0
