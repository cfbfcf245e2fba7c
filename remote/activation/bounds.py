"""Exact bounds of shares and quantiles, without scipy: the robot has none.

Clopper and Pearson, Biometrika 26 (1934), for shares; order statistics (David and Nagaraja, Order Statistics, 7.1) for
quantiles. The binomial distribution is taken through the incomplete beta function by its continued fraction (Numerical
Recipes, 6.4), good to about 1e-12.
"""

from __future__ import annotations

import math
from collections.abc import Callable

_STEPS = 500
_TINY = 1e-300
_HALVINGS = 60


def at_most(k: int, n: int, p: float) -> float:
    """Probability of at most `k` successes in `n` tries that each succeed with `p`."""
    if k < 0:
        return 0.0
    if k >= n or p <= 0:
        return 1.0
    if p >= 1:
        return 0.0
    return _incomplete_beta(n - k, k + 1, 1 - p)


def upper_share(k: int, n: int, alpha: float) -> float:
    """The share may be this large: a larger one would show `k` or fewer of `n` with less than `alpha`."""
    if k >= n:
        return 1.0
    low, high = k / n, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if at_most(k, n, middle) > alpha else (low, middle)
    return high


def lower_share(k: int, n: int, alpha: float) -> float:
    """The share may be this small: a smaller one would show `k` or more of `n` with less than `alpha`."""
    return 1 - upper_share(n - k, n, alpha)


def upper_rank(n: int, q: float, alpha: float) -> int | None:
    """The rank (from 1) among `n` sorted values that the q-quantile exceeds with at most `alpha`; None: n is too small."""
    if at_most(n - 1, n, q) < 1 - alpha:
        return None
    return _first(n, lambda rank: at_most(rank - 1, n, q) >= 1 - alpha)


def lower_rank(n: int, q: float, alpha: float) -> int | None:
    """The highest rank whose value exceeds the q-quantile with at most `alpha`; None: n is too small."""
    return _first(n + 1, lambda rank: at_most(rank - 1, n, q) > alpha) - 1 or None


def _first(most: int, holds: Callable[[int], bool]) -> int:
    """The smallest of 1..most for which it holds; it holds for all after it, and for `most`."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def _incomplete_beta(a: float, b: float, x: float) -> float:
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):
        return math.exp(front) * _fraction(a, b, x) / a
    return 1 - math.exp(front) * _fraction(b, a, 1 - x) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction by Lentz's method."""
    c, d = 1.0, 1 / _off_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        for factor in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / _off_zero(1 + factor * d)
            c = _off_zero(1 + factor / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _off_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
