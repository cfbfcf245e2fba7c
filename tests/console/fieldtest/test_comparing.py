"""Which model is better, and which condition is the bad one: chance must not be read as a finding."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from console.fieldtest.by_condition import groups_of, success_by
from console.fieldtest.comparing import compare_rates, exact_p
from console.fieldtest.criteria import Rate
from console.fieldtest.many import benjamini_hochberg, holm

# Benjamini and Hochberg (1995), the 15 p-values of their example: Holm's way keeps 3 at 5 %, theirs 4.
PUBLISHED = (
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0,
)  # fmt: skip


class Trial(NamedTuple):
    outcome: str
    conditions: dict[str, str]
    counts: bool = True


def test_seven_points_between_two_models_are_not_shown_by_a_hundred_trials_each() -> None:
    found = compare_rates(Rate(87, 100), Rate(80, 100))
    assert found.difference == pytest.approx(7)
    assert found.lower < 0 < found.upper
    assert found.p_value == pytest.approx(0.2118, abs=5e-4)
    assert "no difference is shown" in found.words
    assert "the first is better" in compare_rates(Rate(95, 100), Rate(80, 100)).words
    assert "the first is worse" in compare_rates(Rate(80, 100), Rate(95, 100)).words


def test_the_p_value_is_the_published_one() -> None:
    """scipy's own example (74 of 117 against 31 of 63): .0356 one-sided, so .0711 two-sided."""
    p_value, method = exact_p(Rate(74, 117), Rate(31, 63))
    assert p_value == pytest.approx(2 * 0.03556, abs=2e-4)
    assert "Boschloo" in method


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_two_equal_models_differ_in_five_of_a_hundred_comparisons_at_most(rate: float) -> None:
    """Over all outcomes of 10 and 12 trials."""
    first, second = binom.pmf(range(11), 10, rate), binom.pmf(range(13), 12, rate)
    assert sum(first[k] * second[m] for k, m in told_apart()) <= 0.05


@cache
def told_apart() -> list[tuple[int, int]]:
    """The outcomes at which a comparison at 5 % says that the models differ."""
    outcomes = [(k, m) for k in range(11) for m in range(13)]
    return [(k, m) for k, m in outcomes if exact_p(Rate(k, 10), Rate(m, 12))[0] <= 0.05]


@pytest.mark.parametrize(("n", "named"), [(199, "Boschloo's"), (200, "Fisher's")])
def test_where_the_counts_are_too_many_another_exact_test_is_taken_and_named(n: int, named: str) -> None:
    p_value, method = exact_p(Rate(int(n * 0.9), n), Rate(int(n * 0.75), n))
    assert p_value < 0.001
    assert method.startswith(named)


@settings(max_examples=25)
@given(st.integers(1, 25), st.integers(1, 25), st.data())
def test_a_comparison_is_the_same_from_both_sides(n: int, m: int, data: st.DataObject) -> None:
    a, b = Rate(data.draw(st.integers(0, n)), n), Rate(data.draw(st.integers(0, m)), m)
    one, other = compare_rates(a, b), compare_rates(b, a)
    assert one.difference == pytest.approx(-other.difference)
    assert (one.lower, one.upper) == pytest.approx((-other.upper, -other.lower))
    assert one.lower <= one.difference <= one.upper
    assert one.p_value == pytest.approx(other.p_value, abs=1e-6)
    assert 0 <= one.p_value <= 1


@pytest.mark.parametrize("bad", [Rate(0, 0), Rate(3, 2), Rate(-1, 2)])
def test_counts_that_can_not_be_are_refused(bad: Rate) -> None:
    for asked in (lambda: compare_rates(bad, Rate(1, 2)), lambda: groups_of({"a": bad, "b": Rate(1, 2)})):
        with pytest.raises(ValueError, match="can't be"):
            asked()
    with pytest.raises(ValueError, match="confidence"):
        compare_rates(Rate(1, 2), Rate(1, 2), math.nan)


# ------------------------------------------------------------ many looks


def test_the_corrections_keep_what_the_published_example_keeps() -> None:
    assert sum(p <= 0.05 for p in PUBLISHED) == 9
    assert sum(p <= 0.05 for p in holm(PUBLISHED)) == 3
    assert sum(p <= 0.05 for p in benjamini_hochberg(PUBLISHED)) == 4


@given(st.lists(st.floats(0, 1), max_size=30))
def test_a_correction_never_makes_a_finding_stronger_and_keeps_the_order(p_values: list[float]) -> None:
    for corrected in (holm(p_values), benjamini_hochberg(p_values)):
        assert all(p <= adjusted <= 1 for p, adjusted in zip(p_values, corrected, strict=True))
        order = sorted(range(len(p_values)), key=p_values.__getitem__)
        assert all(corrected[a] <= corrected[b] for a, b in pairwise(order))
    assert all(a >= b - 1e-12 for a, b in zip(holm(p_values), benjamini_hochberg(p_values), strict=True))


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan, math.inf])
def test_what_is_no_p_value_is_refused(bad: float) -> None:
    for corrected in (holm, benjamini_hochberg):
        assert corrected([0.5]) == (0.5,)
        with pytest.raises(ValueError, match="p-value"):
            corrected([0.5, bad])


# ------------------------------------------------------------ by condition


def trials(light: str, outcomes: str, **given: Any) -> list[Trial]:
    words = {"s": "success", "f": "failure", "a": "aborted"}
    return [Trial(words[one], {"light": light}, **given) for one in outcomes]


def test_the_bad_light_is_found_and_named_first() -> None:
    found = success_by(trials("bright", "s" * 28 + "ff") + trials("dim", "s" * 10 + "f" * 20), "light")
    assert [(group.value, group.rate) for group in found] == [("dim", Rate(10, 30)), ("bright", Rate(28, 30))]
    assert found[0].share == pytest.approx(33.3, abs=0.05)
    assert found[0].lower < found[0].share < found[0].upper
    assert found[0].p_value < found[0].p_adjusted < 0.001


def test_one_look_in_ten_groups_is_made_up_for() -> None:
    """One group of ten at 3 of 6 beside 5 of 6: by itself it might be something, among ten it is nothing."""
    groups = {f"object {at}": Rate(5, 6) for at in range(9)} | {"cup": Rate(2, 6)}
    holms, hints = groups_of(groups), groups_of(groups, correction="benjamini_hochberg")
    assert holms[0].value == hints[0].value == "cup"
    assert holms[0].p_value < 0.05 < holms[0].p_adjusted
    assert hints[0].p_adjusted <= holms[0].p_adjusted


def test_what_does_not_count_is_left_out_and_what_was_broken_off_is_as_the_phase_says() -> None:
    rows = trials("dim", "ssa") + trials("dim", "ffff", counts=False) + [Trial("success", {})]
    as_failure = {group.value: group.rate for group in success_by(rows, "light")}
    assert as_failure == {"dim": Rate(2, 3), "": Rate(1, 1)}
    excluded = {group.value: group.rate for group in success_by(rows, "light", aborted="excluded")}
    assert excluded == {"dim": Rate(2, 2), "": Rate(1, 1)}
    assert success_by([], "light") == ()
    (alone,) = success_by(trials("dim", "sf"), "light")
    assert alone.p_value == alone.p_adjusted == 1
