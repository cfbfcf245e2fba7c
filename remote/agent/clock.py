"""The robot's clocks and boot identity, passed in as one value so that tests can turn the hands."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_uptime_clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


@dataclass(frozen=True)
class Clock:
    """Monotonic and wall nanoseconds, and the id of the boot in which the monotonic ones mean something."""

    boot_id: str
    mono_ns: Callable[[], int] = time.monotonic_ns
    wall_ns: Callable[[], int] = time.time_ns

    def wall_at(self, mono_ns: int) -> int:
        """The wall time that belongs to a monotonic stamp of this boot, by the wall clock as it is set now."""
        return self.wall_ns() - (self.mono_ns() - mono_ns)


def system_clock() -> Clock:
    """This computer's clocks. Where the kernel tells no boot id, one is derived from the time of boot in minutes."""
    return Clock(boot_id=_boot_id())


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        booted_min = int((time.time() - time.clock_gettime(_uptime_clock)) // 60)
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{os.uname().nodename} {booted_min}"))


class StepWatch:
    """Notices that the wall clock was set: compares how far wall and monotonic clock moved since the last look."""

    def __init__(self, clock: Clock, threshold_s: float = 2.0) -> None:
        self._clock = clock
        self._threshold_s = threshold_s
        self._offset_ns = clock.wall_ns() - clock.mono_ns()

    def look(self) -> float | None:
        """Seconds by which the wall clock jumped since the last look (negative: back); None for less than the threshold.

        Small corrections are followed, so that a clock that is slewed for hours is no jump.
        """
        offset_ns = self._clock.wall_ns() - self._clock.mono_ns()
        step_s = (offset_ns - self._offset_ns) / 1e9
        self._offset_ns = offset_ns
        return step_s if abs(step_s) > self._threshold_s else None
