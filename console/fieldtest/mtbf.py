"""Time between breakdowns and breakdowns a day, with exact bounds.

Breakdowns are taken as a Poisson process: one does not make the next likelier, and the rate does not change with age. The run
is ended by time, not by a breakdown (Epstein and Sobel, Annals of Mathematical Statistics 25, 1954; IEC 60605-4; Garwood,
Biometrika 28, 1936).
"""

from __future__ import annotations

import math

from console.fieldtest.criteria import Estimate
from console.fieldtest.refusing import check_confidence, check_count, check_positive

HOURS = "hours"
"""What an estimate that counts events over time is computed from."""
_HOURS_A_DAY = 24.0


def mtbf(hours: float, breakdowns: int, confidence: float) -> Estimate:
    """Mean time between breakdowns in h over `hours` of running, with one-sided chi-square bounds.

    Without a breakdown there is no upper bound (None), and `value` is the one that is as often too high as too low
    (hours / ln 2); it is not shown to people (`mtbf_words`). `n` counts whole hours. Raises ValueError for hours that are not
    above 0, and for counts that can't be.
    """
    check_positive("the hours of running", hours)
    upper_rate, lower_rate = _poisson_bounds(breakdowns, confidence)
    value = hours / breakdowns if breakdowns else hours / math.log(2)
    return Estimate(
        value=value,
        lower=hours / upper_rate,
        upper=hours / lower_rate if breakdowns else None,
        confidence=confidence,
        method="chi-square bounds",
        unit="h",
        n=int(hours),
        of=HOURS,
    )


def is_clean(estimate: Estimate) -> bool:
    """Whether it is a time between breakdowns of a run without one: then it has a lower bound only, and no number is shown."""
    return estimate.unit == "h" and estimate.of == HOURS and estimate.upper is None


def clean_hours(estimate: Estimate) -> float:
    """The hours of running that a clean estimate was made of."""
    return estimate.value * math.log(2)


def mtbf_words(estimate: Estimate) -> str:
    """`2.65 h; above 1.03 h, below 9.74 h, each at 95 %`; `no breakdown in 8 h; above 2.67 h at 95 %`."""
    at = f"at {100 * estimate.confidence:g} %"
    lower = f"above {digits_words(estimate.lower or 0.0)} h"
    if is_clean(estimate):
        return f"no breakdown in {digits_words(clean_hours(estimate))} h; {lower} {at}"
    return f"{digits_words(estimate.value)} h; {lower}, below {digits_words(estimate.upper or 0.0)} h, each {at}"


def a_day_words(estimate: Estimate) -> str:
    """`3.01 a day; above 0.82, below 7.8 a day, each at 95 %`."""
    bounds = f"above {digits_words(estimate.lower or 0.0)}, below {digits_words(estimate.upper or 0.0)} a day"
    return f"{digits_words(estimate.value)} a day; {bounds}, each at {100 * estimate.confidence:g} %"


def digits_words(value: float) -> str:
    """Three digits that count, never as a power of ten: `0.0223`, `2.65`, `8,274`."""
    return f"{value:,.0f}" if abs(value) >= 100 or value == 0 else f"{value:.3g}"


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
        of=HOURS,
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
