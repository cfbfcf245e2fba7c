"""Two-sided intervals of a rate, for showing. Gates judge by the one-sided bounds of console.fieldtest.binomial."""

from __future__ import annotations

import math

from console.fieldtest import binomial
from console.fieldtest.refusing import check_confidence, check_counts


def wilson(successes: int, n: int, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a rate in [0, 1] (Journal of the American Statistical Association 22, 1927).

    It covers about `confidence` on the average and never leaves [0, 1]; use it for plots and tables. Raises ValueError for
    counts that can't be.
    """
    check_counts(successes, n)
    check_confidence(confidence)
    from scipy.special import ndtri

    z2 = float(ndtri((1 + confidence) / 2)) ** 2
    share = successes / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * share * (1 - share) / n + (z2 / (2 * n)) ** 2) / (1 + z2 / n)
    lower = 0.0 if successes == 0 else max(0.0, centre - half)
    return lower, 1.0 if successes == n else min(1.0, centre + half)


def exact(successes: int, n: int, confidence: float) -> tuple[float, float]:
    """Clopper and Pearson's interval of a rate in [0, 1]: it covers at least `confidence`, whatever the rate is."""
    check_confidence(confidence)
    one_sided = (1 + confidence) / 2
    return binomial.lower_bound(successes, n, one_sided), binomial.upper_bound(successes, n, one_sided)
