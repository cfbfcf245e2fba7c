from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.remote.agent.robot import Robot


@pytest.fixture
def make_robot(tmp_path: Path) -> Iterator[Callable[..., Robot]]:
    """Starts agents in homes below tmp_path; all are ended afterwards."""
    made: list[Robot] = []

    def make(behaviour: str = "normal", lease_s: float = 10.0, home: str = "home") -> Robot:
        robot = Robot(tmp_path / home, behaviour, lease_s)
        made.append(robot)
        return robot.start()

    yield make
    for robot in made:
        robot.end(signal.SIGKILL)


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Robot]:
    """One agent for all tests of a module that change nothing there."""
    robot = Robot(tmp_path_factory.mktemp("idle")).start()
    yield robot
    robot.end(signal.SIGKILL)


@pytest.fixture
def robot(make_robot: Callable[..., Robot]) -> Robot:
    return make_robot()
