"""Bounds that a gate opens on: a wrong one lets a bad robot pass, or keeps a good one at home."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.fieldtest import binomial, quantiles
from remote.histogram import RELATIVE_ERROR, Histogram

# With 95 % confidence (one-sided, exact) a rate above the first number needs the second of the third.
NEEDED = [
    (0.30, 4, 5),
    (0.30, 6, 10),
    (0.30, 10, 20),
    (0.70, 10, 10),
    (0.70, 18, 20),
    (0.70, 26, 30),
    (0.70, 41, 50),
    (0.80, 15, 15),
    (0.80, 28, 30),
    (0.80, 45, 50),
    (0.85, 20, 20),
    (0.85, 29, 30),
    (0.95, 59, 59),
    (0.95, 92, 93),
    (0.95, 122, 124),
]


@pytest.mark.parametrize(("rate", "successes", "n"), NEEDED)
def test_a_rate_is_shown_with_exactly_so_many_successes_and_not_with_one_less(
    rate: float, successes: int, n: int
) -> None:
    assert binomial.lower_bound(successes, n, 0.95) > rate
    assert binomial.lower_bound(successes - 1, n, 0.95) <= rate


def test_two_of_five_proves_hardly_anything() -> None:
    assert binomial.lower_bound(2, 5, 0.95) == pytest.approx(0.0764, abs=5e-5)


def test_no_crash_in_299_runs_shows_less_than_one_per_cent_and_298_do_not() -> None:
    assert binomial.upper_bound(0, 299, 0.95) < 0.01 <= binomial.upper_bound(0, 298, 0.95)


@given(st.integers(1, 300), st.data(), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_bounds_are_those_of_the_binomial_tail(n: int, data: st.DataObject, confidence: float) -> None:
    """The definition: at the bound, what was seen or more of it has just the probability 1 - confidence."""
    from scipy.stats import binom

    k = data.draw(st.integers(0, n))
    low, high = binomial.lower_bound(k, n, confidence), binomial.upper_bound(k, n, confidence)
    assert 0 <= low <= k / n <= high <= 1
    if k:
        assert binom.sf(k - 1, n, low) == pytest.approx(1 - confidence, rel=1e-6)
    if k < n:
        assert binom.cdf(k, n, high) == pytest.approx(1 - confidence, rel=1e-6)


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(k: int, n: int) -> None:
    for bound in (binomial.lower_bound, binomial.upper_bound):
        with pytest.raises(ValueError, match="can't be"):
            bound(k, n, 0.95)


@pytest.mark.parametrize("confidence", [0.0, 0.5, 1.0, math.nan])
def test_a_confidence_that_proves_nothing_or_everything_is_refused(confidence: float) -> None:
    """At 1 every bound would be 0 or 1, at 0.5 it would be a coin's toss: a pack that says so is wrong."""
    for bound in (binomial.lower_bound, binomial.upper_bound):
        assert 0 < bound(1, 2, 0.501) < 1
        with pytest.raises(ValueError, match="confidence"):
            bound(1, 2, confidence)


def test_a_bound_at_the_very_limit_still_wants_one_more_trial() -> None:
    """`> 30 %` is not shown by a bound of 30 %: said to be decided, the gate would stay shut and nobody would know why."""
    low, high = binomial.lower_bound(4, 5, 0.95), binomial.upper_bound(1, 5, 0.95)
    assert binomial.further_successes(4, 5, low, 0.95) == 1
    assert binomial.further_failures(1, 5, high, 0.95) == 1
    steady = binomial.trials_at_rate(4, 5, low, 0.95)
    assert steady is not None
    assert steady > 0


@pytest.mark.parametrize(("trials", "known"), [(600_000, True), (binomial.MOST_TRIALS - 1, True), (1_100_000, False)])
def test_more_trials_than_anybody_runs_are_no_advice(trials: int, known: bool) -> None:
    """`trials` without a single success show a rate below 1 - 0.05 ** (1 / trials)."""
    needed = binomial.further_failures(0, 1, 1 - 0.05 ** (1 / trials), 0.95)
    assert (needed is not None) == known
    assert needed is None or needed == pytest.approx(trials - 1, abs=2)


@given(st.integers(1, 40), st.data(), st.sampled_from([0.1, 0.3, 0.7, 0.95]))
def test_further_trials_decide_and_one_less_does_not(n: int, data: st.DataObject, rate: float) -> None:
    k = data.draw(st.integers(0, n))
    up = binomial.further_successes(k, n, rate, 0.95)
    assert up is not None
    assert binomial.lower_bound(k + up, n + up, 0.95) > rate
    assert up == 0 or binomial.lower_bound(k + up - 1, n + up - 1, 0.95) <= rate
    down = binomial.further_failures(k, n, rate, 0.95)
    assert down is not None
    assert binomial.upper_bound(k, n + down, 0.95) < rate
    assert down == 0 or binomial.upper_bound(k, n + down - 1, 0.95) >= rate


