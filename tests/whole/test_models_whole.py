"""Changes of a model that take their time: the robot goes through them alone, and takes one up again after a kill."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.protocol import Start
from tests.remote.agent.conftest import make_robot
from tests.remote.agent.model_robot import ended, push, running, stage, until
from tests.remote.agent.robot import Robot

__all__ = ["make_robot"]
pytestmark = pytest.mark.tour


@pytest.fixture
def real(make_robot: Callable[..., Robot]) -> Robot:
    return make_robot("real")


def test_what_the_person_who_pushed_does_not_wait_for_goes_on(real: Robot, tmp_path: Path) -> None:
    console, epoch = running(real)
    digest = stage(real.home, tmp_path / "made")
    push(console, epoch, digest)
    console.close()
    assert ended(real.console("ben").subscribe(), digest).ended == "committed"


def test_after_a_kill_in_the_self_test_the_change_is_taken_up_again(real: Robot, tmp_path: Path) -> None:
    console, epoch = running(real)
    digest = stage(real.home, tmp_path / "made")
    push(console, epoch, digest)
    until(console, lambda m: m.step == "self_test", "the self-test")
    real.end(signal.SIGKILL)
    again = real.start().console().subscribe()
    until(again, lambda m: m.step in ("switched", "probation"), "the switch")
    epoch = again.take_lease()
    assert again.ask(Start(), epoch=epoch).error is None
    assert ended(again, digest).ended == "committed"
