"""What a stretch of running amounts to, as counted from a robot's journal: the ground of uptime, crashes and MTBF."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from remote.histogram import Histogram


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """Counts over one or more stretches of time. All times in seconds.

    wanted_s: the stretches themselves (from begin to end of each session, pauses included).
    known_s: as much of it as the journal tells of; the rest (entries that the robot let go, or that have not come yet) is
        unknown, and no claim is made about it.
    up_s: as much of known_s as frames were processed in, as they should be; restarts, reboots and camera faults are not up.
    crashes, hangs: of the worker. reboots: of the robot's computer. agent_restarts: of the agent without a reboot.
    camera_faults: episodes. frames, failed_frames, dropped_frames: as in windows. interventions: of people.
    throttled_s: with the clocks held down by heat, None where it can't be known.
    """

    wanted_s: float = 0.0
    known_s: float = 0.0
    up_s: float = 0.0
    crashes: int = 0
    hangs: int = 0
    reboots: int = 0
    agent_restarts: int = 0
    camera_faults: int = 0
    frames: int = 0
    failed_frames: int = 0
    dropped_frames: int = 0
    interventions: int = 0
    throttled_s: float | None = None

    @property
    def unknown_s(self) -> float:
        """What the journal says nothing of."""
        return max(0.0, self.wanted_s - self.known_s)

    @property
    def breakdowns(self) -> int:
        """What ends a time between failures: crashes, hangs and reboots."""
        return self.crashes + self.hangs + self.reboots


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of one journal: its entries `first_seq`..`last_seq` and the SHA-256 over their bodies in order, each followed
    by a line feed. Whoever has the journal can check what was counted."""

    journal: str
    first_seq: int
    last_seq: int
    digest: str


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a stretch of a journal says: counts, distributions by metric (in the metric's unit), and the journal's
    spans.

    `means` holds the mean of live metrics that are single numbers (cpu_percent, ...) and `highest` their maxima.
    """

    running: Running
    spreads: dict[str, Histogram] = {}
    means: dict[str, float] = {}
    highest: dict[str, float] = {}
    readings: dict[str, int] = {}
    spans: tuple[Span, ...] = ()


def together(parts: Iterable[Running]) -> Running:
    """The sum of separate stretches. Throttling is known only where all of them know it."""
    found = list(parts)
    names = [name for name in Running.__struct_fields__ if name != "throttled_s"]
    sums = {name: sum(getattr(one, name) for one in found) for name in names}
    throttled = [one.throttled_s for one in found]
    known = [one for one in throttled if one is not None]
    return Running(**sums, throttled_s=sum(known) if found and len(known) == len(throttled) else None)
