"""How many trials to plan: too few, and weeks in the field end with `not yet decided`."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from console.fieldtest import binomial
from console.fieldtest.planning import plan, planned_n, power_of

# A'Hern, Statistics in Medicine 20 (2001), 859-866: smallest exact single-stage designs at alpha 5 %, power 80 % and 90 %.
SMALLEST = [
    (0.05, 0.20, 27, 38),
    (0.10, 0.30, 25, 33),
    (0.20, 0.40, 35, 47),
    (0.30, 0.50, 39, 53),
    (0.40, 0.60, 42, 56),
]


@pytest.mark.parametrize(("threshold", "expected", "at_80", "at_90"), SMALLEST)
def test_the_smallest_designs_are_the_published_ones(threshold: float, expected: float, at_80: int, at_90: int) -> None:
    assert plan(threshold, expected, 0.8, 0.95).first_n == at_80
    assert plan(threshold, expected, 0.9, 0.95).first_n == at_90


def test_the_plan_holds_from_there_on_although_the_power_is_a_saw_tooth() -> None:
    """85 % against a hoped-for 95 %: 59 trials have a power of 80 %, 67 do not, from 68 on all do."""
    found = plan(0.85, 0.95, 0.8, 0.95)
    powers = {n: power_of(n, 0.85, 0.95, 0.95) for n in range(1, 400)}
    assert (found.n, found.first_n, found.passes_at) == (68, 59, 63)
    assert powers[found.first_n] >= 0.8
    assert all(powers[n] < 0.8 for n in range(1, found.first_n))
    assert powers[found.n - 1] < 0.8
    assert all(powers[n] >= 0.8 for n in range(found.n, 400))
    assert found.power == powers[found.n]
    assert planned_n(0.85, 0.95, 0.8, 0.95) == found.n


@settings(max_examples=60)
@given(st.integers(1, 150), st.sampled_from([0.3, 0.7, 0.95]), st.floats(0.01, 0.99), st.sampled_from([0.9, 0.95]))
def test_the_power_is_the_chance_that_the_bound_passes(n: int, threshold: float, expected: float, sure: float) -> None:
    """By the rule that the verdict itself uses, over all outcomes."""
    passed = [k for k in range(n + 1) if binomial.lower_bound(k, n, sure) > threshold]
    assert power_of(n, threshold, expected, sure) == pytest.approx(sum(binom.pmf(passed, n, expected)), abs=1e-12)


def test_a_rate_that_must_stay_below_is_planned_from_the_other_side() -> None:
    """No crash in 299 runs shows less than 1 %; 298 do not."""
    assert power_of(299, 0.01, 1e-9, 0.95, "<") == pytest.approx(1)
    assert power_of(298, 0.01, 1e-9, 0.95, "<") == 0
    assert power_of(50, 0.3, 0.1, 0.95, "<=") == pytest.approx(power_of(50, 0.7, 0.9, 0.95, ">="))
    found = plan(0.01, 0.001, 0.8, 0.95, "<")
    assert binomial.upper_bound(found.passes_at, found.n, 0.95) < 0.01
    assert binomial.upper_bound(found.passes_at + 1, found.n, 0.95) >= 0.01


@given(st.floats(0.05, 0.80), st.floats(0.05, 0.14))
def test_a_better_robot_needs_fewer_trials(threshold: float, margin: float) -> None:
    assert planned_n(threshold, threshold + margin, 0.8, 0.95) >= planned_n(
        threshold, threshold + margin + 0.05, 0.8, 0.95
    )


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ((0.85, 0.85, 0.8, 0.95, ">="), "not above"),
        ((0.85, 0.90, 0.8, 0.95, "<"), "not below"),
        ((0.85, 0.8501, 0.8, 0.95, ">="), "more than"),
        ((85, 0.95, 0.8, 0.95, ">="), "threshold"),
        ((0.85, 95, 0.8, 0.95, ">="), "expected"),
        ((math.nan, 0.95, 0.8, 0.95, ">="), "threshold"),
        ((0.85, math.inf, 0.8, 0.95, ">="), "expected"),
        ((0.85, 0.95, 0.5, 0.95, ">="), "power"),
        ((0.85, 0.95, math.nan, 0.95, ">="), "power"),
        ((0.85, 0.95, 0.8, 0.5, ">="), "confidence"),
        ((0.85, 0.95, 0.8, 0.95, "=="), "equal"),
    ],
)
def test_a_plan_that_can_not_be_is_refused_in_words(asked: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        planned_n(*asked)


@pytest.mark.parametrize("n", [0, -3, 2.5, math.nan, math.inf])
def test_the_power_of_no_trials_is_refused(n: Any) -> None:
    with pytest.raises(ValueError, match="number of trials"):
        power_of(n, 0.85, 0.95, 0.95)
