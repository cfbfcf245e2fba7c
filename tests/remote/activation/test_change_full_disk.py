"""A change of models on a disk that is full, or fills up in any of its steps."""

from __future__ import annotations

import asyncio
import resource
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.errors import Trouble
from remote.model_states import Step
from tests.killing import ended, forked
from tests.remote.activation.changing_robot import (
    STEPS,
    UNCHANGED,
    a_robot,
    last,
    push,
    saved,
    stands,
    ticks,
)
from tests.remote.activation.small_robot import (
    GOOD,
    PLAN,
    slot,
)


def with_full_disk(work: Callable[[], None]) -> None:
    """In a child, so that only its own files can't grow."""

    def inside() -> None:
        try:
            work()
        except BaseException:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            traceback.print_exc()
            raise

    assert ended(forked(inside)) == 0


def fill(full: bool) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0 if full else resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def test_a_push_onto_a_full_disk_is_refused_with_nothing_half(tmp_path: Path) -> None:
    async def life() -> None:
        robot = a_robot(tmp_path)
        digest = robot.put(GOOD)
        before = saved(robot)
        fill(True)
        with pytest.raises(Trouble) as caught:
            robot.change.begin(slot(digest), PLAN)
        assert caught.value.code == "slots_unwritable"
        assert caught.value.cure
        assert saved(robot) == before == robot.change.slots
        assert not list(robot.disk.glob(".*.tmp"))

    with_full_disk(lambda: asyncio.run(life()))


@pytest.mark.parametrize("step", STEPS)
def test_a_disk_that_fills_up_in_any_step_is_said_and_it_goes_on_when_there_is_room(tmp_path: Path, step: Step) -> None:
    """Except where a start of the candidate can't be counted: then it is not made, and the one before runs."""

    async def life() -> None:
        robot = a_robot(tmp_path)
        await robot.start_worker()
        digest = push(robot)
        if step == "verified":
            fill(True)
        robot.on_tell = lambda name, data: fill(True) if data.get("step") == step else None
        for _ in range(300):
            robot.change.tick()
            await asyncio.sleep(0.001)
        assert robot.change.underway or step == "switched"
        assert "slots" in robot.change.state().waits_for
        assert saved(robot).step == step, "what was not saved is not done"
        assert robot.starts_of(digest) <= saved(robot).attempts
        robot.on_tell = lambda name, data: None
        fill(False)
        await robot.settle()
        robot.change.tick()
        assert stands(robot) == (UNCHANGED if step == "switched" else ("new", "old"))
        await robot.end()

    with_full_disk(lambda: asyncio.run(life()))


@pytest.mark.parametrize("back", [False, True])
def test_a_switch_that_waited_for_the_disk_asks_the_robot_again(tmp_path: Path, back: bool) -> None:
    """Else an arm that moves again since hours loses its eyes when somebody makes room on the disk."""

    async def life() -> None:
        robot = a_robot(tmp_path)
        await robot.start_worker()
        robot.on_tell = lambda name, data: fill(True) if data.get("step") == "waiting_for_safe" else None
        if back:
            robot.change.go_back("anna wants it")
        else:
            push(robot)
        for _ in range(300):
            robot.change.tick()
            await asyncio.sleep(0.001)
        assert "slots" in robot.change.state().waits_for
        robot.busy_with = "the arm moves"
        fill(False)
        await ticks(robot, 50)
        assert (robot.change.slots.step, robot.change.state().waits_for) == ("waiting_for_safe", "the arm moves")
        robot.busy_with = ""
        await robot.settle()
        assert last(robot).ended == ("went_back" if back else "committed")
        await robot.end()

    with_full_disk(lambda: asyncio.run(life()))
