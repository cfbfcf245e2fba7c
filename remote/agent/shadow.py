"""A candidate beside the worker: both bundles look at the worker's own frames in a child of theirs; only the counts are
used.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TypeVar

import msgspec

from remote.agent.child_process import ChildProcess, child_environment, exit_text
from remote.errors import Trouble
from remote.model_states import ShadowState
from remote.models.replay.comparing import Difference
from remote.models.replay.pair_process import Told
from remote.perception.engines.wishes import Wishes, words_of
from remote.protocol import BundleState, Event, Picture, Scalar
from remote.ready_types import ready

WIDEST_PX = 4096
PERIOD_S = 0.5
"""Two frames a second at most: the worker encodes each one as a JPEG."""
LOAD_S = 300.0
ANSWER_S = 60.0
CLOSED_S = 2.0
MOST_S = 86_400.0
LINE_BYTES = 256 * 1024
WORDS_BYTES = 4096
COMMAND = (sys.executable, "-m", "remote.models.replay.pair_process")

AskFrame = Callable[[int], Awaitable["Picture | None"]]
T = TypeVar("T")


class _Over(Exception):
    """Ends a shadow; its words say why."""


@dataclass(frozen=True)
class Contest:
    """Who is compared: the folders of both bundles and what is said of them, the engines' threads and the folder of those
    that this robot built, for how long; `wishes` is how they were built.
    """

    current: Path
    candidate: Path
    current_digest: str
    of: BundleState
    threads: int
    engines: Path
    seconds: float
    wishes: Wishes = field(default_factory=Wishes)


@dataclass
class _Count:
    frames: int = 0
    agreed: int = 0
    only_current: int = 0
    only_candidate: int = 0
    failed: int = 0
    current_ms: list[float] = field(default_factory=list)
    candidate_ms: list[float] = field(default_factory=list)

    def add(self, one: Difference) -> None:
        self.frames += 1
        self.failed += bool(one.fault_new)
        self.agreed += one.agreed
        self.only_current += one.only_old
        self.only_candidate += one.only_new
        if one.old_ms is not None and one.new_ms is not None:
            self.current_ms.append(one.old_ms)
            self.candidate_ms.append(one.new_ms)


class Shadow:
    """One shadow at a time; all methods belong to the loop's thread.

    Args:
        cwd: the child's working directory.
        ask_frame: the worker's newest frame at most so many pixels wide, as Supervisor.ask_frame.
        running: the digest of what the worker runs, None where that is not known.
        journal: takes the events `shadow_started` and `shadow_ended`.
        changed: called when `state` is another one.
        clock_ns: monotonic nanoseconds.
        wall_ns: the robot's wall clock, in nanoseconds.
        pause: waits that many seconds.
        command: the child's command line.
    """

    def __init__(
        self,
        cwd: Path,
        *,
        ask_frame: AskFrame,
        running: Callable[[], str | None],
        journal: Callable[[Event], None],
        changed: Callable[[], None],
        clock_ns: Callable[[], int],
        wall_ns: Callable[[], int] = time.time_ns,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._cwd, self._ask, self._running, self._journal = cwd, ask_frame, running, journal
        self._changed, self._clock_ns, self._wall_ns = changed, clock_ns, wall_ns
        self._pause, self._command = pause, command
        self._task: asyncio.Task[None] | None = None
        self._state: ShadowState | None = None
        self._count = _Count()
        self._why = ""

    def state(self) -> ShadowState | None:
        """How it goes, or how the last one ended; None where there was none since the agent began."""
        return self._state

    def begin(self, contest: Contest, by: str) -> None:
        """Start it. Raises Trouble: `shadow_underway`, `bad_seconds`, `same_bundle`."""
        if self._task is not None:
            cure = "end it first, or wait"
            raise Trouble("another candidate runs beside already", cure=cure, code="shadow_underway")
        if not 0 < contest.seconds <= MOST_S:
            what = f"a shadow of {contest.seconds:g} s is not run"
            raise Trouble(what, cure=f"give up to {MOST_S:g} s", code="bad_seconds")
        if contest.of.digest == contest.current_digest:
            raise Trouble("the robot runs that bundle itself", cure="name another one", code="same_bundle")
        self._count, self._why = _Count(), ""
        self._state = ShadowState(digest=contest.of.digest, name=contest.of.name, whole_s=contest.seconds)
        text = f"{by} lets {contest.of.name} ({contest.of.digest[:12]}) run beside for {contest.seconds:g} s"
        data: dict[str, Scalar] = {"digest": contest.of.digest, "seconds": contest.seconds, "by": by}
        self._journal(Event(name="shadow_started", severity="info", text=text, data=data))
        self._task = asyncio.ensure_future(self._run(contest))
        self._changed()

    async def end(self, why: str) -> None:
        """End it and wait until its child is gone; nothing where none runs."""
        task = self._task
        if task is not None:
            self._why = why
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(asyncio.wait({task}))
            if self._task is task:  # it was called off before its first step
                self._task = None

    async def _run(self, contest: Contest) -> None:
        why, bad = "", False
        try:
            await self._compare(contest)
            why = "its time was over"
        except _Over as over:
            why, bad = str(over), True
        except asyncio.CancelledError:
            why = self._why or "the agent ended"
        except OSError as error:
            why, bad = f"its process can't be started: {error}", True
        finally:
            self._task = None
            self._ended(contest, why or "the agent failed at it, see agent.log", bad=bad or not why)

    async def _compare(self, contest: Contest) -> None:
        words = (
            *self._command,
            str(contest.current),
            str(contest.candidate),
            str(contest.threads),
            str(contest.engines),
            words_of(contest.wishes),
        )
        process = await ChildProcess.start(words, cwd=self._cwd, environment=child_environment(), limit=LINE_BYTES)
        child = _Child(process)
        try:
            await child.said(LOAD_S)
            await self._feed(child, contest)
        finally:
            await child.end()

    async def _feed(self, child: _Child, contest: Contest) -> None:
        seconds, newest = 0.0, None
        while seconds < contest.seconds:
            if self._why:  # called off while an await swallowed it, as `wait_for` may
                raise asyncio.CancelledError
            begun_ns = self._clock_ns()
            picture = await self._frame(contest)
            if picture is not None and picture.digest != newest:
                newest = picture.digest
                told = await child.compare(picture.jpeg)
                self._count.add(told)
            took_s = (self._clock_ns() - begun_ns) / 1e9
            await self._pause(max(0.0, PERIOD_S - took_s))
            if picture is not None:  # while the worker stands still, so does the time
                seconds += (self._clock_ns() - begun_ns) / 1e9
                self._tell(contest, seconds)

    async def _frame(self, contest: Contest) -> Picture | None:
        """The worker's newest frame; None while it gives none: then it is waited for."""
        running = self._running()
        if running is not None and running != contest.current_digest:
            raise _Over("the robot runs another bundle now")
        try:
            return await self._ask(WIDEST_PX)
        except Trouble:
            return None

    def _tell(self, contest: Contest, seconds: float, ended: str = "") -> None:
        count = self._count
        self._state = ShadowState(
            digest=contest.of.digest,
            name=contest.of.name,
            frames=count.frames,
            agreed=count.agreed,
            only_current=count.only_current,
            only_candidate=count.only_candidate,
            current_ms=round(median(count.current_ms), 3) if count.current_ms else None,
            candidate_ms=round(median(count.candidate_ms), 3) if count.candidate_ms else None,
            seconds=round(seconds, 1),
            ended=ended,
            whole_s=contest.seconds,
            ended_wall_ns=self._wall_ns() if ended else 0,
        )
        self._changed()

    def _ended(self, contest: Contest, why: str, *, bad: bool) -> None:
        self._tell(contest, self._state.seconds if self._state else 0.0, why)
        state = self._state
        assert state is not None  # told just now
        both = state.agreed + state.only_current + state.only_candidate
        text = f"{state.name} ({state.digest[:12]}) ran beside over {state.frames} pictures: "
        text += f"{state.agreed} of {both} boxes agree; {why}"
        data: dict[str, Scalar] = {**msgspec.to_builtins(state), "failed": self._count.failed}
        self._journal(Event(name="shadow_ended", severity="warning" if bad else "info", text=text, data=data))


