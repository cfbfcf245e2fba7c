"""Each limit of a probation: one trial that keeps it, one that breaks it, and what decides nothing is never kept."""

from __future__ import annotations

import random
from fractions import Fraction
from math import comb

import pytest

from remote.activation.bounds import at_most, lower_rank, lower_share, upper_rank, upper_share
from remote.activation.ground import Seen
from remote.activation.probation import FRAMES_TO_COMPARE, Looks, frames_to_compare, judge, looked, short
from remote.histogram import Histogram
from remote.model_states import Probation
from remote.protocol import Scored
from remote.verdicts import Check, Verdict

NOTHING = Probation(
    frames=300, p99_ratio=None, failed_share=None, miss_share_more=None, boxes_ratio=None, hottest_c=None
)


def seen(
    frames: int = 1000,
    *,
    failed: int = 0,
    slow: int = 0,
    seconds: float = 60,
    missed: int | None = None,
    known: int = 1000,
    **others: object,
) -> Seen:
    """Frames of 10 ms, `slow` of them of 100 ms."""
    times = Histogram.of([10.0] * (frames - slow) + [100.0] * slow)
    scored = None if missed is None else Scored(known, known - missed, missed)
    return Seen(frames=frames, failed=failed, seconds=seconds, end_to_end_ms=times, scored=scored, **others)  # type: ignore[arg-type]


def plan(**asked: object) -> Probation:
    """Only what is asked here."""
    fields = {name: getattr(NOTHING, name) for name in NOTHING.__struct_fields__}
    return Probation(**{**fields, **asked})


