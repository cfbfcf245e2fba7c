"""The probes disk and power_mode: what the robot's computer says now; an old or missing word is no measurement."""

from __future__ import annotations

from pathlib import Path

import msgspec
import psutil
import pytest

from console.checklist.probes import Finding, Sight
from console.checklist.probes.host import (
    FRESH_S,
    DiskParameters,
    PowerModeParameters,
    look_at_disk,
    look_at_power_mode,
)
from console.fieldtest.criteria import Answer, Number
from console.link.snapshot import Snapshot
from console.looking import OfflineSight
from tests.console.checklist.given_robot import GivenRobot, S, host, link, shot
from tests.real_sight import agent, seen

NOW_NS = 100 * S
FREE = DiskParameters()
PERCENT = DiskParameters(measure="disk_percent")
MODE = PowerModeParameters(mode="15W", timeout_s=1.0)


def disk(age_s: float) -> Snapshot:
    made = host(NOW_NS - round(age_s * S), values={"disk_free_bytes": 5e9, "disk_percent": 61.5})
    return shot(hosts=(made,))


def mode(word: str | None, why: str = "") -> GivenRobot:
    text = {"power_mode": word} if word is not None else {}
    return GivenRobot(shot(hosts=(host(NOW_NS, text=text, unavailable={"power_mode": why} if why else {}),)))


def unavailable(found: Finding, *words: str) -> None:
    assert found.measurement is None
    assert found.cure
    for word in words:
        assert word in found.unavailable


# ------------------------------------------------------------ a real robot


def test_a_real_robots_disk_is_the_disk_that_the_journal_lies_on(tmp_path: Path) -> None:
    with agent(tmp_path / "home") as robot, seen(robot.home, tmp_path / "laptop") as sight:
        free, percent = look_at_disk(sight, FREE), look_at_disk(sight, PERCENT)
        power = look_at_power_mode(sight, MODE)
        usage = psutil.disk_usage(str(robot.home))
    assert isinstance(free.measurement, Number)
    assert free.measurement.unit == "B"
    assert free.measurement.value == pytest.approx(usage.free, rel=0.1)
    assert isinstance(percent.measurement, Number)
    assert percent.measurement.unit == "%"
    assert percent.measurement.value == pytest.approx(usage.percent, abs=5)
    if not Path("/proc/device-tree/model").exists():
        unavailable(power, "not a Jetson")


# ------------------------------------------------------------ given robots


def test_free_bytes_and_per_cent_are_the_two_measures() -> None:
    sight = GivenRobot(disk(1)).sight
    free = look_at_disk(sight, FREE)
    assert free.measurement == Number(value=5e9, unit="B")
    assert free.details == {"disk_free_bytes": 5e9, "disk_percent": 61.5}
    one = shot(hosts=(host(NOW_NS, values={"disk_free_bytes": 5e9}),))
    assert look_at_disk(GivenRobot(one).sight, FREE).details == {"disk_free_bytes": 5e9}
    assert look_at_disk(sight, PERCENT).measurement == Number(value=61.5, unit="%")


@pytest.mark.parametrize(("age_s", "counts"), [(0.0, True), (FRESH_S, True), (FRESH_S + 0.01, False), (4000.0, False)])
def test_a_sample_counts_while_it_is_fresh(age_s: float, counts: bool) -> None:
    found = look_at_disk(GivenRobot(disk(age_s)).sight, DiskParameters(timeout_s=0.01))
    assert (found.measurement is not None) == counts
    if not counts:
        unavailable(found, "s old, more than 5 s")


def test_a_fresh_sample_is_waited_for() -> None:
    robot = GivenRobot(shot(), disk(60), disk(-0.2))
    assert look_at_disk(robot.sight, FREE).measurement == Number(value=5e9, unit="B")


def test_a_sample_from_before_the_robots_restart_says_nothing_of_now() -> None:
    old = shot(hosts=(host(None, values={"disk_free_bytes": 5e9}),))
    unavailable(look_at_disk(GivenRobot(old).sight, FREE), "before its restart")


def test_no_sample_no_link_and_no_robot_are_unavailable_each_in_its_words(tmp_path: Path) -> None:
    down = msgspec.structs.replace(disk(1), link=link("down", reason="the cable is out", cure="plug it in"))
    cases: tuple[tuple[Sight, str], ...] = (
        (GivenRobot(shot()).sight, "no sample"),
        (GivenRobot(down).sight, "the cable is out"),
        (OfflineSight(tmp_path), "needs the robot"),
    )
    for sight, words in cases:
        unavailable(look_at_disk(sight, FREE), words)
        unavailable(look_at_power_mode(sight, MODE), words)


def test_a_disk_that_the_robot_can_not_read_gives_its_own_reason() -> None:
    broken = shot(hosts=(host(NOW_NS, unavailable={"disk_free_bytes": "PermissionError: no"}),))
    unavailable(look_at_disk(GivenRobot(broken).sight, FREE), "PermissionError: no")
    unavailable(look_at_disk(GivenRobot(shot(hosts=(host(NOW_NS),))).sight, FREE), "says nothing of it")


def test_the_wanted_power_mode_holds_and_every_other_one_does_not() -> None:
    found = look_at_power_mode(mode("15W").sight, MODE)
    assert found.measurement == Answer(holds=True, words="the power mode is 15W")
    for other in ("MAXN", "15w", "15W_2", "7W"):
        answer = look_at_power_mode(mode(other).sight, MODE).measurement
        assert isinstance(answer, Answer)
        assert not answer.holds
        assert f"is {other}, not 15W" in answer.words


@pytest.mark.parametrize("word", [None, ""])
def test_a_computer_without_power_modes_is_unavailable_with_its_own_reason(word: str | None) -> None:
    unavailable(look_at_power_mode(mode(word, "not a Jetson").sight, MODE), "not a Jetson")


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        (DiskParameters, {"measure": "disk_used"}),
        (DiskParameters, {"timeout_s": 0}),
        (PowerModeParameters, {}),
        (PowerModeParameters, {"mode": ""}),
        (PowerModeParameters, {"mode": "15W", "modes": "x"}),
    ],
)
def test_parameters_that_mean_nothing_are_refused_where_the_pack_is_read(
    kind: type[msgspec.Struct], given: dict[str, object]
) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, kind)