def test_what_can_never_be_shown_has_no_number_of_trials() -> None:
    assert binomial.further_successes(1, 2, 1.0, 0.95) is None
    assert binomial.further_failures(1, 2, 0.0, 0.95) is None
    assert binomial.trials_at_rate(1, 5, 0.3, 0.95) is None
    assert binomial.trials_at_rate(0, 0, 0.3, 0.95) is None


def test_trials_at_the_present_rate_would_decide() -> None:
    more = binomial.trials_at_rate(2, 5, 0.3, 0.95)
    assert more is not None
    n = 5 + more
    assert binomial.lower_bound(int(0.4 * n), n, 0.95) > 0.3


# ------------------------------------------------------------ percentiles


def test_the_largest_covers_p99_from_299_readings_on() -> None:
    assert quantiles.upper_rank(0.99, 299, 0.95) == 299
    assert quantiles.upper_rank(0.99, 298, 0.95) is None
    assert quantiles.readings_needed(0.99, 0.95) == 299
    assert quantiles.readings_needed(0.95, 0.95) == 59


def test_a_rank_that_has_exactly_the_confidence_is_enough() -> None:
    """Of a fair coin's tails 3/4 and 13/16 are exact: one reading more would be asked for than the rule needs."""
    assert (quantiles.upper_rank(0.5, 2, 0.75), quantiles.lower_rank(0.5, 2, 0.75)) == (2, 1)
    assert (quantiles.upper_rank(0.5, 5, 0.8125), quantiles.lower_rank(0.5, 5, 0.8125)) == (4, 2)


def test_one_reading_bounds_what_it_can() -> None:
    """A single reading lies above the 5 % quantile 19 times in 20, and below it hardly ever."""
    assert (quantiles.upper_rank(0.05, 1, 0.9), quantiles.lower_rank(0.05, 1, 0.9)) == (1, None)
    assert (quantiles.upper_rank(0.95, 1, 0.9), quantiles.lower_rank(0.95, 1, 0.9)) == (None, 1)


@pytest.mark.parametrize("q", [0.0, 1.0])
def test_no_number_of_readings_bounds_an_extreme(q: float) -> None:
    with pytest.raises(ValueError, match="quantile"):
        quantiles.readings_needed(q, 0.95)


@given(st.integers(1, 3000), st.sampled_from([0.5, 0.95, 0.99]), st.sampled_from([0.9, 0.95, 0.99]))
def test_ranks_are_the_nearest_that_hold_the_confidence(n: int, q: float, confidence: float) -> None:
    from scipy.stats import binom

    up, low = quantiles.upper_rank(q, n, confidence), quantiles.lower_rank(q, n, confidence)
    if up is None:
        assert binom.cdf(n - 1, n, q) < confidence
    else:
        assert binom.cdf(up - 1, n, q) >= confidence - 1e-12
        assert up == 1 or binom.cdf(up - 2, n, q) < confidence + 1e-12
    if low is None:
        assert binom.sf(0, n, q) < confidence
    else:
        assert binom.sf(low - 1, n, q) >= confidence - 1e-12
        assert low == n or binom.sf(low, n, q) < confidence + 1e-12


def test_bounds_of_nothing_are_none() -> None:
    assert quantiles.upper_bound(Histogram(), 0.5, 0.95) is None
    assert quantiles.lower_bound(Histogram(), 0.5, 0.95) is None


@settings(max_examples=50)
@given(st.lists(st.floats(0.1, 1000), min_size=60, max_size=400), st.sampled_from([0.5, 0.95]))
def test_a_histograms_bound_errs_on_the_safe_side_by_its_rounding_at_most(values: list[float], q: float) -> None:
    histogram, ordered = Histogram.of(values), sorted(values)
    up, rank = quantiles.upper_bound(histogram, q, 0.95), quantiles.upper_rank(q, len(values), 0.95)
    assert up is not None
    assert rank is not None
    assert ordered[rank - 1] <= up * (1 + 1e-9)
    assert up <= ordered[rank - 1] * (1 + 3 * RELATIVE_ERROR)
    low, rank = quantiles.lower_bound(histogram, q, 0.95), quantiles.lower_rank(q, len(values), 0.95)
    assert low is not None
    assert rank is not None
    assert ordered[rank - 1] >= low * (1 - 1e-9)
    assert low >= ordered[rank - 1] * (1 - 3 * RELATIVE_ERROR)


def test_the_bounds_cover_as_often_as_they_say() -> None:
    """Simulated: the true p95 lies below the upper bound in at least 95 % of 2,000 samples, within Monte Carlo error."""
    rng, true = random.Random(7), -math.log(0.05)
    covered = 0
    for _ in range(2000):
        bound = quantiles.upper_bound(Histogram.of(rng.expovariate(1) for _ in range(120)), 0.95, 0.95)
        covered += bound is not None and bound >= true
    assert covered / 2000 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 2000)
