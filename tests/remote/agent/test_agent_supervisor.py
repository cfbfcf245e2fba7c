"""The supervisor with real child processes: whatever a worker does, the agent lives, says so, and leaves no process behind."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import itertools
import os
import sys
import time
from collections.abc import Awaitable
from pathlib import Path

import pytest

from remote.agent.clock import Clock, system_clock
from remote.agent.lines import LineSplitter
from remote.agent.supervisor import Supervisor, Timing
from remote.errors import Trouble
from remote.perception.messages import Moment, WorkerConfig
from remote.protocol import Body, Event, Failure, Sample, WorkerState

SMALL_WORKER = str(Path(__file__).with_name("small_worker.py"))
TIMING = Timing(
    beat_s=30.0, quit_s=30.0, term_s=0.3, backoff_first_s=0.05, backoff_most_s=0.2, healthy_s=60.0, ask_s=30.0
)
"""Patient, so that no busy machine makes a good worker a bad one."""
CONFIG = WorkerConfig(run=0, source="scene:", bundle="/b", pictures="/p")


class Ear:
    """Keeps what the supervisor tells."""

    def __init__(self) -> None:
        self.bodies: list[Body] = []
        self.samples: list[Sample] = []
        self.moments: list[Moment] = []
        self.ends: list[str] = []
        self.states: list[WorkerState] = []
        self.supervisor: Supervisor | None = None

    def journal(self, body: Body, mono_ns: int | None = None) -> None:
        self.bodies.append(body)

    def live(self, sample: Sample) -> None:
        self.samples.append(sample)

    def moment(self, moment: Moment) -> None:
        self.moments.append(moment)

    def worker_ended(self, how: str) -> None:
        self.ends.append(how)

    def worker_changed(self) -> None:
        if self.supervisor:
            self.states.append(self.supervisor.state)

    def named(self, name: str) -> list[Event | Failure]:
        return [b for b in self.bodies if isinstance(b, (Event, Failure)) and b.name == name]

    async def hears(self, name: str, times: int = 1) -> Event | Failure:
        for _ in range(6000):
            if len(self.named(name)) >= times:
                return self.named(name)[times - 1]
            await asyncio.sleep(0.01)
        raise AssertionError(f"{name} was never told; told: {self.bodies}")


def supervisor(behaviour: str, tmp_path: Path, timing: Timing = TIMING) -> tuple[Supervisor, Ear]:
    ear, runs = Ear(), iter(range(1, 1000))
    command = (sys.executable, SMALL_WORKER, behaviour)
    ear.supervisor = Supervisor(command, tmp_path, ear, system_clock(), lambda: next(runs), timing)
    return ear.supervisor, ear


async def refused(start: Awaitable[object]) -> Trouble:
    """The Trouble that a start (or whatever is awaited) ends with, within a minute."""
    with pytest.raises(Trouble) as caught:
        await asyncio.wait_for(start, 60)
    return caught.value


async def test_a_good_worker_runs_and_stops_as_asked(tmp_path: Path) -> None:
    one, ear = supervisor("normal", tmp_path)
    await one.start(CONFIG)
    pid = one.state.pid
    assert one.state.phase == "running"
    assert pid is not None
    assert os.getpgid(pid) == pid  # a group of its own: Ctrl+C in the agent's terminal is not the worker's
    await one.stop()
    assert (one.state.phase, one.state.pid, one.state.last_exit) == ("stopped", None, "exit status 0")
    phases = [phase for phase, _ in itertools.groupby(state.phase for state in ear.states)]
    assert phases == ["starting", "running", "stopping", "stopped"]
    assert not [b for b in ear.bodies if isinstance(b, Failure)]
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_two_starts_while_a_worker_is_being_stopped_start_one_and_both_are_answered(tmp_path: Path) -> None:
    """A person starts it just when a change of models restarts it: a second worker would hold the camera for ever, and the
    change would wait for ever for the start that nobody confirms.
    """
    one, ear = supervisor("normal", tmp_path)
    await one.start(CONFIG)

    async def restarted() -> None:
        await one.stop()
        with contextlib.suppress(Trouble):  # the other start may take its place
            await one.start(CONFIG)

    async def started() -> None:
        await asyncio.sleep(0)
        assert one.state.phase == "stopping"
        with contextlib.suppress(Trouble):
            await one.start(CONFIG)

    await asyncio.wait_for(asyncio.gather(restarted(), started()), 60)
    assert one.state.phase == "running"
    await one.stop()
    assert (len(ear.named("worker_started")), len(ear.ends)) == (2, 2)


async def test_a_crash_before_it_is_ready_is_the_answer_to_the_start(tmp_path: Path) -> None:
    one, ear = supervisor("crash", tmp_path)
    trouble = await refused(one.start(CONFIG))
    assert trouble.code == "worker_crash"
    assert "killed by SIGSEGV" in trouble.what
    assert "something terrible happened" in trouble.what
    await asyncio.sleep(0)
    assert len(ear.named("worker_crash")) == 1


async def test_an_insisting_start_goes_on_with_growing_pauses(tmp_path: Path) -> None:
    one, ear = supervisor("crash", tmp_path)
    starting = asyncio.ensure_future(one.start(CONFIG, insist=True))
    await ear.hears("worker_restarting", times=4)
    pauses = [event.data["delay_s"] for event in ear.named("worker_restarting")][:4]
    assert pauses == [0.05, 0.1, 0.2, 0.2]
    await one.stop()
    trouble = await refused(starting)
    assert trouble.code == "stopped"


async def test_after_a_healthy_while_the_pauses_begin_anew(tmp_path: Path) -> None:
    timing = Timing(**{**vars(TIMING), "healthy_s": 0.0, "backoff_most_s": 5.0})
    one, ear = supervisor("crash_later", tmp_path, timing)
    await one.start(CONFIG)
    await ear.hears("worker_restarting", times=3)
    assert [event.data["delay_s"] for event in ear.named("worker_restarting")][:3] == [0.05, 0.05, 0.05]
    await one.stop()


async def test_a_worker_that_hangs_is_killed_and_restarted(tmp_path: Path) -> None:
    one, ear = supervisor("hang", tmp_path, Timing(**{**vars(TIMING), "beat_s": 0.5}))
    await one.start(CONFIG)
    failure = await asyncio.wait_for(ear.hears("worker_hang"), 60)
    assert failure.data["exit"] == "killed by SIGKILL"
    assert await ear.hears("worker_started", times=2)
    await one.stop()


async def test_an_agent_that_was_frozen_itself_does_not_blame_the_worker(tmp_path: Path) -> None:
    """Else stopping the agent for a minute kills a good worker and counts a hang."""
    frozen_ns, ear, runs = [0], Ear(), iter(range(1, 1000))
    clock = Clock("boot", mono_ns=lambda: time.monotonic_ns() + frozen_ns[0])
    timing = dataclasses.replace(TIMING, beat_s=0.6)
    one = Supervisor((sys.executable, SMALL_WORKER, "hang"), tmp_path, ear, clock, lambda: next(runs), timing)
    await one.start(CONFIG)
    frozen_ns[0] = 80_000_000_000
    since_ns = time.monotonic_ns()
    await ear.hears("worker_hang")
    assert time.monotonic_ns() - since_ns >= 600_000_000  # all of its patience, from when the agent ran again
    await one.stop()


async def test_a_worker_that_never_gets_ready_is_the_answer_to_the_start(tmp_path: Path) -> None:
    one, ear = supervisor("never_ready", tmp_path, Timing(**{**vars(TIMING), "start_s": 1.0}))
    trouble = await refused(one.start(CONFIG))
    assert trouble.code == "worker_hang"
    assert ear.named("worker_hang")


async def test_a_worker_deaf_to_quit_and_sigterm_is_killed_in_time(tmp_path: Path) -> None:
    one, _ = supervisor("deaf", tmp_path, Timing(**{**vars(TIMING), "quit_s": 0.5}))
    await one.start(CONFIG)
    begin = asyncio.get_running_loop().time()
    await one.stop()
    assert asyncio.get_running_loop().time() - begin < 20
    assert one.state.last_exit == "killed by SIGKILL"


async def test_garbage_on_stdout_is_told_once_and_the_worker_goes_on(tmp_path: Path) -> None:
    one, ear = supervisor("garbage", tmp_path)
    await one.start(CONFIG)
    noise = await ear.hears("worker_noise")
    assert "WARNING: a library" in noise.text
    assert len(ear.named("worker_noise")) == 1
    assert one.state.phase == "running"
    await one.stop()


async def test_an_endless_line_ends_the_worker_not_the_agent(tmp_path: Path) -> None:
    one, ear = supervisor("endless", tmp_path)
    trouble = await refused(one.start(CONFIG))
    assert trouble.code == "worker_crash"
    assert "without an end" in trouble.what
    assert ear.named("worker_crash")


async def test_unable_is_no_crash_and_nothing_is_restarted(tmp_path: Path) -> None:
    one, ear = supervisor("unable", tmp_path)
    trouble = await refused(one.start(CONFIG))
    assert (trouble.what, trouble.code) == ("the bundle is broken", "bundle_changed")
    await one.stop()
    assert one.state.phase == "stopped"
    assert ear.named("worker_unable")
    assert not ear.named("worker_crash")
    assert not ear.named("worker_restarting")


async def test_a_worker_that_is_unable_and_stays_is_ended(tmp_path: Path) -> None:
    one, _ = supervisor("unable_but_stays", tmp_path, Timing(**{**vars(TIMING), "unable_s": 0.1}))
    trouble = await refused(one.start(CONFIG))
    assert trouble.code == "bundle_changed"


async def test_a_drill_ends_with_the_worker_gone(tmp_path: Path) -> None:
    one, ear = supervisor("normal", tmp_path)
    await one.start(CONFIG)
    await one.kill()
    assert one.state.pid is None
    assert ear.named("worker_crash")[0].data["exit"] == "killed by SIGKILL"
    await one.stop()


async def test_a_drill_on_a_worker_that_can_not_be_killed_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else all that commands the worker waits behind the drill."""
    one, _ = supervisor("normal", tmp_path, Timing(**{**vars(TIMING), "kill_s": 0.2}))
    await one.start(CONFIG)
    with monkeypatch.context() as patch:
        patch.setattr(os, "killpg", lambda *_: None)  # as one that hangs in the kernel hears it
        assert (await refused(one.kill())).code == "unkillable"
    await one.stop()
    assert one.state.pid is None


