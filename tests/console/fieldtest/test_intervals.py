"""Intervals beside every rate: a wrong one makes people believe, or doubt, without reason."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from console.fieldtest.criteria import Rate
from console.fieldtest.intervals import exact, wilson
from console.fieldtest.transfer import difference

# Newcombe, Statistics in Medicine 17 (1998), 857-872, table I: Wilson's and Clopper and Pearson's 95 % intervals.
ONE_RATE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]
# Newcombe, Statistics in Medicine 17 (1998), 873-890, table II, method 10.
TWO_RATES = [
    ((56, 70), (48, 80), 0.0524, 0.3339),
    ((9, 10), (3, 10), 0.1705, 0.8090),
    ((6, 7), (2, 7), 0.0582, 0.8062),
    ((5, 56), (0, 29), -0.0381, 0.1926),
    ((0, 10), (0, 20), -0.1611, 0.2775),
    ((10, 10), (0, 20), 0.6791, 1.0),
    ((10, 10), (0, 10), 0.6075, 1.0),
]


@pytest.mark.parametrize(("k", "n", "score", "sure"), ONE_RATE)
def test_the_intervals_are_the_published_ones(
    k: int, n: int, score: tuple[float, ...], sure: tuple[float, ...]
) -> None:
    assert wilson(k, n, 0.95) == pytest.approx(score, abs=5e-5)
    assert exact(k, n, 0.95) == pytest.approx(sure, abs=5e-5)


@pytest.mark.parametrize(("a", "b", "lower", "upper"), TWO_RATES)
def test_the_difference_is_the_published_one(a: Any, b: Any, lower: float, upper: float) -> None:
    assert difference(Rate(*a), Rate(*b), 0.95)[1:] == pytest.approx((lower, upper), abs=5e-5)


@given(st.integers(1, 400), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_an_interval_holds_its_estimate_is_symmetric_and_grows_with_confidence(
    n: int, data: st.DataObject, confidence: float
) -> None:
    k = data.draw(st.integers(0, n))
    for interval in (wilson, exact):
        lower, upper = interval(k, n, confidence)
        assert 0 <= lower <= k / n <= upper <= 1
        assert interval(n - k, n, confidence) == pytest.approx((1 - upper, 1 - lower), abs=1e-12)
        wider = interval(k, n, (1 + confidence) / 2)
        assert wider[0] <= lower
        assert wider[1] >= upper
        assert lower < interval(k + 1, n + 1, confidence)[1]


@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.93])
def test_exact_covers_at_least_and_wilson_about_what_they_say(share: float) -> None:
    """Summed over all outcomes of 60 trials: no simulation, so no Monte Carlo error."""
    chances = binom.pmf(np.arange(61), 60, share)
    covered = {
        interval: sum(p for k, p in enumerate(chances) if interval(k, 60, 0.95)[0] <= share <= interval(k, 60, 0.95)[1])
        for interval in (exact, wilson)
    }
    assert covered[exact] >= 0.95
    assert covered[wilson] >= 0.91


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, 0), (math.nan, 5), (1, math.nan), (1, math.inf), (0.5, 2)])
def test_what_can_not_have_been_counted_is_refused(k: Any, n: Any) -> None:
    for interval in (wilson, exact):
        with pytest.raises(ValueError, match="can't be"):
            interval(k, n, 0.95)


@pytest.mark.parametrize("confidence", [0.0, 0.5, 1.0, math.nan, math.inf])
def test_a_confidence_that_says_nothing_is_refused(confidence: float) -> None:
    for interval in (wilson, exact):
        with pytest.raises(ValueError, match="confidence"):
            interval(1, 2, confidence)
