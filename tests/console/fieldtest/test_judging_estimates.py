"""Verdicts on figures with bounds of their own: the sentence says what was shown, by what, and how much more would decide."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.fieldtest.bootstrap import ratio_of_sums
from console.fieldtest.criteria import Criterion, Estimate, Rate
from console.fieldtest.judging import count_words, judge
from console.fieldtest.mtbf import mtbf, rate_per_day
from console.fieldtest.transfer import transfer_ratio
from remote.errors import Trouble

MTBF_24 = Criterion(metric="mtbf_h", comparison=">", threshold=24, unit="h")
ONE_A_DAY = Criterion(metric="crashes_per_day", comparison="<", threshold=1, unit="1/d")


def estimate(**given: Any) -> Estimate:
    return Estimate(**{"value": 5.0, "lower": 4.0, "upper": 6.0, "confidence": 0.95, "method": "m", "n": 9, **given})


def criterion(**given: Any) -> Criterion:
    return Criterion(**{"metric": "m", "comparison": ">", "threshold": 4.5, **given})


def bounded(asked: Criterion, hours: int, count: int) -> Estimate:
    return mtbf(hours, count, 0.95) if asked is MTBF_24 else rate_per_day(count, hours / 24, 0.95)


@pytest.mark.parametrize(("hours", "verdict"), [(71.8, "inconclusive"), (72.0, "pass")])
def test_a_clean_run_passes_when_it_is_long_enough(hours: float, verdict: str) -> None:
    assert judge(MTBF_24, mtbf(hours, 0, 0.95)).verdict == verdict


def test_a_clean_day_of_eight_hours_says_how_many_more_it_takes() -> None:
    found = judge(MTBF_24, mtbf(8, 0, 0.95))
    assert (found.verdict, found.more) == ("inconclusive", 64)
    assert "no breakdown in 8 h against > 24 h; the lower bound is 2.7 h at 95 % (chi-square bounds" in found.why
    assert "about 64 more hours without another event would pass it" in found.why
    assert judge(MTBF_24, mtbf(8 + 64, 0, 0.95)).verdict == "pass"
    assert judge(MTBF_24, mtbf(8 + 63, 0, 0.95)).verdict == "inconclusive"


@given(st.integers(1, 400), st.integers(0, 6))
def test_so_many_more_hours_decide_and_one_less_does_not(hours: int, count: int) -> None:
    for asked in (MTBF_24, ONE_A_DAY):
        found = judge(asked, bounded(asked, hours, count))
        if found.verdict == "inconclusive":
            assert found.more is not None
            assert judge(asked, bounded(asked, hours + found.more, count)).verdict == "pass"
            assert judge(asked, bounded(asked, hours + found.more - 1, count)).verdict != "pass"


def test_too_many_breakdowns_fail() -> None:
    found = judge(MTBF_24, mtbf(10, 5, 0.95))
    assert (found.verdict, found.more) == ("fail", None)
    assert "the upper bound is" in found.why
    assert judge(ONE_A_DAY, rate_per_day(9, 2, 0.95)).verdict == "fail"


def test_about_so_many_more_frames_like_these_would_pass_it() -> None:
    asked = Criterion(metric="detection_accuracy", comparison=">=", threshold=88, unit="%")
    dice = np.random.default_rng(3)
    found = judge(asked, ratio_of_sums(dice.binomial(5, 0.9, 100), [5] * 100, 0.95, dice))
    assert found.verdict == "inconclusive"
    assert found.more is not None
    assert f"about {found.more} more frames like these would pass it" in found.why
    later = ratio_of_sums(dice.binomial(5, 0.9, 100 + 2 * found.more), [5] * (100 + 2 * found.more), 0.95, dice)
    assert judge(asked, later).verdict == "pass"


def test_where_the_estimate_is_on_the_wrong_side_no_number_is_promised() -> None:
    found = judge(criterion(threshold=5.5), estimate())
    assert (found.verdict, found.more, found.meets_letter) == ("inconclusive", None, False)
    assert found.why.endswith("not decided")
    assert judge(criterion(threshold=5.0), estimate()).more is None


@pytest.mark.parametrize(
    ("threshold", "comparison", "verdict"),
    [(3.9, ">", "pass"), (4.0, ">", "inconclusive"), (4.0, ">=", "pass"), (6.0, ">=", "inconclusive"),
     (6.0, ">", "fail"), (6.1, "<", "pass"), (6.0, "<", "inconclusive"), (4.0, "<", "fail"), (4.0, "<=", "inconclusive")],
)  # fmt: skip
def test_each_comparison_at_its_bound(threshold: float, comparison: Any, verdict: str) -> None:
    assert judge(criterion(threshold=threshold, comparison=comparison), estimate()).verdict == verdict


def test_a_side_without_a_bound_decides_nothing_there() -> None:
    found = judge(criterion(comparison="<"), estimate(upper=None, of="trials"))
    assert found.verdict == "inconclusive"
    assert "the lower bound" not in found.why
    assert "too few trials for the upper bound" in found.why
    assert "too few readings" in judge(criterion(comparison="<"), estimate(upper=None)).why


def test_few_are_few_whatever_the_bound_says() -> None:
    assert judge(criterion(n_min=9, threshold=3), estimate()).verdict == "pass"
    found = judge(criterion(n_min=10, threshold=3), estimate(of="trials"))
    assert (found.verdict, found.more) == ("inconclusive", 1)
    assert found.why.endswith("1 more trial needed before it is judged")
    assert count_words(2, "more trials") == "2 more trials"


def test_the_point_alone_decides_where_the_pack_says_so() -> None:
    asked = Criterion(metric="transfer_ratio", comparison=">=", threshold=0.7, judge="point")
    assert judge(asked, transfer_ratio(Rate(4, 5), Rate(87, 100), 0.95)).verdict == "pass"
    assert judge(asked, transfer_ratio(Rate(3, 5), Rate(87, 100), 0.95)).verdict == "fail"


def test_bounds_that_are_less_sure_than_the_limit_asks_are_refused() -> None:
    assert judge(criterion(confidence=0.95), estimate(confidence=0.99)).verdict == "inconclusive"
    with pytest.raises(Trouble, match="asks for"):
        judge(criterion(confidence=0.95), estimate(confidence=0.9))
    with pytest.raises(Trouble, match="no unit"):
        judge(criterion(unit="h"), estimate())
