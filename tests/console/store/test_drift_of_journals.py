"""Drift over the store: a robot that slowly sees less must be told, one that is well must not be accused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from console.store.blocks import Origin, blocks_between
from console.store.calibrations import Calibration, Calibrations
from console.store.drift import calibrate_on, drift_between, drift_now
from console.store.store import Store
from remote.errors import Trouble
from tests.console.store.journals import START_NS, Robot, S, stored, worked

MINUTE_NS = 60 * S
HEALTHY_MIN, AFTER_MIN = 110, 40


@pytest.fixture(scope="module")
def robot() -> Robot:
    healthy = worked([0.9] * (HEALTHY_MIN + AFTER_MIN))
    return worked([0.88] * AFTER_MIN, first_min=HEALTHY_MIN + AFTER_MIN, robot=healthy, seed=2)


@pytest.fixture
def store(tmp_path: Path, robot: Robot) -> Iterator[Store]:
    made = Store(tmp_path / "store.db")
    stored(made, robot)
    yield made
    made.close()


def calibrated(store: Store, tmp_path: Path) -> tuple[Calibration, Calibrations]:
    kept = Calibrations(tmp_path / "drift")
    return calibrate_on(store, "orin", START_NS, at(HEALTHY_MIN), "anna", kept=kept, wall_ns=0), kept


def at(minutes: float) -> int:
    return START_NS + round(minutes * MINUTE_NS)


def test_a_robot_that_sees_less_is_told_with_since_when_and_which_figure(store: Store, tmp_path: Path) -> None:
    made, kept = calibrated(store, tmp_path)
    assert (made.blocks, made.origin) == (HEALTHY_MIN, Origin("b", "scene:"))
    changed = HEALTHY_MIN + AFTER_MIN
    well = drift_between(store, "orin", at(HEALTHY_MIN), at(changed), kept=kept)
    assert (well.alarms, well.minutes, well.words) == ((), AFTER_MIN, f"no drift in {AFTER_MIN} minutes")
    found = drift_now(store, "orin", kept=kept, wall_ns=at(changed + AFTER_MIN))
    assert found.alarms[0].metric == "confidence"
    assert found.alarms[0].way == "fell"
    assert abs(found.alarms[0].since_ns - at(changed)) <= 5 * MINUTE_NS
    assert found.calibration == made.digest
    assert "confidence fell" in found.words
    assert "detections_a_frame" in found.left_out  # it never changed: nothing can be said of it


def test_without_a_calibration_nothing_is_claimed_and_what_is_missing_is_said(store: Store, tmp_path: Path) -> None:
    found = drift_now(store, "orin", kept=Calibrations(tmp_path / "drift"), wall_ns=at(1000))
    assert (found.alarms, found.calibration, found.needed_minutes) == ((), None, 100)
    assert found.healthy_minutes == HEALTHY_MIN + 2 * AFTER_MIN - 1  # the newest minute may still grow
    assert "not calibrated" in found.words
    assert "no whole minute" in drift_now(store, "other", kept=Calibrations(tmp_path / "drift")).words


def test_another_bundle_is_another_detector(store: Store, tmp_path: Path) -> None:
    """A new model has other scores: to call that drift, or to call it healthy, would both be wrong."""
    _, kept = calibrated(store, tmp_path)
    later = Robot(boot="boot-2", booted_ns=at(500))
    for minute in range(5):
        for second in range(10, 61, 10):
            later.now_ns = minute * MINUTE_NS + second * S - 1
            later.window(span_s=5.0, score=0.4, bundle="c")
    stored(store, later, journal="j2")
    found = drift_now(store, "orin", kept=kept, wall_ns=at(600))
    assert (found.calibration, found.healthy_minutes) == (None, 4)


def test_too_little_healthy_data_is_refused_with_how_much_is_missing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(Trouble) as caught:
        calibrate_on(store, "orin", START_NS, at(30), "anna", kept=Calibrations(tmp_path))
    assert caught.value.code == "too_little_healthy"
    assert "30 healthy blocks" in caught.value.what
    with pytest.raises(Trouble) as caught:
        calibrate_on(store, "orin", at(9000), at(9999), "anna", kept=Calibrations(tmp_path))
    assert caught.value.code == "no_data"


def test_the_same_healthy_span_gives_the_same_detector(store: Store, tmp_path: Path) -> None:
    one, kept = calibrated(store, tmp_path)
    two, _ = calibrated(store, tmp_path)
    assert one.digest == two.digest
    again = kept.find("orin", one.origin)
    assert again is not None
    assert again == one


@pytest.mark.parametrize("spoil", [b"", b"{", b'{"digest":"x","calibration":{}}', b"\xff\xfe"])
def test_a_damaged_calibration_judges_nothing(store: Store, tmp_path: Path, spoil: bytes) -> None:
    made, kept = calibrated(store, tmp_path)
    path = kept.keep(made)
    path.write_bytes(spoil)
    with pytest.raises(Trouble) as caught:
        kept.find("orin", made.origin)
    assert caught.value.code == "damaged_calibration"
    assert "calibrate" in caught.value.cure


def test_a_calibration_that_was_edited_judges_nothing(store: Store, tmp_path: Path) -> None:
    made, kept = calibrated(store, tmp_path)
    path = kept.keep(made)
    path.write_bytes(path.read_bytes().replace(b'"person":"anna"', b'"person":"otto"'))
    with pytest.raises(Trouble):
        kept.find("orin", made.origin)
    found = drift_now(store, "orin", kept=kept, wall_ns=at(300))
    assert (found.alarms, found.calibration, found.minutes) == ((), None, 0)
    assert "not what its digest says" in found.words


def test_a_minute_with_little_work_is_no_block(tmp_path: Path) -> None:
    store = Store(tmp_path / "other.db")
    made = Robot()
    made.work(29)
    made.now_ns = 60 * S
    made.work(31)
    made.now_ns = 120 * S
    made.write_end()
    stored(store, made)
    assert [one.begin_ns for one in blocks_between(store, "orin", Origin("b", "scene:"), 0, at(99))] == [at(1)]
    store.close()
