"""Exact one-sided bounds without SciPy, which a robot does not carry: of a percentile and of a rate. Pure.

A percentile's bound is an order statistic (David and Nagaraja, Order Statistics, 7.1): it takes the readings as independent and
nothing else of them. A rate's is that of Clopper and Pearson (Biometrika 26, 1934).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_HALVINGS = 60


@dataclass(frozen=True)
class Percentile:
    """The `q`-percentile of readings by nearest rank, and what it may be at the confidence; None: too few readings."""

    value: float
    lower: float | None
    upper: float | None
    n: int


def percentile(readings: Sequence[float], q: float, confidence: float) -> Percentile:
    """Raises ValueError for no readings."""
    if not readings:
        raise ValueError("a percentile needs a reading")
    ordered, n = sorted(readings), len(readings)
    over, under = upper_rank(q, n, confidence), lower_rank(q, n, confidence)
    return Percentile(
        value=ordered[max(1, math.ceil(q * n - 1e-9)) - 1],
        lower=ordered[under - 1] if under else None,
        upper=ordered[over - 1] if over else None,
        n=n,
    )


def upper_rank(q: float, n: int, confidence: float) -> int | None:
    """The smallest rank (from 1) whose reading is above the true `q`-percentile with `confidence`; None where n is too
    small.
    """
    total, rank = 0.0, None
    for above in range(n):  # so many readings are above the percentile
        total += _share(above, n, 1 - q)
        if total > 1 - confidence:
            break
        rank = n - above
    return rank


def lower_rank(q: float, n: int, confidence: float) -> int | None:
    """The largest rank (from 1) whose reading is below the true `q`-percentile with `confidence`; None where n is too small."""
    total = 0.0
    for above in range(n):
        total += _share(above, n, 1 - q)
        if total >= confidence:
            return n - above
    return None


def readings_needed(q: float, confidence: float) -> int:
    """From how many readings on there is an upper bound: 299 for the 99th percentile at 95 %."""
    return math.ceil(math.log(1 - confidence) / math.log(q))


def rate_lower(successes: int, n: int, confidence: float) -> float:
    """The rate in [0, 1] that the true one exceeds with `confidence`; 0 for no success."""
    if successes == 0:
        return 0.0
    return _halve(lambda rate: sum(_share(k, n, rate) for k in range(successes, n + 1)) > 1 - confidence)


def rate_upper(successes: int, n: int, confidence: float) -> float:
    """The rate in [0, 1] that the true one lies below with `confidence`; 1 where all were successes."""
    return 1.0 - rate_lower(n - successes, n, confidence)


def _halve(is_above: Callable[[float], bool]) -> float:
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if is_above(middle) else (middle, high)
    return low


def _share(k: int, n: int, p: float) -> float:
    """The chance of exactly `k` of `n`; by logarithms, because its factors leave the range of numbers long before it does."""
    if p <= 0 or p >= 1:
        return float(k == (n if p >= 1 else 0))
    ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return math.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p))
