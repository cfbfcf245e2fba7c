"""A change of models on a small robot with a real store, slots and worker: how it goes, is refused and is called off."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import pytest

from remote.errors import Trouble
from remote.model_states import Step
from remote.verdicts import Check
from tests.remote.activation.changing_robot import (
    OLD,
    STEPS,
    UNCHANGED,
    last,
    push,
    saved,
    stands,
)
from tests.remote.activation.small_robot import (
    GOOD,
    PLAN,
    SmallRobot,
    bundle_files,
    slot,
)


async def test_a_good_model_is_kept_and_every_step_is_journalled(robot: SmallRobot) -> None:
    digest = push(robot)
    await robot.settle()
    assert stands(robot) == ("new", "old")
    assert [data["step"] for name, data in robot.told if name == "model_step"] == list(STEPS)
    name, data = robot.told[-1]
    assert (name, data["ended"], data["digest"], data["step"]) == (
        "model_change_ended",
        "committed",
        digest,
        "probation",
    )
    assert robot.runs == digest
    assert robot.starts_of(digest) == 1
    assert {check.name for check in last(robot).checks} >= {"frames", "seconds", "bad_results", "worker_deaths"}


async def test_a_change_ends_with_the_agent_though_an_await_swallowed_that_it_was_called_off(robot: SmallRobot) -> None:
    """`asyncio.wait_for` swallows it where the answer comes at that moment: the agent's end waited for ever."""
    asked = asyncio.Event()

    async def busy() -> str:
        asked.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return "the arm moves"

    robot.busy = busy  # type: ignore[method-assign]
    push(robot)
    await asyncio.wait_for(asked.wait(), 10)
    await asyncio.wait_for(robot.change.close(), 2)


async def test_a_step_is_on_the_disk_before_it_is_done_and_an_attempt_before_the_start(robot: SmallRobot) -> None:
    """What is done without being written is not known after a power cut."""
    seen: list[tuple[Step, Step]] = []
    robot.building = lambda: seen.append(("building", saved(robot).step))
    start = robot.start_worker

    async def starts() -> None:
        await start()
        seen.append(("switched", saved(robot).step))
        assert saved(robot).attempts == 1

    robot.start_worker = starts  # type: ignore[method-assign]
    push(robot)
    await robot.settle()
    assert seen == [("building", "building"), ("switched", "switched")]


async def test_cancelling_ends_the_build_and_changes_nothing(robot: SmallRobot) -> None:
    robot.build_waits = asyncio.Event()
    push(robot)
    await robot.until("building")
    robot.change.cancel("not now")
    assert (last(robot).ended, last(robot).why, last(robot).step) == ("cancelled", "not now", "building")
    assert stands(robot) == UNCHANGED
    robot.build_waits = None
    push(robot, b"other\n")
    await robot.settle()
    assert robot.build_ended == "cancelled", "and its end was waited for before the next build"
    assert stands(robot) == ("new", "old")


async def test_a_build_that_swallows_being_cancelled_can_not_go_on_with_the_next_change(robot: SmallRobot) -> None:
    gate = robot.build_waits = asyncio.Event()
    waits = gate.wait

    async def deaf() -> bool:
        try:
            return await waits()
        except asyncio.CancelledError:
            return True

    gate.wait = deaf  # type: ignore[method-assign,assignment]
    push(robot)
    await robot.until("building")
    robot.change.cancel("not now")
    robot.build_waits = None
    push(robot, b"other\n")
    await robot.settle()
    steps = [data["step"] for name, data in robot.told if name == "model_step"]
    assert steps == ["verified", "staged", "building", *STEPS]


async def test_cancelling_in_probation_brings_the_one_before_back(robot: SmallRobot) -> None:
    push(robot, frames=10_000)
    await robot.until("probation")
    robot.change.cancel("I don't like it")
    await robot.settle()
    assert (last(robot).ended, last(robot).step) == ("cancelled", "probation")
    assert stands(robot) == UNCHANGED
    assert robot.runs == bundle_files(OLD)[0]
    with pytest.raises(Trouble, match="no change is under way"):
        robot.change.cancel("again")


@pytest.mark.parametrize("verdict", ["fail", "inconclusive", "skipped"])
async def test_only_a_self_test_that_passes_leads_on(robot: SmallRobot, verdict: str) -> None:
    robot.checks = (Check(name="golden", verdict=verdict, text="the outputs differ"),)  # type: ignore[arg-type]
    push(robot)
    await robot.settle()
    assert (last(robot).ended, last(robot).step) == ("refused", "self_test")
    assert last(robot).checks == robot.checks
    assert last(robot).why
    assert stands(robot) == UNCHANGED


def raising(error: Exception) -> Callable[[], object]:
    def fails() -> object:
        raise error

    return fails


@pytest.mark.parametrize(
    "error", [Trouble("out of memory", code="engine_memory"), RuntimeError("a bug")], ids=["trouble", "bug"]
)
async def test_a_build_that_fails_is_refused_with_its_reason(robot: SmallRobot, error: Exception) -> None:
    robot.building = raising(error)
    push(robot)
    await robot.settle()
    assert (last(robot).ended, last(robot).step) == ("refused", "building")
    assert str(error).splitlines()[0] in last(robot).why
    assert stands(robot) == UNCHANGED


async def test_what_was_damaged_on_its_way_is_refused_before_anything_else(robot: SmallRobot) -> None:
    digest = robot.put(GOOD)
    (robot.store.staging(digest) / "model.onnx").write_bytes(b"evil")
    robot.change.begin(slot(digest), PLAN)
    await robot.settle()
    assert (last(robot).ended, last(robot).step) == ("refused", "verified")
    assert stands(robot) == UNCHANGED
    assert not robot.store.has(digest)


async def test_the_second_of_two_pushes_is_refused(robot: SmallRobot) -> None:
    push(robot)
    with pytest.raises(Trouble) as caught:
        push(robot, b"other\n")
    assert caught.value.code == "update_underway"
    await robot.settle()
    assert stands(robot) == ("new", "old")


async def test_what_is_not_there_can_not_be_begun(robot: SmallRobot) -> None:
    with pytest.raises(Trouble) as caught:
        robot.change.begin(slot("0" * 64), PLAN)
    assert caught.value.code == "unknown_bundle"
    assert not robot.change.underway
