"""Time between breakdowns and breakdowns a day, with exact bounds.

Breakdowns are taken as a Poisson process: one does not make the next likelier, and the rate does not change with age. The run
is ended by time, not by a breakdown (Epstein and Sobel, Annals of Mathematical Statistics 25, 1954; IEC 60605-4; Garwood,
Biometrika 28, 1936).
"""

from __future__ import annotations

import math

from console.fieldtest.criteria import Estimate
from console.fieldtest.refusing import check_confidence, check_count, check_positive

_HOURS_A_DAY = 24.0


def mtbf(hours: float, breakdowns: int, confidence: float) -> Estimate:
    """Mean time between breakdowns in h over `hours` of running, with one-sided chi-square bounds.

    Without a breakdown there is no upper bound (None), and the estimate is the one that is as often too high as too low
    (hours / ln 2). `n` counts whole hours. Raises ValueError for hours that are not above 0, and for counts that can't be.
    """
    check_positive("the hours of running", hours)
    upper_rate, lower_rate = _poisson_bounds(breakdowns, confidence)
    value = hours / breakdowns if breakdowns else hours / math.log(2)
    said = "" if breakdowns else ", the estimate without a breakdown is hours / ln 2"
    return Estimate(
        value=value,
        lower=hours / upper_rate,
        upper=hours / lower_rate if breakdowns else None,
        confidence=confidence,
        method=f"chi-square bounds{said}",
        unit="h",
        n=int(hours),
        of="hours",
    )


def rate_per_day(count: int, days: float, confidence: float) -> Estimate:
    """Events a day (`1/d`) from `count` of them in `days`, with exact one-sided Poisson bounds; the lower one is 0 for none.

    `n` counts whole hours. Raises ValueError for days that are not above 0, and for counts that can't be.
    """
    check_positive("the days of running", days)
    upper, lower = _poisson_bounds(count, confidence)
    return Estimate(
        value=count / days,
        lower=lower / days,
        upper=upper / days,
        confidence=confidence,
        method="exact Poisson bounds",
        unit="1/d",
        n=int(days * _HOURS_A_DAY),
        of="hours",
    )


def hours_needed(threshold_h: float, breakdowns: int, confidence: float) -> float:
    """How many hours of running with so many breakdowns show an MTBF above `threshold_h`: 71.9 h for 24 h, none, 95 %."""
    check_positive("the time between breakdowns", threshold_h)
    return threshold_h * _poisson_bounds(breakdowns, confidence)[0]


def _poisson_bounds(count: int, confidence: float) -> tuple[float, float]:
    """Upper and lower one-sided bounds of a Poisson mean of which `count` were seen."""
    check_count("the number of events", count)
    check_confidence(confidence)
    from scipy.special import gammaincinv

    upper = float(gammaincinv(count + 1, confidence))
    return upper, float(gammaincinv(count, 1 - confidence)) if count else 0.0
