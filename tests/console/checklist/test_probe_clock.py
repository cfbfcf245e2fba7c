"""The probe clock: how far the robot's clock is off, measured over the link and never guessed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from console.checklist.probes.clock import ClockParameters, look_at_clock
from console.fieldtest.criteria import Criterion, Number
from console.fieldtest.judging import judge
from console.link.snapshot import Snapshot
from console.looking import OfflineSight
from tests.console.checklist.given_robot import GivenRobot, link, shot
from tests.real_sight import agent, seen

GIVEN = ClockParameters(timeout_s=3.0)
SANE = Criterion(metric="clock_offset_s", comparison="<=", threshold=1.0, unit="s", judge="point")


def off_by(ms: float | None) -> Snapshot:
    return msgspec.structs.replace(shot(), link=link(robot_wall_offset_ms=ms, round_trip_ms=8.0))


def test_a_robot_on_this_machine_has_this_machines_clock(tmp_path: Path) -> None:
    with agent(tmp_path / "home") as robot, seen(robot.home, tmp_path / "laptop") as sight:
        found = look_at_clock(sight, ClockParameters())
    assert isinstance(found.measurement, Number)
    assert (found.measurement.unit, judge(SANE, found.measurement).verdict) == ("s", "pass")
    assert found.measurement.value < 0.5
    assert float(found.details["error_s"] or 0) < 1


@pytest.mark.parametrize(
    ("ms", "seconds", "word", "verdict"),
    [
        (1000.0, 1.0, "ahead", "pass"),
        (-1000.0, 1.0, "behind", "pass"),
        (1001.0, 1.001, "ahead", "fail"),
        (-86_400_000.0, 86_400.0, "behind", "fail"),
        (0.0, 0.0, "exact", "pass"),
    ],
)
def test_a_clock_that_is_behind_is_as_wrong_as_one_that_is_ahead(
    ms: float, seconds: float, word: str, verdict: str
) -> None:
    found = look_at_clock(GivenRobot(off_by(ms)).sight, GIVEN)
    assert isinstance(found.measurement, Number)
    assert (found.measurement.unit, round(found.measurement.value, 9)) == ("s", seconds)
    assert found.details["robot_is"] == word
    assert found.details["offset_s"] == pytest.approx(ms / 1000)
    assert found.details["error_s"] == pytest.approx(0.004)
    assert judge(SANE, found.measurement).verdict == verdict


def test_it_waits_for_the_first_measurement() -> None:
    robot = GivenRobot(off_by(None), off_by(None), off_by(20.0))
    assert look_at_clock(robot.sight, GIVEN).measurement == Number(value=0.02, unit="s")


def test_what_was_not_measured_is_unavailable_and_not_zero(tmp_path: Path) -> None:
    down = msgspec.structs.replace(shot(), link=link("down", reason="the cable is out", cure="plug it in"))
    for sight, says in (
        (GivenRobot(off_by(None)).sight, "not measured within 3 s"),
        (GivenRobot(down).sight, "the cable is out"),
        (OfflineSight(tmp_path), "needs the robot"),
    ):
        found = look_at_clock(sight, GIVEN)
        assert found.measurement is None
        assert says in found.unavailable
        assert found.cure
