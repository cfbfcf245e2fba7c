"""Faults on purpose, for the demonstration: really felt, for a limited time, only where the agent allows them."""

from __future__ import annotations

import time
from collections.abc import Callable

from remote.perception.messages import Cause

SLOWER_S = 0.120
LONGEST_S = 600.0
_NS_PER_S = 1_000_000_000


class Drills:
    """Which faults are being caused now. Read by the camera's thread as well: it only ever reads one number."""

    def __init__(
        self, clock: Callable[[], int] = time.monotonic_ns, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._until_ns: dict[str, int] = {}

    def begin(self, cause: Cause) -> float:
        """Cause a fault from now on; returns for how many seconds. `worker_hang` hangs right here, for all of them."""
        seconds = min(max(cause.seconds, 0.0), LONGEST_S)
        self._until_ns[cause.fault] = self._clock() + round(seconds * _NS_PER_S)
        if cause.fault == "worker_hang":
            self._sleep(seconds)
        return seconds

    def over(self) -> list[str]:
        """Faults whose time is over, each once."""
        now = self._clock()
        ended = [fault for fault, until in self._until_ns.items() if now >= until]
        for fault in ended:
            del self._until_ns[fault]
        return ended

    def unplugged(self) -> bool:
        """Whether the camera is to fail."""
        return self._clock() < self._until_ns.get("camera_unplugged", 0)

    def blind(self) -> bool:
        """Whether every detection is to be suppressed, as of a model that has gone blind."""
        return self._clock() < self._until_ns.get("blind", 0)

    def slow_engine(self) -> None:
        """Within the inference stage: takes SLOWER_S longer while that drill lasts."""
        if self._clock() < self._until_ns.get("slow_inference", 0):
            self._sleep(SLOWER_S)
