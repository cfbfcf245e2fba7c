"""How the model before comes back: after crashes, verdicts, time, power cuts, and where a person wants it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from remote.activation import driver
from remote.activation.ground import Seen
from remote.agent.clock import Clock
from tests.remote.activation.changing_robot import (
    OLD,
    UNCHANGED,
    Hands,
    a_robot,
    last,
    push,
    saved,
    stands,
)
from tests.remote.activation.small_robot import (
    CRASHES,
    CRASHES_LATE,
    GOOD,
    PLAN,
    SmallRobot,
    bundle_files,
    slot,
)


async def runs_the_old_one(robot: SmallRobot) -> None:
    """The worker is started again soon, with what ran before."""
    for _ in range(2000):
        if robot.process is not None and robot.runs == bundle_files(OLD)[0]:
            return
        await asyncio.sleep(0.001)
    raise AssertionError("the one before does not run")


@pytest.mark.parametrize("model", [CRASHES, CRASHES_LATE], ids=["at-once", "after-its-frames"])
@pytest.mark.parametrize("restarts", [1, 3])
async def test_a_model_that_crashes_comes_back_by_itself(robot: SmallRobot, model: bytes, restarts: int) -> None:
    digest = push(robot, model, restarts=restarts)
    await robot.settle()
    assert last(robot).ended == "returned"
    assert f"started {restarts} times" in last(robot).why
    assert "exit 1" in last(robot).why
    assert robot.starts_of(digest) == restarts
    assert stands(robot) == UNCHANGED
    await runs_the_old_one(robot)


async def test_a_model_that_the_worker_refuses_comes_back_after_its_starts(robot: SmallRobot) -> None:
    robot.unable = "the engine can't take it"
    digest = push(robot)
    await robot.settle()
    assert (last(robot).ended, last(robot).step) == ("returned", "switched")
    assert robot.unable in last(robot).why
    assert robot.starts_of(digest) <= PLAN.restarts
    assert stands(robot) == UNCHANGED
    await runs_the_old_one(robot)


async def test_a_robot_on_which_nothing_starts_any_more_takes_another_bundle_all_the_same(
    robot: SmallRobot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A GPU that hangs ends the one before as well: the way back can't be called off, so it must not wait for ever."""
    monkeypatch.setattr(driver, "LONGEST_RETURN_S", 0.1)
    runs = robot.run_worker

    async def never_ready(digest: str) -> None:
        await runs(digest)
        if digest == bundle_files(OLD)[0]:
            await asyncio.Event().wait()

    monkeypatch.setattr(robot, "run_worker", never_ready)
    push(robot, CRASHES)
    await robot.settle()
    assert last(robot).ended == "returned"
    assert last(robot).why.endswith("has not started with the one before within 0.1 s, it is tried on")
    push(robot)
    await robot.settle()
    assert last(robot).ended == "committed"


async def test_a_first_model_that_is_given_back_does_not_run_on(tmp_path: Path) -> None:
    """Where none came with the agent and none ran before, there is none to come back: a bad one must not stay for that."""
    (tmp_path / "disk").mkdir()
    robot = SmallRobot(tmp_path / "disk", tmp_path / "starts")
    robot.change.load()
    robot.since = Seen(frames=5, seconds=1)
    push(robot)
    await robot.until("probation")
    await robot.start_worker()
    robot.since = Seen(frames=40, seconds=1, failures={"bad_output": 1})
    await robot.settle()
    assert (last(robot).ended, robot.process) == ("returned", None)
    assert last(robot).why.endswith("there was none before it: the worker is stopped")
    await robot.end()


async def test_what_does_worse_comes_back_with_the_numbers(robot: SmallRobot) -> None:
    robot.since = Seen(frames=40, failed=60, seconds=5)
    push(robot, failed_share=0.01)
    await robot.settle()
    assert (last(robot).ended, last(robot).step) == ("returned", "probation")
    assert "60 of 100 frames had no answer" in last(robot).why
    assert stands(robot) == UNCHANGED


async def test_what_decides_nothing_comes_back_at_the_end_of_its_time(robot: SmallRobot, hands: Hands) -> None:
    robot.since = Seen(frames=5, seconds=1)
    push(robot, most_s=100)
    await robot.until("probation")
    for _ in range(10):
        robot.change.tick()
        await asyncio.sleep(0.001)
        hands.mono_ns += 10 * 10**9
        assert robot.change.slots.step == "probation"
    hands.mono_ns += 10 * 10**9
    await robot.settle()
    assert last(robot).ended == "returned"
    assert "nothing was decided within 100 s: it ran 5 of 32 frames" in last(robot).why


async def test_while_the_worker_is_stopped_time_stands_still(robot: SmallRobot, hands: Hands) -> None:
    robot.since = Seen(frames=5, seconds=1)
    push(robot, most_s=100)
    await robot.until("probation")
    robot.wanted = False
    for _ in range(20):
        robot.change.tick()
        await asyncio.sleep(0.001)
        hands.mono_ns += 3600 * 10**9
    assert robot.change.slots.step == "probation"
    assert "stopped" in robot.change.state().waits_for
    robot.wanted, robot.since = True, None
    await robot.settle()
    assert last(robot).ended == "committed"