async def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    ear = Ear()
    one = Supervisor(("/no/such/program",), tmp_path, ear, system_clock(), lambda: 1, TIMING)
    trouble = await refused(one.start(CONFIG))
    assert trouble.code == "no_worker"


@pytest.mark.parametrize("insist", [True, False])
async def test_a_disk_that_can_not_be_read_is_told_and_tried_again(tmp_path: Path, insist: bool) -> None:
    """Else the worker stands still without a word, though it is wanted."""
    one, _ = supervisor("normal", tmp_path)
    fails = [OSError(5, "Input/output error", "model.onnx")]

    async def prepare(config: WorkerConfig) -> WorkerConfig:
        if fails:
            raise fails.pop()
        return config

    one.prepare = prepare
    if insist:
        await asyncio.wait_for(one.start(CONFIG, insist=True), 10)
        assert one.state.phase == "running"
        await one.stop()
    else:
        trouble = await refused(one.start(CONFIG))
        assert (trouble.code, "Input/output error" in trouble.what) == ("no_worker", True)


async def test_who_stops_while_it_waits_to_restart_is_obeyed_at_once(tmp_path: Path) -> None:
    one, ear = supervisor(
        "crash_later", tmp_path, Timing(**{**vars(TIMING), "backoff_first_s": 300.0, "backoff_most_s": 300.0})
    )
    await one.start(CONFIG)
    await ear.hears("worker_restarting")
    await asyncio.wait_for(one.stop(), 60)
    phases = [phase for phase, _ in itertools.groupby(state.phase for state in ear.states)]
    assert phases == ["starting", "running", "waiting_to_restart", "stopped"]


async def test_frames_are_answered_and_a_dead_worker_fails_the_question(tmp_path: Path) -> None:
    one, _ = supervisor("normal", tmp_path)
    trouble = await refused(one.ask_frame(100))
    assert trouble.code == "not_running"
    await one.start(CONFIG)
    picture = await one.ask_frame(100)
    assert picture is not None
    assert picture.width == 64
    await one.stop()


def test_lines_are_cut_wherever_the_chunks_end() -> None:
    lines = LineSplitter(100)
    assert lines.feed(b"one\ntw") == [b"one"]
    assert lines.feed(b"o") == []
    assert lines.feed(b"\n\n  \nthree\n") == [b"two", b"three"]


@pytest.mark.parametrize(("size", "fits"), [(100, True), (101, False)])
def test_the_line_limit_holds_for_whole_and_for_unfinished_lines(size: int, fits: bool) -> None:
    for chunk in (b"x" * size, b"x" * size + b"\n"):
        lines = LineSplitter(100)
        if fits:
            lines.feed(chunk)
        else:
            with pytest.raises(Trouble):
                lines.feed(chunk)
