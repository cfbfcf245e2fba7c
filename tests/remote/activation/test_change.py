"""A change on a small robot with a real store, real slots and a real worker: how it goes, waits, is called off and comes
back.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import resource
import traceback
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from remote.activation import driver
from remote.activation import slots as slots_file
from remote.activation.ground import Seen
from remote.activation.probation import FRAMES_TO_COMPARE
from remote.activation.slots import Slots
from remote.agent.clock import Clock
from remote.errors import Trouble
from remote.histogram import Histogram
from remote.model_states import Outcome, Progress, Slot, Step
from remote.verdicts import Check
from tests.killing import ended, forked
from tests.remote.activation.small_robot import (
    CRASHES,
    CRASHES_LATE,
    GOOD,
    PLAN,
    SmallRobot,
    bundle_files,
    slot,
    write_bundle,
)

OLD = b"old\n"
STEPS: tuple[Step, ...] = (
    "verified", "staged", "building", "self_test", "waiting_for_safe", "switched", "probation", "committed",
)  # fmt: skip


class Hands:
    """Clocks that a test turns."""

    def __init__(self) -> None:
        self.mono_ns, self.wall_ns = 10**9, 1_700_000_000 * 10**9

    def clock(self, boot: str = "boot") -> Clock:
        return Clock(boot, lambda: self.mono_ns, lambda: self.wall_ns)


def a_robot(folder: Path, clock: Clock | None = None) -> SmallRobot:
    """One that runs OLD, after what came with the agent."""
    disk, embedded = folder / "disk", folder / "embedded"
    if not disk.exists():
        disk.mkdir()
        embedded.mkdir()
        write_bundle(embedded, bundle_files(b"embedded\n")[1])
    robot = SmallRobot(disk, folder / "starts", clock, embedded=embedded)
    robot.change.load()
    if not (disk / "slots.json").exists():
        robot.store.stage(robot.put(OLD))
        robot.change.set_current(slot(bundle_files(OLD)[0], "old"))
    return robot


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest_asyncio.fixture
async def robot(tmp_path: Path, hands: Hands) -> AsyncIterator[SmallRobot]:
    made = a_robot(tmp_path, hands.clock())
    await made.start_worker()
    yield made
    await made.end()


def push(robot: SmallRobot, model: bytes = GOOD, **plan: object) -> str:
    digest = robot.put(model)
    robot.change.begin(slot(digest, "new"), msgspec.structs.replace(PLAN, **plan))
    return digest


def last(robot: SmallRobot) -> Outcome:
    found = robot.change.slots.last
    assert found is not None
    return found


def saved(robot: SmallRobot) -> Slots:
    found = slots_file.load(robot.disk / "slots.json")
    assert found is not None
    return found


def stands(robot: SmallRobot) -> tuple[str, str]:
    """The names of what is current and what is previous, as saved."""
    slots = saved(robot)
    assert slots == robot.change.slots, "what holds is what is written"
    return slots.current.name if slots.current else "-", slots.previous.name if slots.previous else "-"


async def runs_the_old_one(robot: SmallRobot) -> None:
    """The worker is started again soon, with what ran before."""
    for _ in range(2000):
        if robot.process is not None and robot.runs == bundle_files(OLD)[0]:
            return
        await asyncio.sleep(0.001)
    raise AssertionError("the one before does not run")


UNCHANGED = ("old", "embedded")


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


async def ticks(robot: SmallRobot, count: int = 20) -> None:
    for _ in range(count):
        robot.change.tick()
        await asyncio.sleep(0)


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


async def test_what_is_in_a_slot_or_came_with_the_agent_is_in_use(robot: SmallRobot) -> None:
    old, embedded = bundle_files(OLD)[0], bundle_files(b"embedded\n")[0]
    assert robot.change.in_use() == {old, embedded}
    digest = push(robot, frames=10_000)
    await robot.until("probation")
    assert robot.change.in_use() == {digest, old, embedded}


async def test_a_plain_choice_keeps_the_one_before(robot: SmallRobot) -> None:
    digest = robot.put(GOOD)
    robot.store.stage(digest)
    robot.change.set_current(slot(digest, "chosen"))
    assert stands(robot) == ("chosen", "old")
    assert robot.change.before_worker_start() == digest
    assert robot.change.slots.attempts == 0, "only what is on trial is counted"


async def test_a_bundle_that_vanished_is_replaced_by_the_one_before_then_by_the_agents(robot: SmallRobot) -> None:
    push(robot)
    await robot.settle()
    new, old = bundle_files(GOOD)[0], bundle_files(OLD)[0]
    robot.store.remove(new, ())
    assert robot.change.before_worker_start() == old
    assert robot.told[-1][0] == "model_slot_unusable"
    robot.store.remove(old, ())
    assert robot.change.before_worker_start() == bundle_files(b"embedded\n")[0]
    assert stands(robot)[0] == "-"


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


async def test_a_name_and_a_reason_of_any_length_leave_slots_that_can_be_read(robot: SmallRobot) -> None:
    """A file that is too long to be read again is a robot that forgets its models, and which releases it took."""
    long = Slot(digest=robot.put(GOOD), name="\x1b[2J" * 15_000, origin="push")
    robot.checks = (Check(name="golden", verdict="fail", text="\0" * 500_000),)
    robot.change.begin(long, PLAN)
    await robot.settle()
    robot.change.set_current(long)
    assert (robot.disk / "slots.json").stat().st_size < 50_000
    again = SmallRobot(robot.disk, robot.starts)
    again.change.load()
    assert again.change.slots == robot.change.slots
    name = again.change.state().current
    assert name is not None
    assert name.name.isprintable()


async def test_a_candidate_that_vanishes_on_trial_is_given_back(robot: SmallRobot) -> None:
    digest = push(robot, frames=10_000)
    await robot.until("probation")
    robot.store.remove(digest, ())
    assert robot.change.before_worker_start() == bundle_files(OLD)[0]
    await robot.settle()
    assert last(robot).ended == "returned"


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "garbage": lambda data: os.urandom(200),
    "other-format": lambda data: data.replace(b'"format":1', b'"format":2'),
    "unknown-step": lambda data: data.replace(b'"idle"', b'"flying"'),
    "endless": lambda data: data + b" " * 1_100_000,
    "without-its-candidate": lambda data: data.replace(b'"idle"', b'"probation"'),
    "without-its-end": lambda data: data.replace(b'"idle"', b'"rolling_back"'),
    "starts-for-ever": lambda data: data.replace(b'"attempts":0', b'"attempts":-1000000'),
    "going-back-nowhere": lambda data: data.replace(b'"going_back":false', b'"going_back":true'),
    "deep": lambda data: b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_slots_that_are_damaged_are_kept_aside_and_the_agents_own_bundle_runs(tmp_path: Path, damage: str) -> None:
    path = a_robot(tmp_path).disk / "slots.json"
    damaged = DAMAGES[damage](path.read_bytes())
    path.write_bytes(damaged)
    robot = SmallRobot(tmp_path / "disk", tmp_path / "starts", embedded=tmp_path / "embedded")
    robot.change.load(fresh=slot(bundle_files(OLD)[0]))
    assert robot.change.before_worker_start() == bundle_files(b"embedded\n")[0]
    assert robot.told[0][0] == "model_slots_damaged"
    assert (tmp_path / "disk" / "slots.json.damaged").read_bytes() == damaged
    assert not robot.change.underway


def test_what_a_newer_agent_added_to_the_slots_is_passed_over(tmp_path: Path) -> None:
    """An agent that was set back would call the file damaged: another model runs, and old releases are taken again."""
    before = a_robot(tmp_path)
    path = before.disk / "slots.json"
    whole = path.read_bytes()
    path.write_bytes(
        whole.replace(b'"format":1', b'"format":1,"more":{"a":1}').replace(b'"frames":', b'"more":1,"frames":')
    )
    assert path.read_bytes().count(b'"more"') == 2
    robot = SmallRobot(tmp_path / "disk", tmp_path / "starts", embedded=tmp_path / "embedded")
    robot.change.load()
    assert robot.told == []
    assert robot.change.slots == before.change.slots


@pytest.mark.parametrize("gone", [False, True], ids=["damaged", "gone"])
def test_a_robot_that_lost_its_slots_takes_no_older_release(tmp_path: Path, gone: bool) -> None:
    path = a_robot(tmp_path).disk / "slots.json"
    path.write_bytes(b"{")
    if gone:
        path.unlink()
    robot = SmallRobot(tmp_path / "disk", tmp_path / "starts", embedded=tmp_path / "embedded")
    robot.change.load(highest_release=7)
    with pytest.raises(Trouble) as caught:
        robot.change.begin(slot(robot.put(GOOD), "new", release=7), PLAN)
    assert caught.value.code == "release_old"


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


async def test_bundles_of_old_releases_may_go_but_not_what_people_gave(robot: SmallRobot) -> None:
    """A disk that fills up with each release takes no release any more."""
    models = [b"model %d\n" % number for number in range(5)]
    digests = [bundle_files(model)[0] for model in models]
    for number, model in enumerate(models, 1):
        one = msgspec.structs.replace(slot(robot.put(model), "new", release=number), origin="release")
        robot.change.begin(one, PLAN)
        assert robot.change.prunable(()) == (), "a change is under way"
        await robot.settle()
        assert last(robot).ended == "committed"
    assert robot.change.in_use() == {digests[4], digests[3]}
    assert robot.change.prunable(()) == (digests[0], digests[1])
    assert robot.change.prunable((digests[1],)) == (digests[0],)
    robot.change.set_current(slot(digests[0], "mine"))
    robot.change.set_current(slot(digests[4], "mine"))
    assert robot.change.prunable(()) == (digests[1], digests[2])
    robot.change.pruned((digests[1],))
    assert robot.change.prunable(()) == (digests[2],)
    assert saved(robot).over_air == (digests[2], digests[3])


def test_what_the_settings_named_runs_until_the_first_change(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    robot = SmallRobot(tmp_path / "disk", tmp_path / "starts")
    assert robot.change.before_worker_start() is None
    robot.store.stage(robot.put(OLD))
    chosen = Slot(digest=bundle_files(OLD)[0], name="old", origin="chosen")
    robot.change.load(fresh=chosen)
    assert robot.change.before_worker_start() == chosen.digest
    assert robot.change.state().current == chosen


# ---------------------------------------------------------------- a full disk


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
