"""Two models on the same task: is one better, and by how much?"""

from __future__ import annotations

import msgspec

from console.fieldtest.criteria import Rate
from console.fieldtest.refusing import check_confidence, check_counts
from console.fieldtest.transfer import difference

MOST_TABLES = 40_000
"""Up to so many pairs of counts Boschloo's test is worked out (a fifth of a second); beyond, Fisher's."""


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Two rates side by side.

    `difference`, `lower`, `upper`: rate a - rate b in percentage points and its two-sided interval at `confidence` (Newcombe
    1998). `p_value`: two-sided, of no difference at all, by `method`. `words` says it in one line.
    """

    a: Rate
    b: Rate
    difference: float
    lower: float
    upper: float
    confidence: float
    p_value: float
    method: str
    words: str


def compare_rates(a: Rate, b: Rate, confidence: float = 0.95) -> Compared:
    """Compare two independent rates; raises ValueError for counts that can't be.

    Trials that both models did on the same objects are not independent: compare those pairwise.
    """
    check_counts(a.successes, a.n)
    check_counts(b.successes, b.n)
    check_confidence(confidence)
    value, lower, upper = difference(a, b, confidence)
    p_value, method = exact_p(a, b)
    shown = p_value <= 1 - confidence
    side = "better" if value > 0 else "worse"
    verdict = f"the first is {side}" if shown else "no difference is shown"
    words = (
        f"{a.successes} of {a.n} against {b.successes} of {b.n}: {100 * value:+.1f} points "
        f"[{100 * lower:+.1f}, {100 * upper:+.1f}], p {p_value:.2g} ({method}): {verdict}"
    )
    return Compared(
        a=a,
        b=b,
        difference=100 * value,
        lower=100 * lower,
        upper=100 * upper,
        confidence=confidence,
        p_value=p_value,
        method=method,
        words=words,
    )


def exact_p(a: Rate, b: Rate) -> tuple[float, str]:
    """The two-sided p-value of equal rates and the name of the test.

    Boschloo's exact test (Statistica Neerlandica 24, 1970), which finds more than Fisher's and never errs more often than it
    says; Fisher's where the counts are too many for it (there the two hardly differ).
    """
    table = [[a.successes, b.successes], [a.n - a.successes, b.n - b.successes]]
    if sum(table[0]) in (0, a.n + b.n):
        return 1.0, "Boschloo's exact test"
    from scipy.stats import boschloo_exact, fisher_exact

    if (a.n + 1) * (b.n + 1) <= MOST_TABLES:
        return min(1.0, float(boschloo_exact(table).pvalue)), "Boschloo's exact test"
    return float(fisher_exact(table).pvalue), "Fisher's exact test, too many trials for Boschloo's"
