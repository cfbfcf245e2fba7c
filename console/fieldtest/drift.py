"""Drift: a robot's figures leave what they were when it was healthy, slowly or at a step.

What comes in are blocks (a minute, say) of aggregates: mean confidence, detections a frame, p95 of latency. Each figure is
turned into its normal score among the healthy blocks (its rank, so that no distribution is assumed and a single wild block
weighs little), and two CUSUMs sum up what lies above and below (Page, Biometrika 41, 1954; by ranks: Li, Tang and Ng, Journal
of Quality Technology 42, 2010). Their limits are not looked up in a table, which would take blocks as independent: healthy runs
are drawn by bootstrap (Chatterjee and Qiu, Annals of Applied Statistics 3, 2009) from an autoregression that remembers as the
robot's own healthy blocks do (the sieve bootstrap: Buhlmann, Bernoulli 3, 1997), all figures at the same moments, and the
limits set so that together they raise one false alarm in the time asked for. Each run ranks among healthy blocks drawn anew,
so that what is not known of the healthy robot is in the limits too (Gandy and Kvaloy, Scandinavian Journal of Statistics 40,
2013).
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from console.fieldtest.refusing import check_positive

Way = Literal["rose", "fell"]
SMALLEST_SHIFT = 1.0
"""Tuned to find a lasting shift of one standard deviation of the healthy blocks; smaller ones take longer."""
SLACK = SMALLEST_SHIFT / 2
"""Half of it is taken off each score, so that the sums of a healthy robot fall back to 0."""


class Block(msgspec.Struct, frozen=True):
    """The aggregates of one block: when it began and each figure, None where there was none (no detection, no confidence)."""

    begin_ns: int
    values: dict[str, float | None]


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a calibrated detector: its healthy values in ascending order, and how high each sum may go."""

    healthy: tuple[float, ...]
    rise_limit: float
    fall_limit: float

    @property
    def mean(self) -> float:
        """The mean of the healthy blocks."""
        return math.fsum(self.healthy) / len(self.healthy)


class Detector(msgspec.Struct, frozen=True, kw_only=True):
    """A detector calibrated on one robot's healthy blocks (console.fieldtest.drift_calibration makes it).

    `watched` by figure; `left_out` says why a figure can't be watched. `blocks_between_false_alarms` is what was asked for,
    all figures together; `healthy_blocks` from how many it was calibrated, of which `blocks_per_independent` weigh as one.
    """

    watched: dict[str, Watched]
    left_out: dict[str, str]
    blocks_between_false_alarms: float
    healthy_blocks: int
    blocks_per_independent: float


class Sum(msgspec.Struct, frozen=True):
    """A CUSUM now: its height, when it last left 0, how many blocks it has run since, and the sum of their values."""

    height: float = 0.0
    since_ns: int = 0
    blocks: int = 0
    total: float = 0.0


class DriftState(msgspec.Struct, frozen=True, kw_only=True):
    """Where the sums of all figures stand after the blocks seen so far."""

    rising: dict[str, Sum] = {}
    falling: dict[str, Sum] = {}
    blocks: int = 0


class DriftAlarm(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that left its healthy range: since when (the estimated change), seen at which block, from where to where.

    `strength` is the sum over its limit: 1 when the alarm is raised.
    """

    metric: str
    way: Way
    since_ns: int
    at_ns: int
    blocks: int
    healthy_mean: float
    mean_since: float
    strength: float

    @property
    def words(self) -> str:
        """`confidence fell: 0.81 when healthy, 0.74 over the last 14 blocks`."""
        span = f"over the last {self.blocks} blocks" if self.blocks != 1 else "in the last block"
        return f"{self.metric} {self.way}: {self.healthy_mean:.3g} when healthy, {self.mean_since:.3g} {span}"


def step(detector: Detector, state: DriftState, block: Block) -> DriftState:
    """The sums after one more block. A figure that is missing or no number in it leaves its sums as they are.

    Nothing resets them but a new state: an alarm lasts until somebody begins anew, or until the figure has come back for long.
    """
    rising, falling = dict(state.rising), dict(state.falling)
    for name, watched in detector.watched.items():
        value = block.values.get(name)
        if value is None or not math.isfinite(value):
            continue
        score = normal_score(value, watched.healthy)
        rising[name] = _added(rising.get(name, Sum()), score - SLACK, value, block.begin_ns)
        falling[name] = _added(falling.get(name, Sum()), -score - SLACK, value, block.begin_ns)
    return DriftState(rising=rising, falling=falling, blocks=state.blocks + 1)


def alarms(detector: Detector, state: DriftState, at_ns: int) -> tuple[DriftAlarm, ...]:
    """What is over its limit in `state`, which was reached with the block that began at `at_ns`; the strongest first."""
    found = []
    for name, watched in detector.watched.items():
        for way, sums, limit in (
            ("rose", state.rising, watched.rise_limit),
            ("fell", state.falling, watched.fall_limit),
        ):
            one = sums.get(name, Sum())
            if one.height > limit:
                found.append(_alarm(name, "rose" if way == "rose" else "fell", one, watched, limit, at_ns))
    return tuple(sorted(found, key=lambda alarm: -alarm.strength))


def first_alarm(detector: Detector, blocks: Iterable[Block]) -> DriftAlarm | None:
    """The strongest alarm at the first block that raises one, from a fresh state; None where none does."""
    state = DriftState()
    for block in blocks:
        state = step(detector, state, block)
        found = alarms(detector, state, block.begin_ns)
        if found:
            return found[0]
    return None


def normal_score(value: float, healthy: Sequence[float]) -> float:
    """The standard normal quantile of the value's rank among the ascending `healthy` ones; ties take the middle rank."""
    from statistics import NormalDist

    rank = (bisect.bisect_left(healthy, value) + bisect.bisect_right(healthy, value)) / 2
    return NormalDist().inv_cdf((rank + 0.5) / (len(healthy) + 1))


def _added(before: Sum, score: float, value: float, begin_ns: int) -> Sum:
    height = before.height + score
    if height <= 0:
        return Sum()
    if before.height == 0:
        return Sum(height, begin_ns, 1, value)
    return Sum(height, before.since_ns, before.blocks + 1, before.total + value)


def _alarm(name: str, way: Way, one: Sum, watched: Watched, limit: float, at_ns: int) -> DriftAlarm:
    return DriftAlarm(
        metric=name,
        way=way,
        since_ns=one.since_ns,
        at_ns=at_ns,
        blocks=one.blocks,
        healthy_mean=watched.mean,
        mean_since=one.total / one.blocks,
        strength=one.height / limit,
    )


def blocks_between(days: float, block_s: float) -> float:
    """How many blocks of `block_s` seconds there are in so many days: a target for calibrating."""
    check_positive("the days between false alarms", days)
    check_positive("the seconds of a block", block_s)
    return days * 86400 / block_s
