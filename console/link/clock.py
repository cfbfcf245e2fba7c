"""The laptop's clocks, in one place so that tests can give their own."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What the link asks of time."""

    def mono_ns(self) -> int:
        """Nanoseconds of a clock that is never set; it may stand still while the laptop sleeps."""
        ...

    def wall_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        ...

    def awake_ns(self) -> int:
        """Nanoseconds of a clock that goes on while the laptop sleeps; its distance to `mono_ns` grows by the sleep."""
        ...


class SystemClock:
    """This machine's clocks."""

    def mono_ns(self) -> int:
        """`time.monotonic_ns`."""
        return time.monotonic_ns()

    def wall_ns(self) -> int:
        """`time.time_ns`."""
        return time.time_ns()

    def awake_ns(self) -> int:
        """CLOCK_BOOTTIME where the system has it (Linux); elsewhere the monotonic clock, which then shows no sleep."""
        boottime = getattr(time, "CLOCK_BOOTTIME", None)
        return time.clock_gettime_ns(boottime) if boottime is not None else time.monotonic_ns()
