"""Changing the model on a real agent: a bad one comes back by itself, a good one stays, and nobody is surprised."""

from __future__ import annotations

import os
import shutil
import signal
import stat
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from remote.protocol import (
    Activate,
    CancelChange,
    Drill,
    Event,
    GetStored,
    GoBack,
    RemoveBundle,
    SetBundle,
    SetSource,
    Start,
    Stop,
)
from tests.remote.agent.model_robot import LONG, ended, models, push, running, stage, until
from tests.remote.agent.robot import Console, Robot
from tests.remote.agent.test_agent_disk import fill, small_disk

__all__ = ["small_disk"]

MakeRobot = Callable[..., Robot]


@pytest.fixture
def real(make_robot: MakeRobot) -> Robot:
    return make_robot("real")


def dark_pictures(folder: Path) -> str:
    """A source whose pictures are dark, but not black."""
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.jpg"), np.full((48, 64, 3), 30 + number, np.uint8))
    return f"folder:{folder}?fps=30"


def current(console: Console) -> str:
    slot = models(console).current
    assert slot is not None
    return slot.digest


# ------------------------------------------------------------ a change that goes well


def test_a_pushed_bundle_is_kept_and_sealed_and_the_one_before_stays_for_the_way_back(
    real: Robot, tmp_path: Path
) -> None:
    console, epoch = running(real)
    before = current(console)
    digest = stage(real.home, tmp_path / "made")
    begun = push(console, epoch, digest[:12])
    assert begun.error is None
    outcome = ended(console, digest)
    assert (outcome.ended, current(console)) == ("committed", digest), outcome
    console.await_named("model_change_ended")
    assert [event.data["step"] for event in console.named("model_step") if isinstance(event, Event)] == [
        "verified", "staged", "building", "self_test", "waiting_for_safe", "switched", "probation", "committed",
    ]  # fmt: skip
    assert console.state.bundle is not None
    assert (console.state.bundle.digest, console.state.worker.phase) == (digest, "running")
    stored = {one.digest: one.use for one in console.ask(GetStored()).stored}
    assert stored == {digest: "current", before: "previous"}
    release = real.home / "bundles" / digest
    assert {stat.S_IMODE(path.stat().st_mode) for path in release.iterdir()} == {0o444}
    assert [body.data["digest"] for body in console.named("idle_not_asked")] == [digest]

    assert console.ask(GoBack("it misses cones"), epoch=epoch).error is None
    until(
        console, lambda m: m.step == "idle" and m.current is not None and m.current.digest == before, "the one before"
    )
    removed = console.ask(RemoveBundle(before), epoch=epoch).error
    assert removed is not None
    assert removed.code == "bundle_in_use"


# ------------------------------------------------------------ what is refused


def test_one_change_at_a_time_and_only_by_whoever_commands(real: Robot, tmp_path: Path) -> None:
    console, epoch = running(real)
    first, second = stage(real.home, tmp_path / "a"), stage(real.home, tmp_path / "b", score=0.5)
    watcher = real.console("ben")
    refused = watcher.ask(Activate(first))
    assert refused.error is not None
    assert refused.error.code == "no_lease"
    assert push(console, epoch, first, LONG).error is None
    until(console, lambda m: m.step == "probation", "probation")
    for command in (Activate(second), SetBundle(second)):
        error = console.ask(command, epoch=epoch).error
        assert error is not None
        assert error.code == "update_underway"
    error = console.ask(RemoveBundle(first), epoch=epoch).error
    assert error is not None
    assert error.code == "bundle_in_use"
    assert console.ask(CancelChange("the wrong one"), epoch=epoch).error is None
    outcome = ended(console, first)
    assert (outcome.ended, outcome.step, outcome.why) == ("cancelled", "probation", "anna@laptop: the wrong one")
    assert current(console) != first
    console.until(lambda: console.state.worker.phase == "running", "the worker with the one before")


def test_a_bundle_that_was_damaged_on_its_way_changes_nothing(real: Robot, tmp_path: Path) -> None:
    console, epoch = running(real)
    digest = stage(real.home, tmp_path / "made")
    model = real.home / "bundles" / f".staging-{digest}" / "model.onnx"
    model.write_bytes(model.read_bytes()[:-1] + b"\xff")
    worker = console.state.worker
    push(console, epoch, digest)
    outcome = ended(console, digest)
    assert (outcome.ended, outcome.step) == ("refused", "verified")
    assert "SHA-256" in outcome.why
    assert (console.state.worker.pid, console.state.worker.run) == (worker.pid, worker.run)


