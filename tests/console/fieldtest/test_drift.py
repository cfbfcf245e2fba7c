"""Drift: an alarm that comes too often is switched off, one that comes too late is no alarm."""

from __future__ import annotations

import math
from statistics import median
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import lfilter
from scipy.special import ndtri

from console.fieldtest.drift import (
    Block,
    Detector,
    DriftState,
    Watched,
    alarms,
    blocks_between,
    first_alarm,
    normal_score,
    step,
)
from console.fieldtest.drift_calibration import FEWEST_BLOCKS, calibrate, memory_of, scores

MINUTE_NS = 60 * 10**9


def remembering(rng: np.random.Generator, n: int, correlation: float, figures: int = 1) -> np.ndarray:
    """Standard normal figures (a row a block) whose neighbours correlate so."""
    shocks = rng.normal(size=(n + 200, figures)) * math.sqrt(1 - correlation**2)
    series: np.ndarray = lfilter([1.0], [1.0, -correlation], shocks, axis=0)[200:]
    return series


def as_blocks(rows: Any, names: str = "abcdef") -> list[Block]:
    return [
        Block(at * MINUTE_NS, {name: float(value) for name, value in zip(names, row, strict=False)})
        for at, row in enumerate(rows)
    ]


def calibrated(rows: Any, interval: float = 500, seed: int = 1) -> Detector:
    return calibrate(as_blocks(rows), interval, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def healthy() -> list[Block]:
    return as_blocks(remembering(np.random.default_rng(2), 300, 0.5, 3))


@pytest.fixture(scope="module")
def detector(healthy: list[Block]) -> Detector:
    return calibrate(healthy, 500, np.random.default_rng(1))


@pytest.mark.parametrize(("correlation", "figures"), [(0.0, 1), (0.5, 3)])
def test_false_alarms_come_about_as_often_as_asked_although_blocks_are_alike(correlation: float, figures: int) -> None:
    """24 robots, 4 healthy runs each of as many blocks as should lie between false alarms: 63 % of them have one, over all
    figures together. Robots scatter (each is calibrated on 300 blocks of its own), so the band is wide."""
    rng, interval, found = np.random.default_rng(7), 200, []
    for seed in range(24):
        detector = calibrated(remembering(rng, 300, correlation, figures), interval, seed)
        runs = (as_blocks(remembering(rng, interval, correlation, figures)) for _ in range(4))
        found += [first_alarm(detector, run) is not None for run in runs]
    assert np.mean(found) == pytest.approx(1 - math.exp(-1), abs=0.16)


def test_limits_from_independent_blocks_would_cry_wolf() -> None:
    """What the correlation is respected for: the same limits without it are crossed on nearly every healthy run."""
    rng = np.random.default_rng(8)
    deaf = calibrated(rng.normal(size=(300, 1)), 200)
    runs = [as_blocks(remembering(rng, 200, 0.8)) for _ in range(40)]
    assert np.mean([first_alarm(deaf, run) is not None for run in runs]) > 0.9
    aware = calibrated(remembering(rng, 600, 0.8), 200)
    assert aware.watched["a"].rise_limit > 2 * deaf.watched["a"].rise_limit


@pytest.mark.parametrize(("shift", "latest"), [(3.0, 8), (1.5, 30)])
def test_a_shift_is_found_soon_named_and_dated(detector: Detector, shift: float, latest: int) -> None:
    """After 40 healthy blocks one figure falls; the median over 30 robots."""
    rng, delays, since, named = np.random.default_rng(9), [], [], 0
    for _ in range(30):
        rows = remembering(rng, 240, 0.5, 3)
        rows[40:, 1] -= shift
        found = first_alarm(detector, as_blocks(rows))
        assert found is not None
        delays.append(found.at_ns // MINUTE_NS - 40)
        since.append(found.since_ns // MINUTE_NS - 40)
        named += (found.metric, found.way) == ("b", "fell")
    assert named >= 25  # some of the others are false alarms before the shift
    assert median(delays) <= latest
    assert abs(median(since)) <= 4


def test_a_slow_slide_is_found_too(detector: Detector) -> None:
    rows = remembering(np.random.default_rng(10), 400, 0.5, 3)
    rows[:, 2] += np.arange(400) / 100
    found = first_alarm(detector, as_blocks(rows))
    assert found is not None
    assert (found.metric, found.way) == ("c", "rose")
    assert found.mean_since > found.healthy_mean
    assert found.words.startswith("c rose: ")
    assert f"over the last {found.blocks} blocks" in found.words


def test_one_wild_block_is_no_drift(detector: Detector) -> None:
    state = step(detector, DriftState(), Block(0, {"a": 1e9, "b": -1e9, "c": 0.0}))
    assert alarms(detector, state, 0) == ()
    assert normal_score(1e9, detector.watched["a"].healthy) < 3.2


def test_a_figure_that_is_missing_or_no_number_moves_nothing(detector: Detector) -> None:
    """No detection means no confidence: neither health nor drift is to be read from that."""
    before = step(detector, DriftState(), Block(0, {"a": 2.0, "b": 2.0, "c": 2.0}))
    after = step(detector, before, Block(1, {"a": None, "b": math.nan, "d": 5.0}))
    assert (after.rising, after.falling, after.blocks) == (before.rising, before.falling, 2)


def test_the_alarm_is_over_the_limit_and_not_at_it() -> None:
    one = Watched(healthy=(0.0, 1.0, 2.0), rise_limit=0.5, fall_limit=9.0)
    score = normal_score(9.0, one.healthy) - 0.5
    state = DriftState()
    for limit, raised in ((score, False), (score - 1e-9, True)):
        watched = {"a": msgspec.structs.replace(one, rise_limit=limit)}
        detector = Detector(
            watched=watched, left_out={}, blocks_between_false_alarms=100, healthy_blocks=3, blocks_per_independent=1
        )
        assert bool(alarms(detector, step(detector, state, Block(7, {"a": 9.0})), 7)) == raised
    (found,) = alarms(detector, step(detector, state, Block(7, {"a": 9.0})), 7)
    assert (found.since_ns, found.at_ns, found.blocks, found.mean_since) == (7, 7, 1, 9.0)
    assert found.words == "a rose: 1 when healthy, 9 in the last block"


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_scores_rise_with_the_value_and_are_the_same_by_both_ways(healthy: list[float], a: float, b: float) -> None:
    ordered = sorted(healthy)
    low, high = normal_score(min(a, b), ordered), normal_score(max(a, b), ordered)
    assert low <= high
    assert scores(np.array([min(a, b), max(a, b), math.nan]), np.array(ordered)) == pytest.approx([low, high, 0])
    assert abs(high) <= abs(ndtri(0.5 / (len(ordered) + 1))) + 1e-12


def test_a_detector_survives_being_written_down(detector: Detector) -> None:
    assert msgspec.json.decode(msgspec.json.encode(detector), type=Detector) == detector
    state = step(detector, DriftState(), Block(0, {"a": 2.0}))
    assert msgspec.json.decode(msgspec.json.encode(state), type=DriftState) == state


# ------------------------------------------------------------ what can't be calibrated


@pytest.mark.parametrize(("n", "enough"), [(FEWEST_BLOCKS - 1, False), (FEWEST_BLOCKS, True)])
def test_too_few_healthy_blocks_are_refused_with_the_number_needed(n: int, enough: bool) -> None:
    rows = remembering(np.random.default_rng(3), n, 0.0)
    if enough:
        assert calibrated(rows, 100).healthy_blocks == n
    else:
        with pytest.raises(
            ValueError, match=f"{n} healthy blocks are too few to calibrate on, {FEWEST_BLOCKS} are needed"
        ):
            calibrated(rows, 100)


def test_blocks_that_hardly_change_weigh_little_and_more_are_asked_for() -> None:
    alike = remembering(np.random.default_rng(4), 300, 0.95)
    with pytest.raises(
        ValueError, match=r"300 healthy blocks are too few to calibrate on, \d{3,4} are needed: \d+ in a row"
    ):
        calibrated(alike)


def test_blocks_that_drift_themselves_are_not_healthy() -> None:
    sliding = remembering(np.random.default_rng(4), 300, 0.3) + np.arange(300)[:, None] / 50
    with pytest.raises(ValueError, match="drift themselves"):
        calibrated(sliding)


@pytest.mark.parametrize(("interval", "enough"), [(10_000, True), (10_050, False)])
def test_an_afternoon_says_nothing_of_what_happens_once_a_month(interval: float, enough: bool) -> None:
    rows = remembering(np.random.default_rng(5), 200, 0.0)
    if enough:
        assert calibrated(rows, interval).blocks_between_false_alarms == interval
    else:
        with pytest.raises(ValueError, match="201 are needed for one false alarm in 10050 blocks"):
            calibrated(rows, interval)


def test_figures_that_can_not_be_watched_are_named_with_the_reason() -> None:
    rng = np.random.default_rng(6)
    blocks = [
        Block(at, {"still": 1.0, "rare": float(rng.normal()) if at % 5 == 0 else None, "fine": float(rng.normal())})
        for at in range(200)
    ]
    found = calibrate(blocks, 200, rng)
    assert list(found.watched) == ["fine"]
    assert found.left_out == {"rare": "is in 40 of 200 healthy blocks only", "still": "never changes in healthy blocks"}
    with pytest.raises(ValueError, match="no figure can be watched: still never changes"):
        calibrate([Block(at, {"still": 1.0}) for at in range(200)], 200, rng)


def test_gaps_and_steps_of_a_figure_do_not_stop_it() -> None:
    """Detections a frame are often 0 or 1 and sometimes missing."""
    rng = np.random.default_rng(7)
    blocks = [Block(at, {"a": None if at % 4 == 0 else float(rng.integers(0, 3))}) for at in range(400)]
    found = calibrate(blocks, 300, rng)
    assert len(found.watched["a"].healthy) == 300
    assert first_alarm(found, [Block(at, {"a": 2.0}) for at in range(60)]) is not None


def test_the_memory_of_blocks_is_measured() -> None:
    rng = np.random.default_rng(8)
    for correlation, weigh in ((0.0, 1.0), (0.5, 3.0), (0.8, 9.0)):
        column = remembering(rng, 4000, correlation)[:, 0]
        assert memory_of(column).blocks_per_independent == pytest.approx(weigh, rel=0.25)


@pytest.mark.parametrize("interval", [19.9, 0, -1, math.nan, math.inf])
def test_an_interval_that_can_not_be_is_refused(interval: float, healthy: list[Block]) -> None:
    with pytest.raises(ValueError, match="20 blocks or more"):
        calibrate(healthy, interval, np.random.default_rng(1))


def test_a_week_of_minutes() -> None:
    assert blocks_between(7, 60) == 10_080
    for days, block_s in ((0, 60), (7, 0), (math.nan, 60), (7, math.inf)):
        with pytest.raises(ValueError, match="above 0"):
            blocks_between(days, block_s)
