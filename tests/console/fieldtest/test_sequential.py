"""A test that may be looked at after every trial: if it erred more often than it says, stopping early would be cheating."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from console.fieldtest.planning import fewest_that_pass
from console.fieldtest.sequential import SequentialTest, further_words
from console.fieldtest.stopping import chances, chances_of, further_trials, sequential_n, walls

NEVER = 10**9
ABOVE_30 = SequentialTest(0.30)


def test_looking_after_every_trial_makes_the_naive_rule_wrong_three_times_as_often_as_ours() -> None:
    """50 trials of a robot that is just not good enough (30 %), looked at from the fifth on: 15.7 % pass by the exact 5 %
    bound, at most 5 % by ours, and that after ten times as many looks too. Exact chances, nothing is simulated."""
    naive = fewest_that_pass(np.arange(1, 51), 0.30, 0.95)
    naive[:4] = NEVER
    assert chances(0.30, naive, np.full(50, -1)).passed[-1] == pytest.approx(0.157, abs=0.001)
    assert chances_of(ABOVE_30, 0.30, 50).passed[-1] == pytest.approx(0.022, abs=0.001)
    assert chances_of(ABOVE_30, 0.30, 500).passed[-1] == pytest.approx(0.029, abs=0.002)


@pytest.mark.parametrize("threshold", [0.01, 0.30, 0.85, 0.99])
@pytest.mark.parametrize("direction", [">", "<"])
def test_at_the_threshold_neither_verdict_comes_more_often_than_alpha(threshold: float, direction: Any) -> None:
    """1,000 looks; just off the threshold the wrong verdict is rarer still."""
    test = SequentialTest(threshold, 0.05, direction)
    found = chances_of(test, threshold, 1000)
    assert found.passed[-1] <= 0.05
    assert found.failed[-1] <= 0.05
    worse = threshold * 0.9 if direction == ">" else 1 - (1 - threshold) * 0.9
    assert chances_of(test, worse, 1000).passed[-1] <= found.passed[-1]


@pytest.mark.parametrize(("rate", "median"), [(0.76, 7), (0.60, 17), (0.50, 37)])
def test_a_good_robot_is_done_soon(rate: float, median: int) -> None:
    stopped = chances_of(ABOVE_30, rate, 200).stopped()
    assert int((stopped >= 0.5).argmax()) == median


@pytest.mark.parametrize(
    ("k", "n", "threshold"), [(0, 1, 0.3), (4, 5, 0.3), (10, 40, 0.3), (59, 60, 0.95), (3, 80, 0.01)]
)
def test_the_evidence_is_the_average_likelihood_ratio(k: int, n: int, threshold: float) -> None:
    """The definition, by numerical integration."""
    area, _ = quad(lambda q: (q / threshold) ** k * ((1 - q) / (1 - threshold)) ** (n - k), threshold, 1)
    assert SequentialTest(threshold).e_value(k, n) == pytest.approx(area / (1 - threshold), rel=1e-6)
    assert SequentialTest(threshold, direction="<").e_value_against(k, n) == SequentialTest(threshold).e_value(k, n)


def test_before_the_first_trial_nothing_is_known() -> None:
    assert ABOVE_30.e_value(0, 0) == pytest.approx(1)
    assert ABOVE_30.decided([]) is None
    assert ABOVE_30.bounds(0, 0) == ABOVE_30.running_bounds([]) == (0.0, 1.0)
    assert ABOVE_30.further(0, 0) is None
    with pytest.raises(ValueError, match="can't be"):
        ABOVE_30.e_value(1, 0)


def test_the_wall_is_at_one_over_alpha() -> None:
    """Against 30 % three successes of three are evidence of 13, four of four of 35: the first is no pass, the second is."""
    assert ABOVE_30.e_value(3, 3) == pytest.approx(13.1, abs=0.05)
    assert ABOVE_30.e_value(4, 4) == pytest.approx(35.2, abs=0.05)
    assert ABOVE_30.decided([True] * 3) is None
    assert ABOVE_30.decided_at([True] * 4) == ("pass", 4)


@settings(max_examples=60)
@given(
    st.lists(st.booleans(), min_size=1, max_size=60),
    st.lists(st.booleans(), max_size=10),
    st.sampled_from([0.1, 0.5, 0.9]),
)
def test_the_first_crossing_decides_and_nothing_after_it(
    outcomes: list[bool], later: list[bool], threshold: float
) -> None:
    test, mirror = SequentialTest(threshold), SequentialTest(1 - threshold, direction="<")
    hits, found = list(accumulate(outcomes)), test.decided_at(outcomes)
    crossed = [max(test.e_value(k, n), test.e_value_against(k, n)) >= 20 for n, k in enumerate(hits, 1)]
    assert (found.n if found else None) == (crossed.index(True) + 1 if True in crossed else None)
    if found:
        assert test.decided_at(outcomes + later) == found
    # A rate of successes that must lie above is a rate of mishaps that must lie below.
    assert mirror.decided_at([not one for one in outcomes]) == found


@settings(max_examples=60)
@given(st.lists(st.booleans(), min_size=1, max_size=80), st.sampled_from([0.3, 0.85]))
def test_the_band_that_is_shown_says_the_same_as_the_verdict(outcomes: list[bool], threshold: float) -> None:
    """A band above the limit beside `not yet decided` would be believed, and so would the opposite."""
    test = SequentialTest(threshold)
    lower, upper = test.running_bounds(outcomes)
    now = test.bounds(sum(outcomes), len(outcomes))
    assert 0 <= now[0] <= sum(outcomes) / len(outcomes) <= now[1] <= 1
    assert lower >= now[0] - 1e-9
    assert upper <= now[1] + 1e-9
    verdict = test.decided(outcomes)
    assert (lower > threshold or upper < threshold) == (verdict is not None)
    if verdict == "pass":
        assert lower > threshold


def test_the_band_holds_the_truth_at_all_looks() -> None:
    """2,000 robots, 150 looks each: each side leaves the true rate behind in 5 % of them at most."""
    rng, rate = np.random.default_rng(3), 0.8
    hits = (rng.random((2000, 150)) < rate).cumsum(axis=1)
    up, down = walls(SequentialTest(rate), 0, 150)
    for missed in ((hits >= up).any(axis=1).mean(), (hits <= down).any(axis=1).mean()):
        assert missed <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 2000)


@pytest.mark.parametrize(("k", "n", "threshold"), [(41, 43, 0.85), (5, 7, 0.5), (2, 9, 0.6)])
def test_about_so_many_more_trials_is_the_median_of_robots_like_this_one(k: int, n: int, threshold: float) -> None:
    test = SequentialTest(threshold)
    more = further_trials(test, k, n)
    assert more is not None
    assert test.further(k, n) == more
    up, down = walls(test, n, more)
    hits = k + (np.random.default_rng(1).random((4000, more)) < k / n).cumsum(axis=1)
    decided = ((hits >= up) | (hits <= down)).any(axis=1).mean()
    assert decided >= 0.5 - 3 * math.sqrt(0.25 / 4000)
    up, down = walls(test, n, more - 1)
    assert ((hits[:, :-1] >= up) | (hits[:, :-1] <= down)).any(axis=1).mean() <= 0.5 + 3 * math.sqrt(0.25 / 4000)


def test_what_is_decided_needs_no_more_and_what_sits_on_the_limit_never_ends() -> None:
    assert ABOVE_30.further(20, 20) == 0
    assert ABOVE_30.further(3, 10) is None
    assert ABOVE_30.mean_path(0, 0) is None
    assert further_words(12) == "not yet decided: about 12 more trials"
    assert further_words(1) == "not yet decided: about 1 more trial"
    assert further_words(None) == "not yet decided: no number of trials like these would"
    assert further_words(0) == "decided"


@pytest.mark.parametrize(("k", "n", "followed"), [(352, 400, True), (176, 200, False)])
def test_hundreds_of_more_trials_are_followed_and_thousands_are_told_by_the_mean(
    k: int, n: int, followed: bool
) -> None:
    """906 and 1,106 on the mean path: the key that logs a trial must not wait for the second."""
    test = SequentialTest(0.85)
    more, mean = test.further(k, n), test.mean_path(k, n)
    assert more is not None
    assert mean is not None
    assert (more < mean) == followed


@pytest.mark.parametrize("kind", [True, False])
def test_trials_in_a_row_decide_and_one_less_does_not(kind: bool) -> None:
    more = ABOVE_30.further_in_a_row(3, 7, kind)
    assert more is not None
    outcomes = [True, False, False, True, False, False, True]
    assert ABOVE_30.decided(outcomes + [kind] * (more - 1)) is None
    assert ABOVE_30.decided(outcomes + [kind] * more) == ("pass" if kind else "fail")


@pytest.mark.parametrize(("threshold", "expected", "comparison"), [(0.85, 0.95, ">="), (0.30, 0.10, "<")])
def test_a_planned_sequence_passes_as_often_as_wanted_and_one_trial_less_does_not(
    threshold: float, expected: float, comparison: Any
) -> None:
    n = sequential_n(threshold, expected, 0.8, 0.95, comparison)
    test = SequentialTest(threshold, 0.05, comparison[:1])
    passed = chances_of(test, expected, n).passed
    assert passed[-1] >= 0.8 > passed[-2]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((0.85, 0.85, 0.8, 0.95, ">="), "not above"),
        ((0.85, 0.90, 0.8, 0.95, "<"), "not below"),
        ((0.85, 0.851, 0.8, 0.95, ">="), "too near"),
        ((85, 0.95, 0.8, 0.95, ">="), "between 0 and 1"),
        ((0.85, math.nan, 0.8, 0.95, ">="), "between 0 and 1"),
        ((0.85, 0.95, 1.0, 0.95, ">="), "power"),
        ((0.85, 0.95, 0.8, 1.0, ">="), "confidence"),
        ((0.85, 0.95, 0.8, 0.95, "=="), "equal"),
    ],
)
def test_a_plan_that_can_not_be_is_refused_in_words(asked: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        sequential_n(*asked)


@pytest.mark.parametrize(
    ("given", "said"),
    [((0.0,), "threshold"), ((1.0,), "threshold"), ((math.nan,), "threshold"), ((85.0,), "threshold"),
     ((0.5, 0.0), "alpha"), ((0.5, 0.5), "alpha"), ((0.5, math.nan), "alpha"), ((0.5, 0.05, ">="), "direction")],
)  # fmt: skip
def test_a_test_that_can_not_be_is_refused_in_words(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SequentialTest(*given)


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (math.nan, 5), (2, math.inf), (0.5, 2)])
def test_counts_that_can_not_be_are_refused(k: Any, n: Any) -> None:
    for asked in (ABOVE_30.e_value, ABOVE_30.e_value_against, ABOVE_30.bounds, ABOVE_30.further, ABOVE_30.mean_path):
        with pytest.raises(ValueError, match="can't be"):
            asked(k, n)


def test_a_very_long_field_test_does_not_overflow() -> None:
    assert ABOVE_30.e_value(1_000_000, 1_000_000) > 1e300
    assert ABOVE_30.e_value(0, 1_000_000) == 0
    assert ABOVE_30.bounds(500_000, 1_000_000) == pytest.approx((0.5, 0.5), abs=0.005)
