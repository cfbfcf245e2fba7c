"""Shadow: a candidate beside the worker is compared on the worker's own frames, and whatever happens to it, the worker goes
on.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from remote.agent.shadow import Contest, Shadow
from remote.errors import Trouble
from remote.protocol import BundleState, Event, GetState, Picture, SetSource, Start
from remote.protocol import Shadow as ShadowCommand
from tests.remote.agent.robot import Robot
from tests.remote.agent.test_facts import put_bundle

OF = BundleState("c" * 64, "candidate")
ONE = '{"difference": {"agreed": 2, "only_old": 1, "only_new": 3, "old_ms": 4.0, "new_ms": 8.0}}'
SPEAKS = (
    "import sys\n"
    "print('{\"ready\": true}', flush=True)\n"
    "while head := sys.stdin.buffer.read(4):\n"
    "    sys.stdin.buffer.read(int.from_bytes(head, 'big'))\n"
)


WALL_NS = 1_795_230_400_000_000_000


def contest(seconds: float = 2.0) -> Contest:
    return Contest(Path("/old"), Path("/new"), "a" * 64, OF, 1, Path("/engines"), seconds)


class World:
    """A worker that gives a new frame each time, and a clock that only pauses move."""

    def __init__(self, text: str) -> None:
        self.now_ns, self.events, self.asked, self.running = 0, list[Event](), 0, "a" * 64
        self.away = 0
        self.jpeg = b"jpeg"
        self.shadow = Shadow(
            Path("/"),
            ask_frame=self.frame,
            running=lambda: self.running,
            journal=self.events.append,
            changed=lambda: None,
            clock_ns=lambda: self.now_ns,
            wall_ns=lambda: WALL_NS + self.now_ns,
            pause=self.pause,
            command=(sys.executable, "-c", text),
        )

    async def frame(self, max_width: int) -> Picture | None:
        self.asked += 1
        if self.away > 0:
            self.away -= 1
            raise Trouble("the worker does not run", code="not_running")
        return Picture(jpeg=self.jpeg, digest=str(self.asked), width=4, height=4)

    async def pause(self, seconds: float) -> None:
        self.now_ns += int(seconds * 1e9)
        await asyncio.sleep(0)

    async def over(self, seconds: float = 2.0) -> Event:
        self.shadow.begin(contest(seconds), "anna")
        while len(self.events) < 2:
            await asyncio.sleep(0.005)
        return self.events[-1]


async def test_what_both_gave_is_counted_twice_a_second_at_most_and_journalled_at_the_end() -> None:
    world = World(SPEAKS + f"    print('{ONE}', flush=True)\n")
    ended = await asyncio.wait_for(world.over(2.0), 60)
    state = world.shadow.state()
    assert state is not None
    assert (state.frames, state.agreed, state.only_current, state.only_candidate) == (4, 8, 4, 12)
    assert (state.current_ms, state.candidate_ms, state.seconds) == (4.0, 8.0, 2.0)
    assert (ended.name, ended.severity, ended.data["agreed"]) == ("shadow_ended", "info", 8)
    assert (state.ended, state.whole_s, state.ended_wall_ns) == ("its time was over", 2.0, WALL_NS + world.now_ns)


async def test_a_worker_that_stands_still_is_waited_for() -> None:
    world = World(SPEAKS + f"    print('{ONE}', flush=True)\n")
    world.away = 7
    await asyncio.wait_for(world.over(1.0), 60)
    state = world.shadow.state()
    assert state is not None
    assert (state.frames, state.seconds) == (2, 1.0)
    assert world.asked == 9


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import os; os.kill(os.getpid(), 11)", "SIGSEGV"),
        (SPEAKS + "    sys.exit('out of memory')\n", "out of memory"),
        (SPEAKS + "    print('hello', flush=True)\n", "no message"),
        (SPEAKS + "    print('x' * 400_000, flush=True)\n", "no message"),
        ("""print('{"error": {"code": "model_unreadable", "what": "no model"}}')""", "no model (model_unreadable)"),
    ],
    ids=["signal", "words", "noise", "endless", "trouble"],
)
async def test_a_candidate_that_breaks_is_said_and_the_next_one_may_begin(text: str, said: str) -> None:
    """Not said, it would look like a candidate that agrees."""
    world = World(text)
    ended = await asyncio.wait_for(world.over(), 60)
    assert ended.severity == "warning"
    assert said in ended.text
    world.shadow.begin(contest(), "anna")
    await world.shadow.end("enough")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import sys\nprint('{\"ready\": true}', flush=True)\nwhile True: pass", "gave no answer"),
        ("import os, time\nos.close(1)\ntime.sleep(60)", "closed its output"),
    ],
    ids=["reads no frame", "hangs at its end"],
)
async def test_a_candidate_that_hangs_is_not_waited_for_for_ever(
    text: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remote.agent.shadow.ANSWER_S", 0.2)
    monkeypatch.setattr("remote.agent.shadow.CLOSED_S", 0.2)
    world = World(text)
    world.jpeg = bytes(1_000_000)  # more than a pipe takes
    ended = await asyncio.wait_for(world.over(), 60)
    assert said in ended.text


async def test_it_ends_though_an_await_swallowed_that_it_was_called_off() -> None:
    """It went on to the end of its time, and whoever had ended it waited."""
    world = World(SPEAKS + f"    print('{ONE}', flush=True)\n")
    asked = asyncio.Event()

    async def frame(max_width: int) -> Picture | None:
        asked.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        return await World.frame(world, max_width)

    world.shadow._ask = frame
    world.shadow.begin(contest(86_400.0), "anna")
    await asyncio.wait_for(asked.wait(), 60)
    asked.clear()
    await asyncio.wait_for(world.shadow.end("enough"), 60)
    assert not asked.is_set()
    assert world.events[-1].text.endswith("enough")


async def test_it_ends_when_the_robot_runs_another_bundle() -> None:
    world = World(SPEAKS)
    world.running = "d" * 64
    ended = await asyncio.wait_for(world.over(), 60)
    assert "another bundle" in ended.text


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (contest(0.0), "bad_seconds"),
        (contest(float("nan")), "bad_seconds"),
        (Contest(Path("/o"), Path("/n"), OF.digest, OF, 1, Path("/engines"), 5.0), "same_bundle"),
    ],
    ids=["none", "nan", "same"],
)
async def test_what_can_not_be_compared_is_refused(given: Contest, code: str) -> None:
    world = World(SPEAKS)
    with pytest.raises(Trouble) as refused:
        world.shadow.begin(given, "anna")
    assert refused.value.code == code
    assert world.shadow.state() is None


async def test_two_at_once_are_refused_and_ending_leaves_no_child() -> None:
    world = World("import time\ntime.sleep(60)")
    world.shadow.begin(contest(), "anna")
    with pytest.raises(Trouble) as refused:
        world.shadow.begin(contest(), "ben")
    assert refused.value.code == "shadow_underway"
    await asyncio.sleep(0)
    await asyncio.wait_for(world.shadow.end("anna ended it"), 60)
    state = world.shadow.state()
    assert state is not None
    assert state.ended == "anna ended it"


def test_a_real_candidate_runs_beside_a_real_worker_that_goes_on(
    make_robot: Callable[..., Robot], tmp_path: Path
) -> None:
    robot = make_robot("real")
    digest = put_bundle(robot.home, tmp_path / "made")
    console = robot.console()
    epoch = console.take_lease()
    assert console.ask(SetSource("scene:"), epoch=epoch).error is None
    started = console.ask(Start(), epoch=epoch).state
    assert started is not None
    assert console.ask(ShadowCommand(digest, 1.0)).error is not None, "it needs the lease"
    assert console.ask(ShadowCommand(digest, 1.0), epoch=epoch).error is None
    console.subscribe()
    ended = console.await_named("shadow_ended", 30)
    assert isinstance(ended, Event)
    assert int(str(ended.data["frames"])) >= 1, ended
    assert ended.data["ended"] == "its time was over"
    after = console.ask(GetState()).state
    assert after is not None
    assert (after.worker.phase, after.worker.pid) == ("running", started.worker.pid)
