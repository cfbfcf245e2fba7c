"""Distribution-free bounds of a percentile from order statistics (David and Nagaraja, Order Statistics, 7.1).

They take the readings as independent. Frames of one stream are not quite, so a bound over frames is somewhat too narrow; a
criterion over episodes counts episodes instead.
"""

from __future__ import annotations

import math

from console.fieldtest.refusing import check_confidence
from remote.histogram import RELATIVE_ERROR, Histogram


def upper_rank(q: float, n: int, confidence: float) -> int | None:
    """The smallest rank (from 1) whose reading is above the true `q`-quantile with `confidence`; None where n is too small."""
    _check(q, confidence)
    from scipy.special import bdtr

    if n < 1 or bdtr(n - 1, n, q) < confidence:
        return None
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if bdtr(middle - 1, n, q) >= confidence else (middle, high)
    return high


def lower_rank(q: float, n: int, confidence: float) -> int | None:
    """The largest rank (from 1) whose reading is below the true `q`-quantile with `confidence`; None where n is too small."""
    _check(q, confidence)
    from scipy.special import bdtrc

    if n < 1 or bdtrc(0, n, q) < confidence:
        return None
    low, high = 1, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if bdtrc(middle - 1, n, q) >= confidence else (low, middle)
    return low


def readings_needed(q: float, confidence: float) -> int:
    """From how many readings on the largest covers the true `q`-quantile: 299 for p99 at 95 %."""
    _check(q, confidence)
    return math.ceil(math.log(1 - confidence) / math.log(q))


def upper_bound(histogram: Histogram, q: float, confidence: float) -> float | None:
    """The reading that the true `q`-quantile lies below with `confidence`; None where there are too few readings.

    The histogram's own rounding is added on the safe side.
    """
    rank = upper_rank(q, histogram.count, confidence)
    if rank is None:
        return None
    value = _at_rank(histogram, rank)
    return value if rank == histogram.count else min(value / (1 - RELATIVE_ERROR), histogram.maximum)


def lower_bound(histogram: Histogram, q: float, confidence: float) -> float | None:
    """The reading that the true `q`-quantile lies above with `confidence`; None where there are too few readings."""
    rank = lower_rank(q, histogram.count, confidence)
    if rank is None:
        return None
    value = _at_rank(histogram, rank)
    return value if rank == 1 else max(value / (1 + RELATIVE_ERROR), histogram.minimum)


def _check(q: float, confidence: float) -> None:
    if not 0 < q < 1:
        raise ValueError(f"a quantile with a bound lies between 0 and 1, not at {q!r}")
    check_confidence(confidence)


def _at_rank(histogram: Histogram, rank: int) -> float:
    """The reading of that rank; the middle of the rank's step, so that rounding can't move it to a neighbour."""
    value = histogram.quantile((rank - 0.5) / histogram.count)
    assert value is not None
    return value
