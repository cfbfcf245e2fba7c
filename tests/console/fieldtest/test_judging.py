"""Verdicts: what is not shown is not passed, and the sentence beside it says why."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.fieldtest.criteria import Answer, Criterion, Distribution, Measurement, Number, Rate, holds
from console.fieldtest.judging import judge, limit_words, measured_words, number_words
from remote.errors import Trouble
from remote.histogram import Histogram


def criterion(**given: Any) -> Criterion:
    return Criterion(**{"metric": "m", "comparison": "<", "threshold": 10.0, "unit": "ms", **given})


def rate_above(percent: float, **given: Any) -> Criterion:
    return criterion(**{"statistic": "rate", "comparison": ">", "threshold": percent, "unit": "%", **given})


@pytest.mark.parametrize(
    ("comparison", "below", "at", "above"),
    [
        ("<", "pass", "fail", "fail"),
        ("<=", "pass", "pass", "fail"),
        (">", "fail", "fail", "pass"),
        (">=", "fail", "pass", "pass"),
        ("==", "fail", "pass", "fail"),
    ],
)
def test_each_comparison_below_at_and_above_its_threshold(comparison: Any, below: str, at: str, above: str) -> None:
    given = criterion(comparison=comparison)
    assert [judge(given, Number(value, "ms")).verdict for value in (9.99, 10.0, 10.01)] == [below, at, above]


@pytest.mark.parametrize("comparison", ["<", "<=", ">", ">=", "=="])
def test_what_is_no_number_holds_nothing(comparison: Any) -> None:
    assert not holds(math.nan, comparison, 10.0)
    for value in (math.nan, math.inf, -math.inf):
        assert judge(criterion(comparison=comparison), Number(value, "ms")).verdict == "inconclusive"


def test_two_of_five_meets_the_letter_and_does_not_pass() -> None:
    found = judge(rate_above(30, n_min=5), Rate(2, 5))
    assert (found.verdict, found.meets_letter, found.more, found.n) == ("inconclusive", True, 4, 5)
    assert found.lower == pytest.approx(7.64, abs=0.01)
    assert "2 of 5 = 40 %" in found.why
    assert "lower bound is 7.6 %" in found.why
    assert "meets the letter" in found.why
    assert "4 more successes in a row would pass it, 14 more without one would fail it" in found.why


def test_a_pack_that_chooses_the_point_lets_it_pass_and_still_shows_the_bound() -> None:
    found = judge(rate_above(30, n_min=5, judge="point"), Rate(2, 5))
    assert found.verdict == "pass"
    assert "lower bound is 7.6 %" in found.why
    assert judge(rate_above(40, judge="point"), Rate(2, 5)).verdict == "fail"


@pytest.mark.parametrize(
    ("successes", "n", "verdict"),
    [(4, 5, "pass"), (3, 5, "inconclusive"), (0, 9, "fail"), (0, 8, "fail"), (0, 7, "inconclusive")],
)
def test_a_rate_passes_or_fails_only_by_its_bounds(successes: int, n: int, verdict: str) -> None:
    assert judge(rate_above(32), Rate(successes, n)).verdict == verdict


def test_nobody_calls_a_crash_a_success() -> None:
    """The sentence says which trials to go for; each of its numbers is the least that does what it says."""
    below = criterion(statistic="rate", comparison="<", threshold=10, unit="%")
    found = judge(below, Rate(1, 20))
    assert found.verdict == "inconclusive"
    assert "26 more clean trials would pass it, 5 more with one would fail it" in found.why
    assert "success" not in found.why
    assert [judge(below, Rate(1, 20 + more)).verdict for more in (25, 26)] == ["inconclusive", "pass"]
    assert [judge(below, Rate(1 + more, 20 + more)).verdict for more in (4, 5)] == ["inconclusive", "fail"]


def test_a_crash_rate_is_judged_by_its_upper_bound() -> None:
    below = criterion(statistic="rate", comparison="<", threshold=1, unit="%")
    assert judge(below, Rate(0, 299)).verdict == "pass"
    few = judge(below, Rate(0, 298))
    assert (few.verdict, few.more) == ("inconclusive", 1)
    assert "1 more clean trial would pass it" in few.why
    assert judge(below, Rate(9, 298)).verdict == "fail"


def test_too_few_trials_decide_nothing_however_they_went() -> None:
    found = judge(rate_above(30, n_min=5), Rate(4, 4))
    assert (found.verdict, found.more) == ("inconclusive", 1)
    assert "1 more needed" in found.why
    assert judge(rate_above(30, n_min=4), Rate(4, 4)).verdict == "pass"


def test_no_trials_at_all_are_no_rate() -> None:
    found = judge(rate_above(30, n_min=5), Rate(0, 0))
    assert (found.verdict, found.value, found.more) == ("inconclusive", None, 5)


@pytest.mark.parametrize(("value", "verdict"), [(7.9, "pass"), (8.0, "marginal"), (9.9, "marginal"), (10.0, "fail")])
def test_close_to_the_limit_is_marked(value: float, verdict: str) -> None:
    found = judge(criterion(margin=2.0), Number(value, "ms"))
    assert found.verdict == verdict
    assert ("margin of 2 ms" in found.why) == (verdict == "marginal")


def spread(n: int, top: float = 9.0) -> Distribution:
    return Distribution(Histogram.of([5.0] * (n - 1) + [top]), "ms")


def test_p99_needs_299_readings_before_its_bound_can_pass() -> None:
    given = criterion(statistic="p99")
    assert judge(given, spread(299)).verdict == "pass"
    few = judge(given, spread(298))
    assert (few.verdict, few.more, few.upper) == ("inconclusive", 1, None)
    assert "too few readings for the upper bound" in few.why
    assert judge(criterion(statistic="p99", judge="point"), spread(20)).verdict == "pass"


def test_one_slow_reading_of_299_leaves_p99_open_and_many_fail_it() -> None:
    given = criterion(statistic="p99")
    assert judge(given, spread(299, top=11.0)).verdict == "inconclusive"
    slow = Distribution(Histogram.of([5.0] * 200 + [11.0] * 100), "ms")
    assert judge(given, slow).verdict == "fail"


@pytest.mark.parametrize(("statistic", "value"), [("max", 9.0), ("min", 5.0), ("mean", 5.4)])
def test_plain_statistics_of_a_distribution(statistic: Any, value: float) -> None:
    found = judge(criterion(statistic=statistic), spread(10))
    assert found.value == pytest.approx(value)
    assert (found.lower, found.upper, found.verdict) == (None, None, "pass")


@pytest.mark.parametrize(
    ("given", "measurement"),
    [
        (None, Number(1, "ms")),
        (criterion(), Number(1, "s")),
        (criterion(), Distribution(Histogram.of([1.0]), "s")),
        (criterion(), Rate(1, 2)),
        (criterion(statistic="rate"), spread(5)),
    ],
)
def test_what_does_not_belong_together_is_refused(given: Criterion | None, measurement: Measurement) -> None:
    with pytest.raises(Trouble) as caught:
        judge(given, measurement)
    assert caught.value.code == "bad_pack"


@pytest.mark.parametrize(
    ("measured", "wanted", "said"),
    [
        ("s", "ms", "m is in s, its limit in ms"),
        ("", "ms", "m is in no unit, its limit in ms"),
        ("s", "", "m is in s, its limit in none"),
    ],
)
def test_a_limit_in_another_unit_is_refused_with_both_units(measured: str, wanted: str, said: str) -> None:
    with pytest.raises(Trouble) as caught:
        judge(criterion(unit=wanted), Number(1, measured))
    assert caught.value.what == said


def test_why_says_each_number_once_and_nothing_of_bounds_that_there_are_not() -> None:
    assert judge(criterion(), Number(3, "ms")).why == "3 ms against < 10 ms"
    assert judge(criterion(statistic="mean"), spread(10)).why == "5.4 ms (n 10) against mean < 10 ms"


def test_a_failure_shows_the_bound_that_failed_it() -> None:
    """Beside a failure of `> 40 %` a lower bound proves nothing: what counts is that even the upper one is too low."""
    by_bound, by_point = judge(rate_above(40), Rate(1, 20)).why, judge(rate_above(40, judge="point"), Rate(1, 20)).why
    assert by_bound == "1 of 20 = 5 % against > 40 %, lower bound at 95 %; the upper bound is 21.6 %"
    assert by_point == "1 of 20 = 5 % against > 40 %; the lower bound is 0.256 %"
    slow = Distribution(Histogram.of([11.0] * 300), "ms")
    by_bound, by_point = (judge(criterion(statistic="p99", judge=how), slow).why for how in ("bound", "point"))
    assert by_bound.endswith("the lower bound is 11 ms")
    assert by_point.endswith("the upper bound is 11 ms")


def test_a_percentile_that_was_measured_elsewhere_wants_no_more_readings_than_its_limit_says() -> None:
    """As one number it has no bound: 299 readings of a p99 that somebody else took would be asked for in vain."""
    found = judge(criterion(statistic="p99", n_min=5), Number(3, "ms", n=2))
    assert (found.verdict, found.more) == ("inconclusive", 3)


def test_an_answer_is_its_own_verdict() -> None:
    assert judge(None, Answer(True, "it is there")).verdict == "pass"
    no = judge(None, Answer(False, "it is missing"))
    assert (no.verdict, no.why, no.meets_letter) == ("fail", "it is missing", False)


def test_words_of_limits_and_values() -> None:
    assert limit_words(None) == ""
    assert limit_words(criterion(statistic="p99", n_min=299)) == "p99 < 10 ms, upper bound at 95 %, n >= 299"
    assert limit_words(rate_above(30)) == "> 30 %, lower bound at 95 %"
    assert limit_words(rate_above(30, judge="point", n_min=5)) == "> 30 %, n >= 5"
    assert limit_words(criterion(comparison="==")) == "== 10 ms"
    assert [number_words(value, "ms") for value in (None, 1234.5, 12.0, 12.34, 0.1234)] == [
        "unbounded",
        "1,234 ms",
        "12 ms",
        "12.3 ms",
        "0.123 ms",
    ]
    assert [number_words(value, "B") for value in (999, 1000, 2.5e9, 3e12)] == ["999 B", "1 kB", "2.5 GB", "3 TB"]
    assert limit_words(criterion(comparison=">", threshold=2e9, unit="B")) == "> 2 GB"
    number = Number(3.25, "ms", 4)
    assert measured_words(number, judge(criterion(), number), "ms") == "3.2 ms (n 4)"
    answer = Answer(True, "seen")
    assert measured_words(answer, judge(None, answer), "") == "seen"


@given(st.integers(1, 200), st.data(), st.floats(1, 99), st.sampled_from(["<", "<=", ">", ">="]))
def test_no_bound_verdict_contradicts_the_estimate(
    n: int, data: st.DataObject, threshold: float, comparison: Any
) -> None:
    """A pass by bound meets the letter too; a fail by bound does not; more successes never turn a pass into a fail."""
    k = data.draw(st.integers(0, n))
    given = criterion(statistic="rate", comparison=comparison, threshold=threshold, unit="%")
    found = judge(given, Rate(k, n))
    if found.verdict in ("pass", "fail"):
        assert found.meets_letter == (found.verdict == "pass")
    if comparison in (">", ">=") and found.verdict == "pass":
        assert judge(given, Rate(k + 1, n + 1)).verdict == "pass"