@pytest.mark.parametrize("days", [-20_000, -1, 1, 20_000])
async def test_a_wall_clock_that_jumps_decides_nothing(robot: SmallRobot, hands: Hands, days: int) -> None:
    robot.since = Seen(frames=5, seconds=1)
    push(robot, most_s=100)
    await robot.until("probation")
    hands.wall_ns += days * 86_400 * 10**9
    for _ in range(5):
        robot.change.tick()
        await asyncio.sleep(0.001)
    assert robot.change.slots.step == "probation"
    robot.since = None
    await robot.settle()
    assert last(robot).ended == "committed"


async def test_after_a_reboot_the_time_of_probation_begins_anew_and_its_starts_count_on(tmp_path: Path) -> None:
    hands = Hands()
    first = a_robot(tmp_path, hands.clock("one"))
    await first.start_worker()
    first.since = Seen(frames=5, seconds=1)
    digest = push(first, most_s=100)
    await first.until("probation")
    await first.end()
    hands.mono_ns = 5  # the computer's own clock begins anew with it
    second = a_robot(tmp_path, hands.clock("two"))
    second.change.resume()
    await second.start_worker()
    assert second.change.slots.attempts == 2
    await second.settle()
    assert last(second).ended == "committed"
    assert second.starts_of(digest) == 2
    await second.end()


async def test_a_robot_that_is_switched_off_again_and_again_in_probation_returns(tmp_path: Path) -> None:
    for life in range(5):
        robot = a_robot(tmp_path, Clock(f"boot{life}"))
        robot.since = Seen(frames=1)
        robot.change.resume()
        await robot.start_worker()
        if not life:
            push(robot)
        await robot.until("probation" if life < 3 else "idle")
        await robot.end()
    assert last(robot).ended == "returned"
    assert stands(robot) == UNCHANGED


async def test_a_person_goes_back_when_the_robot_is_idle(robot: SmallRobot) -> None:
    push(robot)
    await robot.settle()
    robot.busy_with = "the arm moves"
    robot.change.go_back("it misses cups")
    await robot.until("waiting_for_safe")
    assert stands(robot) == ("new", "old")
    robot.busy_with = ""
    await robot.settle()
    assert stands(robot) == ("old", "new")
    assert (last(robot).ended, last(robot).why, last(robot).name) == ("went_back", "it misses cups", "new")
    assert robot.runs == bundle_files(OLD)[0]


async def test_going_back_in_probation_does_not_wait(robot: SmallRobot) -> None:
    push(robot, frames=10_000)
    await robot.until("probation")
    robot.busy_with = "the arm moves"
    robot.change.go_back("look at it")
    await robot.settle()
    assert (last(robot).ended, last(robot).why) == ("went_back", "look at it")
    assert stands(robot) == UNCHANGED


async def test_nobody_goes_back_to_a_bundle_that_is_damaged_by_now(robot: SmallRobot) -> None:
    """The one that runs would have been ended for one that can't start: the robot would stand there without any."""
    robot.store.stage(robot.put(GOOD))
    robot.change.set_current(slot(bundle_files(GOOD)[0]))
    await robot.run_worker(bundle_files(GOOD)[0])
    model = robot.store.folder(bundle_files(OLD)[0]) / "model.onnx"
    model.chmod(0o644)
    model.write_bytes(bytes(model.stat().st_size))
    robot.change.go_back("look at it")
    await robot.settle()
    assert (last(robot).ended, last(robot).step) == ("refused", "waiting_for_safe")
    assert "model.onnx is not the file" in last(robot).why
    assert robot.change.digest == robot.runs == bundle_files(GOOD)[0]


async def test_a_candidate_that_vanishes_on_trial_is_given_back(robot: SmallRobot) -> None:
    digest = push(robot, frames=10_000)
    await robot.until("probation")
    robot.store.remove(digest, ())
    assert robot.change.before_worker_start() == bundle_files(OLD)[0]
    await robot.settle()
    assert last(robot).ended == "returned"


async def test_a_start_that_a_person_ended_is_given_back_and_a_crash_is_not(robot: SmallRobot) -> None:
    """Whoever stops the robot three times for lunch would lose a good model to it."""
    robot.since = Seen(frames=5, seconds=1)
    digest = push(robot, restarts=2)
    await robot.until("probation")
    for _ in range(4):
        robot.change.stopped_by_person()
        robot.change.stopped_by_person()  # one start is given back once
        assert (robot.change.state().attempts, saved(robot)) == (0, robot.change.slots)
        assert robot.change.before_worker_start() == digest
    assert robot.change.before_worker_start() == digest
    assert robot.change.state().attempts == 2
    assert robot.change.before_worker_start() == bundle_files(OLD)[0]
    await robot.settle()
    assert "was started 2 times of 2" in last(robot).why