# ------------------------------------------------------------ models that do worse


def test_a_model_that_fails_only_on_what_the_robot_sees_is_taken_back_with_the_numbers(
    real: Robot, tmp_path: Path
) -> None:
    console, epoch = running(real)
    before = current(console)
    assert console.ask(SetSource(dark_pictures(tmp_path / "dark")), epoch=epoch).error is None
    digest = stage(real.home, tmp_path / "made", dark_raises=True)
    push(console, epoch, digest)
    outcome = ended(console, digest)
    assert (outcome.ended, outcome.step) == ("returned", "probation")
    bad = [check for check in outcome.checks if check.verdict == "fail"]
    assert bad
    assert all(check.value is not None and check.value > 0 for check in bad)
    assert current(console) == before
    console.until(lambda: console.state.worker.phase == "running", "the worker with the one before")


def test_a_worker_that_dies_again_and_again_gets_the_model_before_by_itself(real: Robot, tmp_path: Path) -> None:
    console, epoch = running(real)
    before = current(console)
    digest = stage(real.home, tmp_path / "made")
    push(console, epoch, digest, LONG)
    for attempt in (1, 2, 3):
        until(console, lambda m, n=attempt: m.step == "probation" and m.attempts == n, f"start {attempt}")  # type: ignore[misc]
        console.until(lambda: console.state.worker.phase == "running" and console.state.worker.pid, "the worker")
        assert console.state.worker.pid is not None
        os.kill(console.state.worker.pid, signal.SIGKILL)
        console.next(type(console.state))
    outcome = ended(console, digest)
    assert outcome.ended == "returned"
    assert "SIGKILL" in outcome.why
    console.until(lambda: console.state.worker.phase == "running", "the worker with the one before")
    assert (current(console), console.state.bundle and console.state.bundle.digest) == (before, before)


# ------------------------------------------------------------ kill -9 of the agent


def test_after_a_kill_in_probation_the_candidate_is_known_and_nothing_starts_by_itself(
    real: Robot, tmp_path: Path
) -> None:
    console, epoch = running(real)
    before = current(console)
    digest = stage(real.home, tmp_path / "made")
    push(console, epoch, digest, LONG)
    until(console, lambda m: m.step == "probation", "probation")
    real.end(signal.SIGKILL)
    again = real.start().console().subscribe()
    found = until(again, lambda m: bool(m.waits_for), "what it waits for")
    assert (found.step, found.attempts, again.state.worker.phase) == ("probation", 1, "stopped")
    assert "stopped" in found.waits_for
    epoch = again.take_lease()
    assert again.ask(Start(), epoch=epoch).error is None
    until(again, lambda m: m.attempts == 2, "the second start")
    assert again.ask(GoBack("enough"), epoch=epoch).error is None
    assert ended(again, digest).ended == "went_back"
    assert current(again) == before


def rots(robot: Robot, digest: str) -> None:
    """The worker is unable to start with it from now on."""
    model = robot.home / "bundles" / digest / "model.onnx"
    model.chmod(0o600)
    model.write_bytes(b"rot")


