"""A mergeable histogram with logarithmic buckets: how stage latencies travel and how percentiles are taken.

A value x > 0 falls into bucket ceil(log(x) / log(GAMMA)); the bucket's representative value lies within RELATIVE_ERROR of
every value in it (the construction of DDSketch, Masson et al., VLDB 2019). Count, sum, minimum and maximum are exact.
Merging adds counts, so the percentile of an hour is computed from its seconds without keeping samples.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

RELATIVE_ERROR = 0.005
GAMMA = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_LOG_GAMMA = math.log(GAMMA)
SMALLEST = 1e-6  # values at or below this share the lowest bucket


def _bucket(value: float) -> int:
    return math.ceil(math.log(max(value, SMALLEST)) / _LOG_GAMMA)


def _representative(bucket: int) -> float:
    return 2 * math.exp(bucket * _LOG_GAMMA) / (GAMMA + 1)


class Histogram(msgspec.Struct, frozen=True, array_like=True):
    """Counts of non-negative values, immutable; the unit is the metric's own (milliseconds for stage times).

    `buckets` are strictly ascending and `counts` are their counts, all positive. On the wire it is the array
    `[count, total, minimum, maximum, [bucket, ...], [count, ...]]`. An empty one has count 0 and minimum = maximum = 0.
    """

    count: int = 0
    total: float = 0.0
    minimum: float = 0.0
    maximum: float = 0.0
    buckets: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if len(self.buckets) != len(self.counts):
            raise ValueError("a histogram needs one count for each bucket")
        if sum(self.counts) != self.count or any(n <= 0 for n in self.counts):
            raise ValueError("a histogram's counts must be positive and add up to its count")
        if any(b <= a for a, b in zip(self.buckets, self.buckets[1:], strict=False)):
            raise ValueError("a histogram's buckets must ascend")

    @classmethod
    def of(cls, values: Iterable[float]) -> Histogram:
        """Fold finite non-negative values; a NaN, an infinity or a negative value raises ValueError."""
        tally: dict[int, int] = {}
        count, total, low, high = 0, 0.0, math.inf, 0.0
        for value in values:
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"a histogram takes finite non-negative values, not {value!r}")
            bucket = _bucket(value)
            tally[bucket] = tally.get(bucket, 0) + 1
            count, total = count + 1, total + value
            low, high = min(low, value), max(high, value)
        if not count:
            return cls()
        keys = sorted(tally)
        return cls(count, total, low, high, tuple(keys), tuple(tally[k] for k in keys))

    @classmethod
    def merge(cls, parts: Iterable[Histogram]) -> Histogram:
        """The histogram of everything in `parts`; exact in count, sum, minimum and maximum."""
        tally: dict[int, int] = {}
        count, total, low, high = 0, 0.0, math.inf, 0.0
        for part in parts:
            if not part.count:
                continue
            for bucket, n in zip(part.buckets, part.counts, strict=True):
                tally[bucket] = tally.get(bucket, 0) + n
            count, total = count + part.count, total + part.total
            low, high = min(low, part.minimum), max(high, part.maximum)
        if not count:
            return cls()
        keys = sorted(tally)
        return cls(count, total, low, high, tuple(keys), tuple(tally[k] for k in keys))

    @property
    def mean(self) -> float | None:
        """The exact mean, or None of nothing."""
        return self.total / self.count if self.count else None

    def quantile(self, q: float) -> float | None:
        """The value with rank ceil(q * count) (nearest rank), within RELATIVE_ERROR; None of nothing.

        `q` lies in [0, 1]. The first rank is the exact minimum and the last the exact maximum, so 0 and 1 give those.
        """
        if not 0 <= q <= 1:
            raise ValueError(f"a quantile lies between 0 and 1, not at {q!r}")
        if not self.count:
            return None
        rank = max(1, math.ceil(q * self.count))
        if rank == 1:
            return self.minimum
        seen = 0
        for bucket, n in zip(self.buckets, self.counts, strict=True):
            seen += n
            if seen >= rank and rank < self.count:
                return min(max(_representative(bucket), self.minimum), self.maximum)
        return self.maximum
