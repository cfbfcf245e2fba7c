"""Counts per time of running: exact intervals, and whether two rates differ by more than chance."""

from __future__ import annotations

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """`count` in `amount` (hours, or thousands of frames), with the exact two-sided interval of its rate."""

    count: int
    amount: float
    lower: float
    upper: float

    @property
    def per_unit(self) -> float:
        """The rate as it was."""
        return self.count / self.amount


def rate(count: int, amount: float, confidence: float = 0.95) -> Rate | None:
    """The rate of a Poisson count (Garwood, Biometrika 28, 1936); None where there was no time in which to count."""
    if amount <= 0:
        return None
    from scipy.stats import chi2

    tail = (1 - confidence) / 2
    lower = float(chi2.ppf(tail, 2 * count)) / 2 if count else 0.0
    upper = float(chi2.ppf(1 - tail, 2 * count + 2)) / 2
    return Rate(count, amount, lower / amount, upper / amount)


def chance_of_difference(count: int, amount: float, rest: int, rest_amount: float) -> float | None:
    """Two-sided p-value that both have one rate; None where one of the amounts is zero or nothing was counted.

    Exact, given the sum: the count is binomial with the share of the time (Przyborowski and Wilenski, Biometrika 31, 1940).
    """
    if amount <= 0 or rest_amount <= 0 or count + rest == 0:
        return None
    from scipy.stats import binomtest

    return float(binomtest(count, count + rest, amount / (amount + rest_amount)).pvalue)


def chance_of_shares(failures: int, lines: int, rest: int, rest_lines: int) -> float | None:
    """Two-sided p-value that both have one share of failures (Fisher's exact test); None where nothing can differ."""
    if not lines or not rest_lines or not failures + rest:
        return None
    from scipy.stats import fisher_exact

    return float(fisher_exact([[failures, lines - failures], [rest, rest_lines - rest]]).pvalue)
