"""Exact one-sided bounds of a success rate (Clopper and Pearson, Biometrika 26, 1934), and how many more trials decide."""

from __future__ import annotations

from collections.abc import Callable

from console.fieldtest.refusing import check_confidence, check_counts

MOST_TRIALS = 2**20
"""Where so many more trials (about a million) do not decide, the number is None: nobody runs that many."""


def lower_bound(successes: int, n: int, confidence: float) -> float:
    """The rate in [0, 1] that the true one exceeds with `confidence`; 0 for no successes."""
    check_counts(successes, n)
    check_confidence(confidence)
    if successes == 0:
        return 0.0
    from scipy.special import betaincinv

    return float(betaincinv(successes, n - successes + 1, 1 - confidence))


def upper_bound(successes: int, n: int, confidence: float) -> float:
    """The rate in [0, 1] that the true one lies below with `confidence`; 1 where every trial succeeded."""
    check_counts(successes, n)
    check_confidence(confidence)
    if successes == n:
        return 1.0
    from scipy.special import betaincinv

    return float(betaincinv(successes + 1, n - successes, confidence))


def further_successes(successes: int, n: int, rate: float, confidence: float) -> int | None:
    """How many more trials, all of them successes, lift the lower bound above `rate`; 0 if it is there, None if none can."""
    return smallest(lambda more: lower_bound(successes + more, n + more, confidence) > rate)


def further_failures(successes: int, n: int, rate: float, confidence: float) -> int | None:
    """How many more trials, none of them a success, press the upper bound below `rate`; None if none can."""
    return smallest(lambda more: upper_bound(successes, n + more, confidence) < rate)


def trials_at_rate(successes: int, n: int, rate: float, confidence: float) -> int | None:
    """About how many more trials bring the lower bound above `rate` if they go as the first `n`; None if they never will."""
    if n == 0:
        return None
    share = successes / n
    return smallest(lambda more: lower_bound(int(share * (n + more)), n + more, confidence) > rate)


def smallest(decides: Callable[[int], bool]) -> int | None:
    """The smallest count that decides, where every larger one does too: doubled until one does, then halved; None for none."""
    if decides(0):
        return 0
    high = 1
    while not decides(high):
        high *= 2
        if high > MOST_TRIALS:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high