class _Child:
    """The process that compares: JPEGs in, a line for each out."""

    def __init__(self, process: ChildProcess) -> None:
        self._process = process
        self._words = asyncio.ensure_future(self._read_words())

    async def compare(self, jpeg: bytes) -> Difference:
        """What differs in this picture. Raises _Over where the process is gone, silent, or says something else."""
        stdin = self._process.stdin
        assert stdin is not None  # asked for with PIPE
        with contextlib.suppress(ConnectionError):  # said is told how it ended
            stdin.write(len(jpeg).to_bytes(4, "big") + jpeg)
            await _in_time(stdin.drain(), ANSWER_S)
        told = await self.said(ANSWER_S)
        if told.difference is None:
            raise _Over("its process said something that is no comparison")
        return told.difference

    async def said(self, patience_s: float) -> Told:
        """The next line. Raises _Over with the error that it tells, or how the process ended."""
        stdout = self._process.stdout
        assert stdout is not None  # asked for with PIPE
        try:
            line = await _in_time(stdout.readline(), patience_s)
            told = msgspec.json.decode(line, type=ready(Told)) if line else None
        except (ValueError, RecursionError):  # no JSON, or a line over the limit
            raise _Over("its process said something that is no message") from None
        if told is None:
            raise _Over(await self._how())
        if told.error is not None:
            raise _Over(f"{told.error.what} ({told.error.code})")
        return told

    async def end(self) -> None:
        """Kill it and what it left behind."""
        await self._process.end()
        self._words.cancel()

    async def _how(self) -> str:
        """How it ended; one that has closed its output may hang at its end."""
        await asyncio.wait({self._process.exited}, timeout=CLOSED_S)
        if self._process.runs:
            return "its process closed its output and did not end"
        code = await self._process.wait()
        with contextlib.suppress(asyncio.TimeoutError):
            words = await asyncio.wait_for(asyncio.shield(self._words), 1.0)
            last = words.decode("utf-8", "replace").strip().splitlines()[-1:]
            return f"its process ended: {exit_text(code)}" + (f"; it last said: {last[0][:300]}" if last else "")
        return f"its process ended: {exit_text(code)}"

    async def _read_words(self) -> bytes:
        stderr, kept = self._process.stderr, b""
        assert stderr is not None  # asked for with PIPE
        while chunk := await stderr.read(65_536):
            kept = (kept + chunk)[-WORDS_BYTES:]
        return kept


async def _in_time(what: Awaitable[T], patience_s: float) -> T:
    """What comes of it. Raises _Over where nothing does within `patience_s`."""
    try:
        return await asyncio.wait_for(what, patience_s)
    except asyncio.TimeoutError:
        raise _Over(f"its process gave no answer for {patience_s:g} s") from None
