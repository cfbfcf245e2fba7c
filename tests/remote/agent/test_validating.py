"""Validate: the suite runs on the robot itself, by its own limits, and a model that kills its engine kills only its child."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.agent.validation import Validation
from remote.errors import Trouble
from remote.models.validation.plan import Plan
from remote.protocol import CheckBundle, Constraints, Reply, Request, SetWatch, Validate, Watch
from tests.remote.agent.model_robot import LONG, ended, models, push, running, stage, until
from tests.remote.agent.robot import Robot
from tests.remote.agent.test_facts import put_bundle

PLAN = Plan(folder="/b", profile="x86")


def test_the_robot_validates_a_bundle_and_holds_it_to_its_own_constraints(robot: Robot, tmp_path: Path) -> None:
    """A pass on the robot must be one under the limits that are in force there, not under a laptop's."""
    digest = put_bundle(robot.home, tmp_path / "made")
    console = robot.console()
    first = console.ask(Validate(digest[:12], "x86", 25)).validation
    assert first is not None
    found = {check.name: check for check in first.checks}
    assert (first.digest, first.name, first.profile) == (digest, "tiny", "x86")
    assert first.engine.startswith("ONNX Runtime")
    assert found["safety_hostile"].verdict == "pass"
    assert (found["latency_engine"].verdict, found["latency_engine"].n) == ("inconclusive", 25)
    assert "299" in found["latency_engine"].text
    epoch = console.take_lease()
    told = console.ask(SetWatch(Watch(constraints=Constraints(max_boxes=1))), epoch=epoch)
    assert told.error is None
    second = console.ask(Validate(digest, "x86", 1)).validation
    assert second is not None
    assert second.verdict == "fail"
    assert "at most 1" in {check.name: check for check in second.checks}["safety_hostile"].text


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (Validate("0" * 64, "x86"), "unknown_bundle"),
        (Validate("0" * 64, "x86", 0), "bad_runs"),
        (Validate("0" * 64, "x86", 299, {"engine_p99": 3.0}), "bad_limit"),
    ],
    ids=["bundle", "runs", "limit"],
)
def test_what_can_not_be_meant_is_refused_before_anything_runs(idle: Robot, command: Validate, code: str) -> None:
    error = idle.console().ask(command).error
    assert error is not None
    assert error.code == code


def script(text: str, limit_s: float = 20.0) -> Validation:
    return Validation(Path("/"), limit_s=limit_s, command=(sys.executable, "-c", text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("import os; os.kill(os.getpid(), 11)", "validation_crashed"),
        ("print('{}')", "validation_crashed"),
        ("print('[' * 60000)", "validation_crashed"),
        ("""print('{"error": {"code": "bad_table", "what": "so"}}')""", "bad_table"),
    ],
    ids=["signal", "nothing", "deep", "trouble"],
)
async def test_a_child_without_a_report_is_no_pass(text: str, code: str) -> None:
    with pytest.raises(Trouble) as refused:
        await script(text).run(PLAN)
    assert refused.value.code == code


async def test_a_run_that_never_ends_is_ended() -> None:
    with pytest.raises(Trouble) as late:
        await script("import time; time.sleep(60)", limit_s=0.2).run(PLAN)
    assert late.value.code == "validation_timeout"


def test_checking_goes_on_after_a_validation(idle: Robot, tmp_path: Path) -> None:
    digest = put_bundle(idle.home, tmp_path / "made")
    console = idle.console()
    assert console.ask(Validate(digest, "jetson", 1)).validation is not None
    assert console.ask(CheckBundle(digest)).bundle_report is not None


# ------------------------------------------------------------ beside a change of models


def test_nothing_is_validated_beside_a_change(make_robot: Callable[..., Robot], tmp_path: Path) -> None:
    """A candidate's times are judged just then: the suite's load would take a good model back."""
    robot = make_robot("real")
    console, epoch = running(robot)
    assert push(console, epoch, stage(robot.home, tmp_path / "made"), LONG).error is None
    until(console, lambda m: m.step == "probation", "probation")
    current = models(console).current
    assert current is not None
    error = console.ask(Validate(current.digest, "x86", 1)).error
    assert error is not None
    assert (error.code, "is under way (probation)" in error.what) == ("update_underway", True)


def test_a_change_waits_with_the_switch_until_a_validation_has_ended(
    make_robot: Callable[..., Robot], tmp_path: Path
) -> None:
    robot = make_robot("real")
    old, new = put_bundle(robot.home, tmp_path / "old"), stage(robot.home, tmp_path / "new")
    console, epoch = running(robot)
    console.send(Request(id="suite", command=Validate(old, "x86", 8_000)))
    other = robot.console()
    console.until(
        lambda: (error := other.ask(Validate(old, "x86", 1)).error) is not None and error.code == "validation_busy",
        "suite",
    )
    assert push(console, epoch, new).error is None
    until(console, lambda m: m.step == "waiting_for_safe" and "is validated" in m.waits_for, "waiting for the suite")
    assert not [one for one in console.all(Reply) if one.id == "suite"]
    console.until(lambda: [one for one in console.all(Reply) if one.id == "suite"], "the suite's end")
    assert ended(console, new).ended == "committed"
