"""What a change waits for: a robot that says that it is idle, and frames of the model before to compare with."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from remote.activation.ground import Seen
from remote.activation.probation import FRAMES_TO_COMPARE
from remote.agent.clock import Clock
from remote.errors import Trouble
from remote.histogram import Histogram
from remote.model_states import Progress
from tests.remote.activation.changing_robot import (
    Hands,
    a_robot,
    last,
    push,
    saved,
    stands,
    ticks,
)
from tests.remote.activation.small_robot import (
    GOOD,
    SmallRobot,
    slot,
)


async def test_it_waits_until_the_robot_says_that_it_is_idle(robot: SmallRobot) -> None:
    robot.busy_with = "the arm moves"
    push(robot)
    await robot.until("waiting_for_safe")
    for _ in range(20):
        robot.change.tick()
        await asyncio.sleep(0)
    assert robot.change.state().waits_for == "the arm moves"
    assert robot.change.slots.step == "waiting_for_safe"
    robot.busy_with = ""
    await robot.settle()
    assert stands(robot) == ("new", "old")


def comparing(frames: int, boxes: int = 0) -> Seen:
    return Seen(frames=frames, seconds=frames / 15, boxes=boxes, end_to_end_ms=Histogram.of([5.0] * frames))


async def test_the_switch_waits_until_enough_was_seen_of_the_model_that_runs(robot: SmallRobot) -> None:
    """An agent that has just started knows nothing of it, and would keep a model that is blind."""
    robot.before = comparing(120, 180)
    push(robot, boxes_ratio=3, p99_ratio=1.5)
    await robot.until("waiting_for_safe")
    await ticks(robot)
    state = robot.change.state()
    assert state.step == "waiting_for_safe"
    assert state.waits_for == "frames of the model that runs now, to compare with"
    assert state.progress == Progress(done=120, whole=FRAMES_TO_COMPARE, unit="frames")
    robot.before = comparing(FRAMES_TO_COMPARE, 600)
    await robot.settle()
    assert (last(robot).ended, last(robot).why) == ("returned", "0 boxes a frame, 1.33 before; 0.444 to 4 allowed")
    assert "model_before_seen_little" not in [name for name, _ in robot.told]


async def test_a_model_that_shows_too_few_frames_is_waited_for_a_minute_and_it_is_said(
    robot: SmallRobot, hands: Hands
) -> None:
    robot.before = comparing(37)
    push(robot, boxes_ratio=3)
    await robot.until("waiting_for_safe")
    for _ in range(6):
        await ticks(robot)
        assert robot.change.slots.step == "waiting_for_safe"
        hands.mono_ns += 10 * 10**9
    await robot.settle()
    assert last(robot).ended == "committed"
    told = [data for name, data in robot.told if name == "model_before_seen_little"]
    assert told == [{"frames": 37, "wanted": 100}]
    assert "seen for 37 frames, 100 are needed" in " ".join(one.text for one in last(robot).checks)


@pytest.mark.parametrize(("source", "ended"), [("the table", "returned"), ("another camera", "committed")])
async def test_only_what_was_seen_on_the_same_source_is_compared(robot: SmallRobot, source: str, ended: str) -> None:
    robot.before = dataclasses.replace(comparing(100, 300), source="the table")
    push(robot, boxes_ratio=3)
    await robot.until("probation")
    robot.since = dataclasses.replace(comparing(100), source=source)
    await robot.settle()
    boxes = next(check for check in last(robot).checks if check.name == "boxes")
    assert (last(robot).ended, boxes.verdict) == (ended, "fail" if ended == "returned" else "skipped")


async def test_on_another_source_the_frames_of_a_probation_are_counted_anew(robot: SmallRobot) -> None:
    """Its number was reached on the source before; and a start must not hold frames against it that are gone."""
    push(robot, frames=100)
    await robot.until("probation")
    robot.since = dataclasses.replace(comparing(90), source="the table")
    await ticks(robot)
    await robot.stop_worker()
    await robot.start_worker()
    robot.since = dataclasses.replace(comparing(99), source="another camera")
    await ticks(robot, 50)
    assert robot.change.slots.step == "probation"
    robot.since = dataclasses.replace(comparing(100), source="another camera")
    await robot.settle()
    assert last(robot).ended == "committed"


async def test_a_worker_that_is_stopped_shows_nothing_to_wait_for(robot: SmallRobot) -> None:
    robot.wanted = False
    push(robot, boxes_ratio=3)
    await robot.until("probation")


async def test_a_robot_that_is_busy_again_meanwhile_is_not_switched(robot: SmallRobot) -> None:
    robot.before = comparing(50)
    push(robot, boxes_ratio=3)
    await robot.until("waiting_for_safe")
    await ticks(robot)
    robot.before, robot.busy_with = comparing(100), "the arm moves"
    await ticks(robot)
    assert (robot.change.slots.step, robot.change.state().waits_for) == ("waiting_for_safe", "the arm moves")


async def test_how_often_a_candidate_was_judged_outlives_the_agent(tmp_path: Path) -> None:
    """Else each start of the agent may err with another 5 %."""
    first = a_robot(tmp_path, Clock("boot"))
    await first.start_worker()
    first.since = Seen(frames=40, seconds=1)
    push(first, least_s=1000)
    await first.until("probation")
    await ticks(first, 200)
    assert saved(first).looks == first.change.slots.looks == (1, 0)
    await first.end()
    second = a_robot(tmp_path, Clock("boot"))
    second.change.resume()
    second.since = Seen(frames=40, seconds=1)
    await second.until("probation")
    await ticks(second, 200)
    assert saved(second).looks == (2, 0)
    second.change.cancel("enough")
    await second.settle()
    assert saved(second).looks == (0, 0)
    await second.end()


async def test_no_answer_from_the_robot_is_no_yes(robot: SmallRobot, monkeypatch: pytest.MonkeyPatch) -> None:
    async def no_answer() -> str:
        raise Trouble("the robot did not answer within 5 s", code="no_answer")

    monkeypatch.setattr(robot, "busy", no_answer)
    push(robot)
    await robot.until("waiting_for_safe")
    for _ in range(20):
        robot.change.tick()
        await asyncio.sleep(0)
    assert robot.change.slots.step == "waiting_for_safe"
    assert "did not answer" in robot.change.state().waits_for


async def test_a_robot_that_is_busy_when_the_way_back_was_verified_is_not_switched(robot: SmallRobot) -> None:
    """All its files are read, which takes seconds: the answer from before that is an old one."""

    def read_slowly(digest: str) -> Path:
        robot.busy_with = "the arm moves"
        return robot.store.folder(digest)

    robot.change.set_current(slot(robot.store.stage(robot.put(GOOD)).name, "new"))
    robot.folder = read_slowly  # type: ignore[method-assign]
    robot.change.go_back("anna wants it")
    for _ in range(100):
        robot.change.tick()
        await asyncio.sleep(0.001)
    assert (robot.change.slots.step, robot.change.state().waits_for) == ("waiting_for_safe", "the arm moves")