CASES: dict[str, tuple[Probation, Seen, Seen, Verdict]] = {
    "frames reached": (plan(frames=300), seen(), seen(300), "pass"),
    "frames not reached": (plan(frames=300), seen(), seen(299), "inconclusive"),
    "seconds reached": (plan(least_s=30), seen(), seen(seconds=30), "pass"),
    "seconds not reached": (plan(least_s=30), seen(), seen(seconds=29.9), "inconclusive"),
    "no bad result": (plan(), seen(), seen(failures={"bad_frame": 5}), "pass"),
    "one NaN": (plan(), seen(), seen(10, failures={"bad_output": 1}), "fail"),
    "one error of the engine": (plan(), seen(), seen(10, failures={"inference_error": 1}), "fail"),
    "two deaths of three": (plan(), seen(), seen(failures={"worker_crash": 1, "worker_hang": 1}), "pass"),
    "three deaths": (plan(), seen(), seen(10, failures={"worker_crash": 3}), "fail"),
    "cool": (plan(hottest_c=95), seen(), seen(hottest_c=95.0), "pass"),
    "hot": (plan(hottest_c=95), seen(), seen(10, hottest_c=95.1), "fail"),
    "NaN is no temperature": (plan(hottest_c=95), seen(), seen(10, hottest_c=float("nan")), "fail"),
    "no sensor": (plan(hottest_c=95), seen(), seen(), "pass"),
    "small": (plan(memory_mb=500), seen(), seen(memory_mb=500.0), "pass"),
    "large": (plan(memory_mb=500), seen(), seen(10, memory_mb=501.0), "fail"),
    "p99 below": (plan(p99_ms=20), seen(), seen(1000, slow=2), "pass"),
    "p99 above": (plan(p99_ms=20), seen(), seen(1000, slow=60), "fail"),
    "p99 between": (plan(p99_ms=20), seen(), seen(1000, slow=10), "inconclusive"),
    "p99 of too few": (plan(p99_ms=20, frames=100), seen(), seen(298), "inconclusive"),
    "p99 like before": (plan(p99_ratio=1.5), seen(), seen(), "pass"),
    "p99 ten times before": (plan(p99_ratio=1.5), seen(), seen(slow=200), "fail"),
    "p99 of a model before that was slow too": (plan(p99_ratio=1.5), seen(slow=100), seen(slow=100), "pass"),
    "p99 without a model before": (plan(p99_ratio=1.5), Seen(), seen(slow=200), "pass"),
    "p99 against ten frames": (plan(p99_ratio=1.5), seen(10), seen(slow=200), "inconclusive"),
    "few frames failed": (plan(failed_share=0.01), seen(), seen(1000, failed=1), "pass"),
    "many frames failed": (plan(failed_share=0.01), seen(), seen(1000, failed=60), "fail"),
    "some frames failed": (plan(failed_share=0.01), seen(), seen(1000, failed=10), "inconclusive"),
    "every frame failed": (plan(failed_share=0.01), seen(), seen(0, failed=40), "fail"),
    "too few failed to say": (plan(failed_share=0.01), seen(), seen(0, failed=20), "inconclusive"),
    "misses as before": (plan(miss_share_more=0.1), seen(missed=50), seen(missed=60), "pass"),
    "misses far more": (plan(miss_share_more=0.1), seen(missed=50), seen(missed=300), "fail"),
    "misses a little more": (plan(miss_share_more=0.1), seen(missed=50), seen(missed=140), "inconclusive"),
    "as many boxes": (plan(boxes_ratio=3), seen(boxes=1500), seen(boxes=1300), "pass"),
    "boxes at the limit": (plan(boxes_ratio=3), seen(boxes=1500), seen(boxes=500), "pass"),
    "a blind model": (plan(boxes_ratio=3), seen(boxes=1500), seen(boxes=0), "fail"),
    "a model that sees ghosts": (plan(boxes_ratio=3), seen(boxes=1500), seen(boxes=4501), "fail"),
    "blind, but not yet long enough": (plan(boxes_ratio=3), seen(boxes=1500), seen(299, boxes=0), "inconclusive"),
    "blind where 500 would be seen": (plan(boxes_ratio=3), seen(boxes=5000), seen(100, boxes=0), "fail"),
    "one box is not blind": (plan(boxes_ratio=3), seen(boxes=5000), seen(100, boxes=1), "inconclusive"),
    "the one before saw little": (plan(boxes_ratio=3), seen(boxes=99), seen(boxes=0), "pass"),
    "the one before ran shortly": (plan(boxes_ratio=3), seen(99, boxes=150), seen(boxes=0), "pass"),
    "nobody knows what is in view": (plan(miss_share_more=0.1), seen(), seen(), "pass"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_limit_is_kept_or_broken(case: str) -> None:
    asked, before, since, expected = CASES[case]
    verdict, checks = judge(asked, before, since)
    assert verdict == expected, checks
    assert all(check.text for check in checks)


@pytest.mark.parametrize("case", [name for name, (_, _, _, verdict) in CASES.items() if verdict == "fail"])
def test_what_fails_says_which_limit_and_by_how_much(case: str) -> None:
    asked, before, since, _ = CASES[case]
    failed = [check for check in judge(asked, before, since)[1] if check.verdict == "fail"]
    assert len(failed) == 1
    assert failed[0].value is None or failed[0].limit is None or not failed[0].value <= failed[0].limit


def test_what_was_not_measured_is_said_and_not_passed_over() -> None:
    checks = {check.name: check for check in judge(Probation(), Seen(), seen())[1]}
    assert {name for name, check in checks.items() if check.verdict == "skipped"} == {
        "hottest",
        "latency_p99",
        "misses",
        "boxes",
    }


@pytest.mark.parametrize(("n", "decided"), [(436, False), (437, True), (Probation().frames, True)])
def test_the_first_look_of_a_default_push_can_decide_on_its_p99(n: int, decided: bool) -> None:
    """Else the next look comes at twice the frames, and a robot of 15 frames a second is on trial for a minute more."""
    checks = judge(plan(frames=1, p99_ratio=1.5), seen(FRAMES_TO_COMPARE), seen(n))[1]
    found = next(one for one in checks if one.name == "latency_p99")
    assert found.verdict == ("pass" if decided else "inconclusive"), found


@pytest.mark.parametrize(("n", "decided"), [(367, False), (368, True), (FRAMES_TO_COMPARE, True)])
def test_what_was_seen_of_the_model_before_tells_a_slow_one(n: int, decided: bool) -> None:
    checks = judge(plan(p99_ratio=1.5), seen(n), seen(450, slow=200))[1]
    found = next(one for one in checks if one.name == "latency_p99")
    assert found.verdict == ("fail" if decided else "inconclusive"), found
    assert (f"seen for only {n} frames" in found.text) != decided


@pytest.mark.parametrize(
    ("asked", "frames"),
    [
        (Probation(), FRAMES_TO_COMPARE),
        (Probation(p99_ms=20), 100),
        (plan(boxes_ratio=3), 100),
        (plan(miss_share_more=0.1), 100),
        (plan(p99_ms=20, failed_share=0.01, miss_share_more=1), 0),
    ],
    ids=["default", "p99 in ms", "boxes", "misses", "nothing to compare"],
)
def test_only_what_compares_needs_frames_of_the_model_before(asked: Probation, frames: int) -> None:
    assert frames_to_compare(asked) == frames


def test_a_model_before_that_was_seen_too_little_is_said() -> None:
    texts = {one.name: one.text for one in judge(plan(boxes_ratio=3, p99_ratio=1.5), seen(37, boxes=40), seen())[1]}
    assert "seen for 37 frames, 100 are needed" in texts["boxes"]
    assert "seen for only 37 frames" in texts["latency_p99"]


@pytest.mark.parametrize(
    ("value", "words"),
    [(58.8512345, "58.9"), (30.17112259, "30.2"), (450.0, "450"), (1234.6, "1235"), (0.01234, "0.0123"), (-1.0, "-1")],
)
def test_numbers_are_rounded_for_people(value: float, words: str) -> None:
    assert short(value) == words


SENTENCES = {
    "latency_p99": "p99 of end to end (99 of 100 frames are faster): 100 ms; at most 15 ms allowed "
    "(1.5 times the 10 ms of the model before); surely over 99.5 ms (95 % confidence)",
    "failed_frames": "60 of 1060 frames had no answer (5.66 %); at most 1 % allowed; surely over 4.35 % (95 % confidence)",
    "misses": "300 of 1000 known objects were missed (30 %), 50 of 1000 before (5 %); at most 10 % more allowed; "
    "surely over 20 % more (95 % confidence)",
    "boxes": "0 boxes a frame, 1.5 before; 0.5 to 4.5 allowed",
    "hottest": "the hottest sensor was 96.1 C; at most 95 C allowed",
    "bad_results": "2 results were no numbers, or errors of the engine; none allowed",
    "worker_deaths": "3 ends of the worker that nobody asked for; at most 2 allowed",
}


def test_every_limit_that_was_broken_is_a_sentence_with_units_and_short_numbers() -> None:
    before = seen(boxes=1500, missed=50)
    since = seen(slow=200, failed=60, boxes=0, missed=300, hottest_c=96.123456,
                 failures={"bad_output": 2, "worker_crash": 3})  # fmt: skip
    checks = judge(Probation(), before, since)[1]
    assert {one.name: one.text for one in checks if one.verdict == "fail"} == SENTENCES
    assert all(one.unit == "%" for one in checks if one.name in ("failed_frames", "misses"))


def test_frames_and_seconds_begin_anew_with_each_start_of_the_worker() -> None:
    """A model that crashes each 20 s would else be kept after its second start."""
    after_crash = Looks().started(seen(250, seconds=20))
    assert judge(plan(), seen(), seen(500, seconds=40), after_crash)[0] == "inconclusive"
    assert judge(plan(), seen(), seen(550, seconds=50), after_crash)[0] == "pass"


def test_statistics_are_looked_at_when_the_frames_have_doubled_and_each_look_dares_less() -> None:
    asked, looks = plan(failed_share=0.01, p99_ms=20), Looks()
    for frames in (300, 301, 599):
        since = seen(frames)
        assert judge(asked, seen(), since, looks)[0] == "inconclusive", "the first look has too few frames"
        looks = looked(asked, since, looks)
    assert (looks.for_pass, looks.pass_at) == (1, 600)
    assert judge(asked, seen(), seen(600), looks)[0] == "pass"


def test_asking_each_second_keeps_a_bad_model_and_gives_a_good_one_back_in_less_than_a_twentieth() -> None:
    """Of 100 trials just beyond the limit, and 100 just within it, over 60 s of 10 frames each, asked once a second."""
    kept = sum(trial(random.Random(seed), 0.051) == "pass" for seed in range(100))
    returned = sum(trial(random.Random(seed), 0.049) == "fail" for seed in range(100))
    assert kept <= 11, "more than 11 of 100 would be chance in 1 of 200 where it is 5 %"
    assert returned <= 11


def trial(chance: random.Random, share: float) -> Verdict:
    asked, looks, frames, failed = plan(failed_share=0.05, frames=50), Looks(), 0, 0
    for second in range(1, 61):
        lost = sum(chance.random() < share for _ in range(10))
        frames, failed = frames + 10 - lost, failed + lost
        since = Seen(frames=frames, failed=failed, seconds=30 + second)
        verdict, _ = judge(asked, Seen(), since, looks)
        if verdict != "inconclusive":
            return verdict
        looks = looked(asked, since, looks)
    return "inconclusive"


# ---------------------------------------------------------------- the bounds


@pytest.mark.parametrize(("k", "n", "p"), [(0, 10, 0.1), (3, 10, 0.5), (9, 10, 0.99), (5, 300, 0.01), (299, 300, 0.99)])
def test_the_binomial_distribution_is_that_of_exact_fractions(k: int, n: int, p: float) -> None:
    exact = Fraction(p)
    summed = sum(comb(n, i) * exact**i * (1 - exact) ** (n - i) for i in range(k + 1))
    assert at_most(k, n, p) == pytest.approx(float(summed), rel=1e-10)


@pytest.mark.parametrize(("k", "n"), [(0, 1), (0, 300), (3, 300), (150, 300), (299, 300), (40, 100_000)])
def test_a_share_bound_is_where_what_was_seen_has_just_its_error(k: int, n: int) -> None:
    assert at_most(k, n, upper_share(k, n, 0.05)) == pytest.approx(0.05, rel=1e-6)
    if k:
        assert 1 - at_most(k - 1, n, lower_share(k, n, 0.05)) == pytest.approx(0.05, rel=1e-6)


def test_shares_of_nothing_and_of_all_are_bounded_by_0_and_1() -> None:
    assert lower_share(0, 50, 0.05) == 0
    assert upper_share(50, 50, 0.05) == 1
    assert upper_share(0, 50, 0.05) == pytest.approx(1 - 0.05 ** (1 / 50))


@pytest.mark.parametrize(("n", "rank"), [(298, None), (299, 299), (473, 472)])
def test_p99_needs_299_values_for_a_bound(n: int, rank: int | None) -> None:
    """0.99^299 < 0.05 <= 0.99^298; from 473 on the second largest will do."""
    assert upper_rank(n, 0.99, 0.05) == rank


@pytest.mark.parametrize("n", [1, 10, 300, 5000])
def test_the_lower_rank_is_the_highest_that_is_sure(n: int) -> None:
    rank = lower_rank(n, 0.99, 0.05)
    assert rank is not None
    assert at_most(rank - 1, n, 0.99) <= 0.05
    assert at_most(rank, n, 0.99) > 0.05 or rank == n


def test_the_bounds_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    for k, n in ((0, 300), (7, 1200), (1199, 1200), (12, 1_000_000)):
        assert upper_share(k, n, 0.025) == pytest.approx(float(stats.beta.ppf(0.975, k + 1, n - k)), rel=1e-9)
        if k:
            assert lower_share(k, n, 0.025) == pytest.approx(float(stats.beta.ppf(0.025, k, n - k + 1)), rel=1e-7)


def test_a_check_carries_what_it_rests_on() -> None:
    check = next(one for one in judge(plan(p99_ms=20), seen(), seen(1000, slow=2))[1] if one.name == "latency_p99")
    assert isinstance(check, Check)
    assert (check.n, check.unit, check.limit) == (1000, "ms", 20)
    assert check.bound is not None
    assert check.value is not None
    assert check.value <= check.bound <= 20


def test_frames_are_told_as_many_as_the_other_checks_count() -> None:
    """`it ran 450 of 450 frames` beside `0 of 904 frames had no answer` made people ask which of the two was true."""
    plan = Probation(frames=450, least_s=30.0)
    _, checks = judge(plan, Seen(), Seen(frames=904, seconds=61.0))
    assert [check.text for check in checks[:2]] == [
        "it ran 904 frames without a break; at least 450 asked",
        "it ran 61 s without a break; at least 30 asked",
    ]
    _, checks = judge(plan, Seen(), Seen(frames=90, seconds=6.0))
    assert checks[0].text == "it ran 90 of 450 frames without a break"