def test_a_robot_that_starts_its_worker_by_itself_does_so_with_the_one_before_too(
    make_robot: MakeRobot, tmp_path: Path
) -> None:
    """After a power cut in probation, with nobody there: else it stands without any model."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "settings.yaml").write_text("autostart: true\n")
    robot = make_robot("real")
    console, epoch = running(robot)
    before = current(console)
    digest = stage(robot.home, tmp_path / "made")
    push(console, epoch, digest, LONG)
    until(console, lambda m: m.step == "probation", "probation")
    robot.end(signal.SIGKILL)
    rots(robot, digest)
    again = robot.start().console().subscribe()
    assert ended(again, digest).ended == "returned"
    again.until(lambda: again.state.worker.phase == "running", "the worker with the one before")
    assert (current(again), again.state.bundle and again.state.bundle.digest) == (before, before)


def test_a_worker_that_a_person_started_in_probation_runs_on_with_the_one_before(real: Robot, tmp_path: Path) -> None:
    console = real.console().subscribe()
    epoch = console.take_lease()
    before = current(console)
    digest = stage(real.home, tmp_path / "made")
    push(console, epoch, digest, LONG)
    until(console, lambda m: m.step == "probation", "probation")
    assert console.ask(Start(), epoch=epoch).error is None
    rots(real, digest)
    assert console.ask(Drill("worker_crash"), epoch=epoch).error is None
    assert ended(console, digest).ended == "returned"
    console.until(lambda: console.state.worker.phase == "running", "the worker with the one before")
    assert (current(console), console.state.bundle and console.state.bundle.digest) == (before, before)


# ------------------------------------------------------------ the robot has a say, and people who stopped it too


def test_a_busy_robot_is_waited_for_and_no_console_can_overrule_it(make_robot: MakeRobot, tmp_path: Path) -> None:
    home, idle = tmp_path / "home", tmp_path / "arm-is-idle"
    home.mkdir(mode=0o700)
    (home / "settings.yaml").write_text(f"idle: {{file: {idle}}}\n")
    robot = make_robot("real")
    console, epoch = running(robot)
    digest = stage(robot.home, tmp_path / "made")
    push(console, epoch, digest)
    found = until(console, lambda m: m.step == "waiting_for_safe" and bool(m.waits_for), "the wait")
    assert str(idle) in found.waits_for
    idle.touch()
    until(console, lambda m: m.step == "probation", "the switch")
    assert console.named("idle_not_asked") == []


def test_a_worker_that_somebody_stopped_stays_stopped_through_the_switch(real: Robot, tmp_path: Path) -> None:
    console = real.console().subscribe()
    epoch = console.take_lease()
    digest = stage(real.home, tmp_path / "made")
    push(console, epoch, digest)
    found = until(console, lambda m: m.step == "probation" and bool(m.waits_for), "probation that stands still")
    assert (found.attempts, console.state.worker.phase) == (0, "stopped")


def test_stopping_the_worker_in_probation_keeps_it_stopped(real: Robot, tmp_path: Path) -> None:
    console, epoch = running(real)
    digest = stage(real.home, tmp_path / "made")
    push(console, epoch, digest, LONG)
    until(console, lambda m: m.step == "probation", "probation")
    assert console.ask(Stop(), epoch=epoch).error is None
    until(console, lambda m: m.attempts == 0, "the start that is given back")
    assert console.ask(CancelChange(""), epoch=epoch).error is None
    ended(console, digest)
    assert console.state.worker.phase == "stopped"


def test_choosing_a_camera_in_probation_is_not_held_against_the_model(real: Robot, tmp_path: Path) -> None:
    """Each choice restarts the worker: after three of them a good model would be taken back, as if it had crashed."""
    console, epoch = running(real)
    digest = stage(real.home, tmp_path / "made")
    push(console, epoch, digest, LONG)
    until(console, lambda m: m.step == "probation", "probation")
    for number in range(4):
        console.until(lambda: console.state.worker.phase == "running", "the worker")
        epoch = console.take_lease()  # a busy machine starts a worker more slowly than a lease lasts
        assert console.ask(SetSource(f"scene:{number + 20}"), epoch=epoch).error is None
    found = until(console, lambda m: m.attempts == 1, "one start that counts")
    assert (found.step, current(console)) == ("probation", digest)


# ------------------------------------------------------------ a person's plain choice


def test_a_plain_choice_outlives_the_agent_and_the_settings_do_not_contradict_it(real: Robot, tmp_path: Path) -> None:
    console, epoch = running(real)
    before = current(console)
    digest = stage(real.home, tmp_path / "made")
    (real.home / "bundles" / f".staging-{digest}").rename(real.home / "bundles" / digest)
    assert console.ask(SetBundle(digest), epoch=epoch).error is None
    assert current(console) == digest
    real.end(signal.SIGKILL)
    again = real.start().console()
    found = models(again)
    assert found.current is not None
    assert found.previous is not None
    assert (found.current.digest, found.current.origin, found.previous.digest) == (digest, "chosen", before)


def test_a_plain_choice_that_does_not_start_leaves_what_was(real: Robot, tmp_path: Path) -> None:
    console, epoch = running(real)
    before = msgspec.structs.replace(models(console), last=None)
    digest = stage(real.home, tmp_path / "made")
    place = real.home / "bundles" / digest
    (real.home / "bundles" / f".staging-{digest}").rename(place)
    (place / "model.onnx").write_bytes(b"no model")
    error = console.ask(SetBundle(digest), epoch=epoch).error
    assert error is not None
    assert models(console) == before
    console.until(lambda: console.state.worker.phase == "running", "the worker with the one before")


@pytest.mark.parametrize("idle", ["file: {there}", "command: [/nonexistent]"], ids=["says busy", "no answer"])
def test_a_plain_choice_is_refused_while_a_robot_that_moves_does_not_say_that_it_is_idle(
    real: Robot, tmp_path: Path, idle: str
) -> None:
    """Else one key of a console changes what an arm does in the middle of a grasp."""
    real.end()
    (real.home / "settings.yaml").write_text(f"idle: {{{idle.format(there=tmp_path / 'idle')}}}\n")
    real.start()
    console, epoch = running(real)
    before, worker = current(console), console.state.worker
    digest = stage(real.home, tmp_path / "made")
    (real.home / "bundles" / f".staging-{digest}").rename(real.home / "bundles" / digest)
    error = console.ask(SetBundle(digest), epoch=epoch).error
    assert error is not None
    assert error.code == "robot_busy"
    assert "would say that the robot is idle" in error.what or "can't be run" in error.what
    assert (current(console), console.state.worker.pid) == (before, worker.pid)
    assert console.ask(SetBundle(before), epoch=epoch).error is None  # nothing would be switched
    if "file" in idle:
        (tmp_path / "idle").touch()
        assert console.ask(SetBundle(digest), epoch=epoch).error is None
        assert current(console) == digest


def test_a_worker_that_a_person_stopped_is_started_with_another_bundle_whatever_the_idle_check_says(
    real: Robot, tmp_path: Path
) -> None:
    """The way out of a refusal: stopping is always allowed, and a start is a person's own."""
    real.end()
    (real.home / "settings.yaml").write_text(f"idle: {{file: {tmp_path / 'idle'}}}\n")
    real.start()
    console, epoch = running(real)
    digest = stage(real.home, tmp_path / "made")
    (real.home / "bundles" / f".staging-{digest}").rename(real.home / "bundles" / digest)
    for command in (Stop(), SetBundle(digest), Start()):
        assert console.ask(command, epoch=epoch).error is None
    assert (current(console), console.state.worker.phase) == (digest, "running")


