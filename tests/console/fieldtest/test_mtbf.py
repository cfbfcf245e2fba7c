"""Time between breakdowns: a quiet afternoon must not read as a robot that runs for weeks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, poisson

from console.fieldtest.mtbf import a_day_words, hours_needed, mtbf, mtbf_words, rate_per_day


def test_a_clean_run_shows_what_it_shows_and_no_more() -> None:
    assert hours_needed(24, 0, 0.90) == pytest.approx(55.3, abs=0.05)
    assert hours_needed(24, 0, 0.95) == pytest.approx(71.9, abs=0.05)
    assert mtbf(8, 0, 0.95).lower == pytest.approx(2.7, abs=0.05)


@pytest.mark.parametrize(("hours", "shown"), [(71.89, False), (71.90, True)])
def test_at_the_needed_hours_the_bound_crosses(hours: float, shown: bool) -> None:
    lower = mtbf(hours, 0, 0.95).lower
    assert lower is not None
    assert (lower > 24) == shown


# Garwood, Biometrika 28 (1936): 95 % two-sided limits of a Poisson count, so 97.5 % each.
@pytest.mark.parametrize(
    ("count", "lower", "upper"), [(0, 0, 3.689), (1, 0.0253, 5.572), (5, 1.623, 11.668), (10, 4.795, 18.390)]
)
def test_the_bounds_of_a_count_are_the_published_ones(count: int, lower: float, upper: float) -> None:
    daily = rate_per_day(count, 1, 0.975)
    assert (daily.lower, daily.upper) == pytest.approx((lower, upper), abs=6e-4)


def test_time_between_breakdowns_has_the_chi_square_bounds_of_a_run_ended_by_time() -> None:
    found = mtbf(100, 4, 0.9)
    assert found.value == 25
    assert found.lower == pytest.approx(200 / chi2.ppf(0.9, 10))
    assert found.upper == pytest.approx(200 / chi2.ppf(0.1, 8))
    assert (found.unit, found.n, found.of, found.confidence) == ("h", 100, "hours", 0.9)


def test_without_a_breakdown_there_is_an_estimate_and_no_upper_bound() -> None:
    """The value is the one that is as often too high as too low; nobody is shown it as if it were measured."""
    found = mtbf(8, 0, 0.95)
    assert found.upper is None
    assert found.value == pytest.approx(8 / math.log(2))
    assert poisson.pmf(0, 8 / found.value) == pytest.approx(0.5)
    assert mtbf_words(found) == "no breakdown in 8 h; above 2.67 h at 95 %"
    assert mtbf_words(mtbf(8, 1, 0.95)) == "8 h; above 1.69 h, below 156 h, each at 95 %"
    assert mtbf_words(mtbf(0.0667, 0, 0.95)) == "no breakdown in 0.0667 h; above 0.0223 h at 95 %"


def test_a_rate_a_day_of_a_short_run_is_no_power_of_ten() -> None:
    assert a_day_words(rate_per_day(0, 0.0028, 0.95)) == "0 a day; above 0, below 1,070 a day, each at 95 %"


@given(st.floats(0.1, 1e5), st.integers(0, 200), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_bounds_hold_the_estimate_and_move_the_right_way(hours: float, count: int, confidence: float) -> None:
    found, daily = mtbf(hours, count, confidence), rate_per_day(count, hours / 24, confidence)
    assert found.lower is not None
    assert daily.lower is not None
    assert daily.upper is not None
    assert found.lower < found.value
    assert found.upper is None or found.upper > found.value
    assert daily.lower <= daily.value < daily.upper
    assert daily.upper == pytest.approx(24 / found.lower)
    more = mtbf(hours, count + 1, confidence).lower
    longer = mtbf(2 * hours, count, confidence).lower
    assert more is not None
    assert longer is not None
    assert more < found.lower < longer


def test_the_bounds_cover_as_often_as_they_say() -> None:
    """20,000 runs of 72 h with a true MTBF of 24 h."""
    counts = np.random.default_rng(5).poisson(3, 20_000)
    lower = {int(count): mtbf(72, int(count), 0.95).lower for count in np.unique(counts)}
    covered = np.mean([(lower[int(count)] or 0) <= 24 for count in counts])
    assert covered >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 20_000)


@pytest.mark.parametrize("hours", [0, -1, math.nan, math.inf])
def test_no_time_says_nothing(hours: float) -> None:
    for asked in (
        lambda: mtbf(hours, 0, 0.95),
        lambda: rate_per_day(0, hours, 0.95),
        lambda: hours_needed(hours, 0, 0.95),
    ):
        with pytest.raises(ValueError, match="above 0"):
            asked()


@pytest.mark.parametrize("count", [-1, 0.5, math.nan, math.inf])
def test_events_that_can_not_have_been_counted_are_refused(count: Any) -> None:
    for asked in (mtbf, hours_needed):
        with pytest.raises(ValueError, match="whole number"):
            asked(8, count, 0.95)
    with pytest.raises(ValueError, match="whole number"):
        rate_per_day(count, 8, 0.95)
    with pytest.raises(ValueError, match="confidence"):
        mtbf(8, 0, 1.0)
