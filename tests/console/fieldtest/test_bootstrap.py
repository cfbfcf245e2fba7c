"""Boxes of one frame and frames of one episode go wrong together: counted one by one they would prove far too much."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.fieldtest import binomial
from console.fieldtest.bootstrap import FEWEST_IMPERFECT, effective_n, ratio_of_sums
from console.fieldtest.criteria import Criterion
from console.fieldtest.judging import judge


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_200_perfect_frames_are_no_proof_of_perfection() -> None:
    """Drawn again and again they stay perfect: the bootstrap's interval is a point. The exact bound of 200 trials is taken."""
    found = ratio_of_sums([5] * 200, [5] * 200, 0.95, rng())
    assert (found.value, found.upper) == (100, 100)
    assert found.lower == pytest.approx(100 * binomial.lower_bound(200, 200, 0.95))
    assert "exact bound with 200 frames as the trials" in found.method
    none = ratio_of_sums([0] * 200, [5] * 200, 0.95, rng())
    assert (none.value, none.lower) == (0, 0)
    assert none.upper == pytest.approx(100 * binomial.upper_bound(0, 200, 0.95))


@pytest.mark.parametrize(("imperfect", "method"), [(FEWEST_IMPERFECT - 1, "exact"), (FEWEST_IMPERFECT, "bootstrap")])
def test_a_handful_of_imperfect_frames_is_too_few_to_draw_from(imperfect: int, method: str) -> None:
    right = [4] * imperfect + [5] * (200 - imperfect)
    assert method in ratio_of_sums(right, [5] * 200, 0.95, rng()).method
    wrong = [5 - one for one in right]
    assert method in ratio_of_sums(wrong, [5] * 200, 0.95, rng()).method


def test_a_perfect_lab_of_58_frames_does_not_pass_95_percent_and_one_of_59_does() -> None:
    asked = Criterion(metric="detection_accuracy", comparison=">=", threshold=95, unit="%")
    assert judge(asked, ratio_of_sums([3] * 58, [3] * 58, 0.95, rng())).verdict == "inconclusive"
    assert judge(asked, ratio_of_sums([3] * 59, [3] * 59, 0.95, rng())).verdict == "pass"


def test_the_bounds_cover_where_boxes_fail_together_and_counting_boxes_would_not() -> None:
    """300 field tests of 120 frames with 5 boxes; a bad frame loses nearly all of its boxes, a good one hardly any."""
    dice, true, n = rng(11), 0.8 * 0.98 + 0.2 * 0.1, 120
    boot = naive = 0
    for _ in range(300):
        share = np.where(dice.random(n) < 0.2, 0.1, 0.98)
        right = dice.binomial(5, share)
        found = ratio_of_sums(right, np.full(n, 5), 0.95, dice)
        assert found.lower is not None
        boot += found.lower <= 100 * true
        naive += binomial.lower_bound(int(right.sum()), 5 * n, 0.95) <= true
    assert boot / 300 >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 300)
    assert naive / 300 < 0.9


def test_the_same_seed_and_the_same_frames_give_the_same_bounds() -> None:
    """A verdict must be the same on every laptop that checks the record."""
    right = rng(2).binomial(5, 0.8, 100)
    assert ratio_of_sums(right, [5] * 100, 0.95, rng(3)) == ratio_of_sums(right, [5] * 100, 0.95, rng(3))
    other = ratio_of_sums(right, [5] * 100, 0.95, rng(4))
    assert other.lower == pytest.approx(ratio_of_sums(right, [5] * 100, 0.95, rng(3)).lower, abs=0.5)


def test_it_agrees_with_the_normal_curve_where_that_is_right() -> None:
    right = rng(5).binomial(20, 0.7, 2000)
    found = ratio_of_sums(right, [20] * 2000, 0.95, rng(6))
    error = float(right.std(ddof=1)) / 20 / math.sqrt(2000)
    assert found.lower == pytest.approx(100 * (right.mean() / 20 - 1.645 * error), abs=0.05)
    assert found.upper == pytest.approx(100 * (right.mean() / 20 + 1.645 * error), abs=0.05)
    plain = ratio_of_sums(right, [20] * 2000, 0.95, rng(6), unit="", of="episodes")
    assert plain.value == pytest.approx(found.value / 100)
    assert (plain.unit, plain.of, plain.n) == ("", "episodes", 2000)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=60), st.sampled_from([0.8, 0.95]))
def test_bounds_hold_the_estimate_and_turn_over_with_right_and_wrong(
    frames: list[tuple[int, int]], confidence: float
) -> None:
    right, wrong = np.array(frames).T
    if not (right + wrong).sum():
        return
    found = ratio_of_sums(right, right + wrong, confidence, rng())
    other = ratio_of_sums(wrong, right + wrong, confidence, rng())
    assert found.lower is not None
    assert found.upper is not None
    assert 0 <= found.lower <= found.value <= found.upper <= 100
    assert found.n == sum(one > 0 for one in right + wrong)
    assert other.value == pytest.approx(100 - found.value)
    assert other.lower == pytest.approx(100 - found.upper, abs=1.5)


@pytest.mark.parametrize(
    ("top", "bottom", "said"),
    [
        ([], [], "anything to count"),
        ([0, 0], [0, 0], "anything to count"),
        ([3], [2], "between 0 and"),
        ([-1], [2], "between 0 and"),
        ([math.nan], [2], "between 0 and"),
        ([1], [math.inf], "between 0 and"),
        ([1, 2], [2], "each cluster"),
    ],
)
def test_clusters_that_can_not_be_are_refused(top: Any, bottom: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        ratio_of_sums(top, bottom, 0.95, rng())


def test_a_frame_with_nothing_in_it_says_nothing() -> None:
    assert ratio_of_sums([1, 0], [2, 0], 0.95, rng()) == ratio_of_sums([1], [2], 0.95, rng())
    with pytest.raises(ValueError, match="confidence"):
        ratio_of_sums([1], [2], 1.0, rng())


def test_frames_of_one_stream_weigh_little() -> None:
    assert effective_n(9000, 0.95) == pytest.approx(231, abs=0.5)
    assert effective_n(100, 0) == 100
    bad: list[tuple[Any, float]] = [(0, 0.5), (100, 1.0), (100, -1.0), (100, math.nan), (math.inf, 0.5)]
    for n, correlation in bad:
        with pytest.raises(ValueError, match="can't be"):
            effective_n(n, correlation)