# ------------------------------------------------------------ a full disk


def test_on_a_full_disk_a_change_is_refused_and_what_runs_runs_on(small_disk: Path, tmp_path: Path) -> None:
    (small_disk / "settings.yaml").write_text("limits: {disk_free_floor_bytes: 0}\n")
    robot = Robot(small_disk).start()
    try:
        console = robot.console()
        epoch = console.take_lease()
        assert console.ask(Start(), epoch=epoch).error is None
        digest = stage(robot.home, tmp_path / "made")
        before = models(console)
        fill(small_disk)
        error = push(console, epoch, digest).error
        assert error is not None
        assert error.code == "slots_unwritable"
        assert models(console) == before
        assert console.state.worker.phase == "running"
    finally:
        robot.end(signal.SIGKILL)


@pytest.mark.parametrize("rotten", [False, True], ids=["gone", "rotten"])
def test_a_bundle_that_is_gone_from_the_store_leaves_the_one_that_came_with_the_agent(
    real: Robot, tmp_path: Path, rotten: bool
) -> None:
    """Also where its files are there and are others by now: the robot would stand there without any model."""
    console = real.console()
    epoch = console.take_lease()
    before = current(console)
    digest = stage(real.home, tmp_path / "made")
    place = real.home / "bundles" / digest
    (real.home / "bundles" / f".staging-{digest}").rename(place)
    assert console.ask(SetBundle(digest), epoch=epoch).error is None
    if rotten:
        (place / "model.onnx").write_bytes(b"rot")
    else:
        shutil.rmtree(place)
    started = console.ask(Start(), epoch=epoch)
    assert started.error is None
    console.until(lambda: console.state.worker.phase == "running", "the worker")
    assert current(console) == before
    console.subscribe()
    assert console.await_named("model_slot_unusable").data["digest"] == digest
