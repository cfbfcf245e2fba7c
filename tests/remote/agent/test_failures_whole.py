"""Agent and real worker together: what is left of a failure, also when the worker is killed in the middle of it."""

from __future__ import annotations

import hashlib
import os
import re
import signal
from collections.abc import Callable

from remote.protocol import Clip, Drill, Failure, Mark, Pin, SetSource, SetWatch, Start, Watch
from tests.remote.agent.robot import Console, Robot

SOURCE = "scene:0?fps=15&width=160&height=120"
WATCH = Watch(own_truth=True, conditions={"place": "bench"}, miss_frames=5)


def failures(console: Console, name: str) -> list[Failure]:
    return [body for body in console.bodies() if isinstance(body, Failure) and body.name == name]


def clip_of(console: Console, failure: Failure) -> Clip:
    def found() -> list[Clip]:
        return [body for body in console.bodies() if isinstance(body, Clip) and body.failure == failure.id]

    return console.until(found, f"the clip of {failure.name}", 15)[0]


def is_kept(robot: Robot, digest: str | None) -> bool:
    if digest is None:
        return False
    return hashlib.sha256((robot.home / "pictures" / f"{digest}.jpg").read_bytes()).hexdigest() == digest


LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \| no_detection \| Light: \d+ \| \w+ missing for 5 frames \| "
    r"Time: \d\d:\d\d:\d\d \| place=bench \| picture=\w{8} \| id=\w{16}"
)


def test_a_mark_a_blind_model_and_a_kill_9_in_the_middle_of_a_clip(make_robot: Callable[..., Robot]) -> None:
    robot = make_robot("real")
    console = robot.console().subscribe()
    epoch = console.take_lease()
    for command in (SetWatch(WATCH), SetSource(SOURCE), Start()):
        assert console.ask(command, epoch=epoch).error is None
    console.until(lambda: len(console.entries) > 16, "some seconds of work")
    assert console.ask(Mark("gripper slipped")).error is None
    assert console.ask(Drill("blind", 1.0), epoch=epoch).error is None
    mark = console.until(lambda: failures(console, "operator_mark"), "the mark")[0]
    the_mark_has_its_seconds(robot, clip_of(console, mark))
    missed = [one for one in failures(console, "no_detection") if one.picture][-1]
    the_miss_has_its_pictures(robot, missed, clip_of(console, missed))
    the_kill_loses_no_failure(robot, console)
    assert console.ask(Pin(mark.id)).error is None
    assert mark.id in (robot.home / "pins.json").read_text()
    assert console.ask(Pin("nobody")).error is not None
    lines = (robot.home / "failures.log").read_text().splitlines()
    assert any(LINE.fullmatch(line) for line in lines)
    told = [body.id for body in console.bodies() if isinstance(body, Failure)]
    assert [line.rpartition("id=")[2] for line in lines] == told
    assert len(set(told)) == len(told)


def the_mark_has_its_seconds(robot: Robot, clip: Clip) -> None:
    offsets = [frame.offset_ms for frame in clip.frames]
    assert offsets == sorted(offsets)
    assert -5000 <= offsets[0] < -1000
    assert 0.0 in offsets
    assert 4000 < offsets[-1] <= 5000
    assert len(offsets) >= 12
    assert all(is_kept(robot, frame.picture) for frame in clip.frames)


def the_miss_has_its_pictures(robot: Robot, missed: Failure, clip: Clip) -> None:
    assert missed.conditions == {"place": "bench"}
    assert (missed.width, missed.height) == (160, 120)
    assert is_kept(robot, missed.picture)
    assert is_kept(robot, missed.before)
    assert 5 < (missed.light or 0) < 250
    before, at, after = clip.frames
    assert -5000 <= before.offset_ms < 0.0 == at.offset_ms
    assert 1000 <= after.offset_ms < 5000
    assert (before.picture, at.picture, clip.reason) == (missed.before, missed.picture, "")


def the_kill_loses_no_failure(robot: Robot, console: Console) -> None:
    assert console.ask(Mark("again")).error is None
    again = console.until(lambda: failures(console, "operator_mark")[1:], "the second mark")[0]
    pid = console.state.worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    cut = clip_of(console, again)
    assert "the worker ended (killed by SIGKILL)" in cut.reason
    assert 0.0 <= cut.frames[-1].offset_ms < 4000
    crash = console.until(lambda: failures(console, "worker_crash"), "the crash")[0]
    assert is_kept(robot, crash.picture)
    assert is_kept(robot, crash.before)
    assert 0 < float(crash.data["picture_age_ms"] or 0) < 3000
    assert [frame.picture for frame in clip_of(console, crash).frames] == [crash.before, crash.picture]
