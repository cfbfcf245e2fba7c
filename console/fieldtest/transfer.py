"""How much of the success in simulation arrives in reality: the ratio and the difference of two rates, with bounds.

Ratio: score bounds (Koopman, Biometrics 40, 1984; Gart and Nam, Biometrics 44, 1988). Difference: Newcombe's hybrid of two
Wilson intervals (Statistics in Medicine 17, 1998, method 10).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from console.fieldtest.criteria import Estimate, Rate
from console.fieldtest.intervals import wilson
from console.fieldtest.refusing import check_confidence, check_counts

_TINY = 1e-12
_FARTHEST = 30.0
"""Bounds of a ratio are looked for between exp(-30) and exp(30)."""


def transfer_ratio(real: Rate, sim: Rate, confidence: float) -> Estimate:
    """Success rate in reality / success rate in simulation, with one-sided score bounds at `confidence`. `n`: real trials.

    The bound on each side is that of a two-sided interval at 2 x confidence - 1. Raises ValueError where nothing succeeded
    in simulation: a ratio to nothing is no number.
    """
    check_confidence(confidence)
    check_counts(real.successes, real.n)
    check_counts(sim.successes, sim.n)
    if sim.successes == 0:
        raise ValueError("nothing succeeded in simulation, so there is no ratio to it")
    lower, upper = ratio_bounds(real, sim, confidence)
    return Estimate(
        value=(real.successes / real.n) / (sim.successes / sim.n),
        lower=lower,
        upper=upper,
        confidence=confidence,
        method=f"Koopman's score bounds, {_counts(real, sim)}",
        n=real.n,
        of="trials",
    )


def success_drop(real: Rate, sim: Rate, confidence: float) -> Estimate:
    """Success rate in simulation - success rate in reality in percentage points, with one-sided bounds (Newcombe 1998).

    `n`: real trials. Raises ValueError for counts that can't be.
    """
    value, lower, upper = difference(sim, real, 2 * confidence - 1 if 0.5 < confidence < 1 else confidence)
    return Estimate(
        value=100 * value,
        lower=100 * lower,
        upper=100 * upper,
        confidence=confidence,
        method=f"Newcombe's hybrid score bounds, {_counts(real, sim)}",
        unit="%",
        n=real.n,
        of="trials",
    )


def difference(a: Rate, b: Rate, confidence: float) -> tuple[float, float, float]:
    """Rate a - rate b as a share, and its two-sided interval (value, lower, upper) by Newcombe's method 10.

    `confidence` in (0, 1) is that of both sides together.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not at {confidence!r}")
    check_counts(a.successes, a.n)
    check_counts(b.successes, b.n)
    p, q = a.successes / a.n, b.successes / b.n
    (low_p, high_p), (low_q, high_q) = wilson(a.successes, a.n, confidence), wilson(b.successes, b.n, confidence)
    lower = p - q - math.hypot(p - low_p, high_q - q)
    upper = p - q + math.hypot(high_p - p, q - low_q)
    return p - q, max(-1.0, lower), min(1.0, upper)


def ratio_bounds(a: Rate, b: Rate, confidence: float) -> tuple[float, float | None]:
    """One-sided score bounds of rate a / rate b; the upper one is None (unbounded) where b has no success."""
    from scipy.special import ndtri

    z = float(ndtri(confidence))
    lower = _root(lambda ratio: _score(a, b, ratio) - z) if a.successes else 0.0
    upper = _root(lambda ratio: _score(a, b, ratio) + z) if b.successes else None
    return lower, upper


def _score(a: Rate, b: Rate, ratio: float) -> float:
    """How many standard errors the seen rates lie above `ratio`; it falls as the ratio rises."""
    p, q = _likeliest(a, b, ratio)
    variance = p * (1 - p) / a.n + ratio * ratio * q * (1 - q) / b.n
    return (a.successes / a.n - ratio * b.successes / b.n) / math.sqrt(variance)


def _likeliest(a: Rate, b: Rate, ratio: float) -> tuple[float, float]:
    """The likeliest two rates whose ratio is `ratio`, kept off 0 and 1 so that their variance is one to divide by."""
    every = (a.n + b.n) * ratio
    middle = a.n * ratio + a.successes + b.n + b.successes * ratio
    root = math.sqrt(max(0.0, middle * middle - 4 * every * (a.successes + b.successes)))
    q = 2 * (a.successes + b.successes) / (middle + root)
    return _inside(ratio * q), _inside(q)


def _inside(share: float) -> float:
    return min(max(share, _TINY), 1 - _TINY)


def _root(falling: Callable[[float], float]) -> float:
    """Where a falling function of a ratio is 0, by halving the logarithm."""
    low, high = -_FARTHEST, _FARTHEST
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(math.exp(middle)) > 0 else (low, middle)
    return math.exp((low + high) / 2)


def _counts(real: Rate, sim: Rate) -> str:
    return f"{real.successes} of {real.n} real against {sim.successes} of {sim.n} simulated"
