"""Sums of many windows and host samples: what a minute, an hour or any stretch of a journal amounts to. All of it adds up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from console.store.light import LightHost, LightWindow
from remote.histogram import Histogram
from remote.protocol import STAGES

_ABSURD = 1e100
_MOST = 1 << 40
_BUCKETS = range(-32_768, 32_768)
"""More than any finite positive number needs; what lies outside is no histogram of ours."""


class Sum:
    """Count, total, minimum and maximum of numbers."""

    __slots__ = ("count", "maximum", "minimum", "total")

    def __init__(self, count: int = 0, total: float = 0.0, minimum: float = 0.0, maximum: float = 0.0) -> None:
        self.count, self.total, self.minimum, self.maximum = count, total, minimum, maximum

    def add(self, count: int, total: float, minimum: float, maximum: float) -> None:
        """Add what another one holds; a total that can't be one is passed over."""
        if not count or not -_ABSURD < total < _ABSURD:
            return
        if not self.count or minimum < self.minimum:
            self.minimum = minimum
        if not self.count or maximum > self.maximum:
            self.maximum = maximum
        self.count += count
        self.total += total

    @property
    def mean(self) -> float | None:
        """None of nothing."""
        return self.total / self.count if self.count else None


class Spread:
    """A histogram that grows, with the buckets of remote.histogram."""

    __slots__ = ("counts", "maximum", "minimum", "total")

    def __init__(self) -> None:
        self.counts: dict[int, int] = {}
        self.total, self.minimum, self.maximum = 0.0, 0.0, 0.0

    def add(self, total: float, minimum: float, maximum: float, buckets: Iterable[int], counts: Iterable[int]) -> None:
        """Add a histogram that is not empty."""
        tally = self.counts
        if not tally or minimum < self.minimum:
            self.minimum = minimum
        if not tally or maximum > self.maximum:
            self.maximum = maximum
        self.total += total
        for bucket, n in zip(buckets, counts, strict=True):
            tally[bucket] = tally.get(bucket, 0) + n

    def merge(self, other: Spread) -> None:
        """Add another one."""
        if other.counts:
            self.add(other.total, other.minimum, other.maximum, other.counts.keys(), other.counts.values())

    def histogram(self) -> Histogram:
        """The same, frozen."""
        if not self.counts:
            return Histogram()
        keys = sorted(self.counts)
        counts = tuple(self.counts[key] for key in keys)
        return Histogram(sum(counts), self.total, self.minimum, self.maximum, tuple(keys), counts)


class Rolled:
    """Sums by metric (`numbers`) and distributions by metric (`spreads`, in the metric's unit).

    Of a window: frames, failed_frames, dropped_frames, detections (totals; `count` is the number of windows), confidence
    (of boxes), brightness, the stages' times; up_s is added apart, by where the window lies. Of a host sample: its values.
    """

    __slots__ = ("numbers", "spreads")

    def __init__(self) -> None:
        self.numbers: dict[str, Sum] = {}
        self.spreads: dict[str, Spread] = {}

    def number(self, name: str) -> Sum:
        """The sum of that name, made where it is new."""
        found = self.numbers.get(name)
        if found is None:
            found = self.numbers[name] = Sum()
        return found

    def total(self, name: str) -> float:
        """The total of a metric; 0 where there is none."""
        return self.numbers[name].total if name in self.numbers else 0.0

    def add_window(self, window: LightWindow) -> None:
        """Add a window's counts and distributions; one that is none of ours is passed over."""
        boxes = 0
        for label in window.labels.values():
            boxes += label.count
            self.number("confidence").add(label.count, label.score_sum, label.score_min, label.score_max)
        self._one("frames", window.frames)
        self._one("failed_frames", window.failed)
        self._one("dropped_frames", window.dropped)
        self._one("detections", boxes)
        if window.camera.brightness is not None:
            self._one("brightness", window.camera.brightness)
        for stage, (count, total, minimum, maximum, buckets, counts) in window.stages_ms.items():
            if stage in STAGES and 0 <= total < _ABSURD and _sound(count, buckets, counts):
                self.spread(f"{stage}_ms").add(total, minimum, maximum, buckets, counts)

    def add_host(self, host: LightHost) -> None:
        """Add a sample of the computer's state."""
        for name, value in host.values.items():
            self._one(name, value)

    def add_up(self, span_ns: int) -> None:
        """Add time in which frames were processed."""
        self._one("up_s", span_ns / 1e9)

    def merge(self, other: Rolled) -> None:
        """Add another one."""
        for name, one in other.numbers.items():
            self.number(name).add(one.count, one.total, one.minimum, one.maximum)
        for name, spread in other.spreads.items():
            self.spread(name).merge(spread)

    def spread(self, metric: str) -> Spread:
        """The distribution of that name, made where it is new."""
        found = self.spreads.get(metric)
        if found is None:
            found = self.spreads[metric] = Spread()
        return found

    def _one(self, name: str, value: float) -> None:
        self.number(name).add(1, value, value, value)


def _sound(count: int, buckets: Sequence[int], counts: Sequence[int]) -> bool:
    if not 0 < count < _MOST or len(buckets) != len(counts) or sum(counts) != count or min(counts) <= 0:
        return False
    return min(buckets) in _BUCKETS and max(buckets) in _BUCKETS
