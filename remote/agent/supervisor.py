"""Keeps the worker running while it is wanted: restarts with back-off, kills what hangs, records each crash."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import msgspec

from remote.agent.clock import Clock
from remote.agent.worker_process import WorkerProcess
from remote.errors import Trouble
from remote.perception.messages import (
    AskFrame,
    Beat,
    Cause,
    FrameAnswer,
    FromWorker,
    Journalled,
    Live,
    MarkFrame,
    Moment,
    Quit,
    Ready,
    SampleRate,
    Unable,
    WatchFor,
    WorkerConfig,
)
from remote.protocol import (
    Body,
    BundleState,
    Event,
    Failure,
    Picture,
    Sample,
    Scalar,
    Severity,
    Watch,
    WorkerPhase,
    WorkerState,
)


@dataclass(frozen=True)
class Timing:
    """Seconds: `beat_s` without a Beat is a hang, `start_s` without Ready too (engines are built and warmed up then).

    `quit_s`, `term_s` and `kill_s` are what Quit, SIGTERM and SIGKILL are given, `unable_s` what a worker that said Unable,
    `ask_s` what one that was asked for a frame. Restarts wait `backoff_first_s`, doubling to `backoff_most_s`, and begin
    anew after `healthy_s` of running.
    """

    beat_s: float = 5.0
    start_s: float = 120.0
    quit_s: float = 3.0
    term_s: float = 2.0
    kill_s: float = 5.0
    backoff_first_s: float = 0.5
    backoff_most_s: float = 30.0
    healthy_s: float = 60.0
    ask_s: float = 4.0
    unable_s: float = 2.0


class WorkerListener(Protocol):
    """What the supervisor tells its owner, always from the loop's thread."""

    def journal(self, body: Body, mono_ns: int | None = None) -> None:
        """Something for the journal."""

    def live(self, sample: Sample) -> None:
        """The newest frame."""

    def moment(self, moment: Moment) -> None:
        """A small picture of what the worker sees."""

    def worker_ended(self, how: str) -> None:
        """The process is gone; its last failure, if it left one, was journalled before."""

    def worker_changed(self) -> None:
        """`Supervisor.state` is another one."""


@dataclass
class _Life:
    """What is known of one run."""

    process: WorkerProcess
    beat_ns: int
    ready: Ready | None = None
    ready_ns: int = 0
    unable: Unable | None = None
    hung_s: float | None = None
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Supervisor:
    """Owns the worker process. All methods belong to the loop's thread.

    `bundle` and `engine` are what the worker said of itself when it was last ready; None and empty before. `prepare`, where
    it is set, is asked before each start of a process, also the supervisor's own restarts, and may change the config; where
    it raises Trouble that start does not happen. `on_death`, where it is set, is told of each end that nobody asked for.

    Args:
        command: the worker's command line.
        cwd: its working directory.
        next_run: numbers the starts.
    """

    def __init__(
        self,
        command: Sequence[str],
        cwd: Path,
        listener: WorkerListener,
        clock: Clock,
        next_run: Callable[[], int],
        timing: Timing = Timing(),
    ) -> None:
        self._command, self._cwd, self._listener = command, cwd, listener
        self._clock, self._next_run, self._timing = clock, next_run, timing
        self._life: _Life | None = None
        self._task: asyncio.Task[None] | None = None
        self._confirmed: asyncio.Future[None] | None = None
        self._halt = asyncio.Event()
        self._insist = False
        self._asks: dict[int, asyncio.Future[Picture | None]] = {}
        self._ask_ids = itertools.count(1)
        self._samples_per_s = 0.0
        self._look_for: Watch | None = None
        self._config: WorkerConfig | None = None
        self.state = WorkerState("stopped", clock.mono_ns())
        self.bundle: BundleState | None = None
        self.engine = ""
        self.prepare: Callable[[WorkerConfig], Awaitable[WorkerConfig]] | None = None
        self.on_death: Callable[[str], None] | None = None

    @property
    def wanted(self) -> bool:
        """Whether the worker is to run: starting, running or waiting to be restarted."""
        return self._task is not None and not self._halt.is_set()

    async def start(self, config: WorkerConfig, *, insist: bool = False) -> None:
        """Start the worker and wait until it is ready; one that runs already is left alone. `config.run` is set here.

        Raises Trouble when it says that it is unable, when its first run ends before it is ready (unless `insist`, which
        goes on with restarts), or with code `stopped` when it is stopped meanwhile.
        """
        while self._task is not None:  # again, where somebody else started it while it was waited for its end
            if self.state.phase == "running":
                return
            await self.stop()
        self._halt.clear()
        self._config = config
        self._set("starting", restarts=0)
        self._confirmed = asyncio.get_running_loop().create_future()
        self._insist = insist
        self._task = asyncio.ensure_future(self._supervise())
        await asyncio.shield(self._confirmed)

    async def stop(self) -> None:
        """End the worker and wait until the process is gone: Quit, then SIGTERM, then SIGKILL. Nothing where none runs.

        Raises Trouble (code `unkillable`) where even that does not end it: it hangs in the kernel.
        """
        task = self._task
        if task is None:
            return
        self._halt.set()
        if self._life:
            self._set("stopping")
        for patience_s, number in ((self._timing.quit_s, signal.SIGTERM), (self._timing.term_s, signal.SIGKILL)):
            if (await asyncio.wait({task}, timeout=patience_s))[0]:
                break
            if self._life:
                self._life.process.signal(number)
        if not (await asyncio.wait({task}, timeout=self._timing.kill_s))[0]:
            raise _unkillable()

    async def kill(self) -> None:
        """SIGKILL the worker as a drill and wait for its end. Raises Trouble: `not_running`, `unkillable` as `stop`."""
        life = self._running()
        life.process.signal(signal.SIGKILL)
        try:
            await asyncio.wait_for(life.over.wait(), self._timing.kill_s)
        except asyncio.TimeoutError:
            raise _unkillable() from None

    def cause(self, cause: Cause) -> None:
        """Pass a drill on to the worker; raises Trouble (code `not_running`) where none runs."""
        self._running().process.send(cause)

    def sample_rate(self, per_s: float) -> None:
        """Tell the worker how many samples a second are wanted, now and in later runs."""
        if per_s == self._samples_per_s:
            return
        self._samples_per_s = per_s
        if self._life and self._life.ready:
            self._life.process.send(SampleRate(per_s))

    def look_out_for(self, watch: Watch | None) -> None:
        """Tell the worker what to look out for, now and in later runs."""
        self._look_for = watch
        if self._life and self._life.ready:
            self._life.process.send(WatchFor(watch))

    async def ask_frame(self, max_width: int) -> Picture | None:
        """The newest frame; None while there is none yet. Raises Trouble (`not_running`, `no_answer`)."""
        return await self._ask(lambda number: AskFrame(number, max_width))

    async def mark(self, note: str) -> Picture | None:
        """Let the worker journal an operator's mark; raises like `ask_frame`."""
        return await self._ask(lambda number: MarkFrame(number, note))

    async def _ask(self, message: Callable[[int], object]) -> Picture | None:
        life, number = self._running(), next(self._ask_ids)
        answer: asyncio.Future[Picture | None] = asyncio.get_running_loop().create_future()
        self._asks[number] = answer
        try:
            if life.process.send(message(number)):
                return await asyncio.wait_for(answer, self._timing.ask_s)
        except asyncio.TimeoutError:
            pass  # said below, as for a worker that does not read
        finally:
            del self._asks[number]
        raise Trouble("the worker did not answer", cure="look at its state, it may hang", code="no_answer")

    def _running(self) -> _Life:
        if self._life is None or self._life.ready is None:
            raise Trouble("the worker does not run", cure="start it first", code="not_running")
        return self._life

    async def _supervise(self) -> None:
        try:
            await self._keep_running()
        finally:
            self._task = None
            self._set("stopped")
            self._confirm(Trouble("the worker was stopped before it was ready", code="stopped"))

    async def _keep_running(self) -> None:
        delay_s, was_ready = self._timing.backoff_first_s, self._insist
        while not self._halt.is_set():
            try:
                life = await self._live_once()
            except Trouble as trouble:  # `prepare` refused this start
                if not was_ready:
                    self._confirm(trouble)
                    return
                self._set(self.state.phase, last_exit=trouble.what)
                await self._wait_to_restart(delay_s)
                delay_s = min(delay_s * 2, self._timing.backoff_most_s)
                continue
            if life is None:
                return
            was_ready = was_ready or life.ready is not None
            if self._halt.is_set() or life.unable or not was_ready:
                return
            if life.ready and self._clock.mono_ns() - life.ready_ns >= self._timing.healthy_s * 1e9:
                delay_s = self._timing.backoff_first_s
            await self._wait_to_restart(delay_s)
            delay_s = min(delay_s * 2, self._timing.backoff_most_s)

    async def _wait_to_restart(self, delay_s: float) -> None:
        self._set("waiting_to_restart", restarts=self.state.restarts + 1)
        text = f"the worker starts again in {delay_s:g} s ({self.state.last_exit})"
        self._event("worker_restarting", "warning", text, delay_s=delay_s, restarts=self.state.restarts)
        try:
            await asyncio.wait_for(self._halt.wait(), delay_s)
        except asyncio.TimeoutError:
            self._set("starting")

    async def _live_once(self) -> _Life | None:
        """Run the worker once, to its end; None where it can't be started at all."""
        assert self._config is not None  # start has set it
        prepared = await self._prepared(self._config)
        if self._halt.is_set():
            return None
        run = self._next_run()
        config = msgspec.structs.replace(prepared, run=run, samples_per_s=self._samples_per_s, watch=self._look_for)
        try:
            process = await WorkerProcess.spawn(self._command, self._cwd, self._take, self._noise)
        except OSError as error:
            self._confirm(
                Trouble(f"the worker can't be started: {error}", cure="install fieldgate again", code="no_worker")
            )
            return None
        life = self._life = _Life(process, self._clock.mono_ns())
        self._set("starting", run=run, pid=process.pid)
        process.send(config)
        try:
            await self._watch(life)
        finally:
            process.signal(signal.SIGKILL)
            how = await process.finish()
            self._life = None
            self._fail_asks()
        self._ended(life, how)
        self._listener.worker_ended(how)
        life.over.set()
        return life

    async def _prepared(self, config: WorkerConfig) -> WorkerConfig:
        """Raises Trouble, also for a disk that can't be read: nothing else would say why the worker stands still."""
        try:
            return await self.prepare(config) if self.prepare else config
        except OSError as error:
            cure = "look at the robot's disk and at who owns the agent's folder"
            raise Trouble(f"the worker can't be started now: {error}", cure=cure, code="no_worker") from error

    async def _watch(self, life: _Life) -> None:
        """Wait for the end; a worker that gives no sign of life for too long is killed."""
        while not life.process.ended.done():
            patience_s = self._timing.beat_s if life.ready else self._timing.start_s
            left_s = patience_s - (self._clock.mono_ns() - life.beat_ns) / 1e9
            if self._halt.is_set():
                life.process.send(Quit())
                await asyncio.wait({life.process.ended})
            elif left_s > 0:
                # Short turns: Ready may come meanwhile, and from then on the shorter patience counts.
                await self._turn(life, min(left_s, self._timing.beat_s / 4))
            else:
                life.hung_s = patience_s
                life.process.signal(signal.SIGKILL)
                await asyncio.wait({life.process.ended})

    async def _turn(self, life: _Life, timeout_s: float) -> None:
        """Wait for the end, or so long. Who was not running itself (stopped, starved) can't say who was silent meanwhile:
        the worker's patience begins anew then."""
        begun_ns = self._clock.mono_ns()
        await self._ended_or_halted(life, timeout_s)
        now_ns = self._clock.mono_ns()
        if (now_ns - begun_ns) / 1e9 - timeout_s > self._timing.beat_s / 2:
            life.beat_ns = now_ns

    async def _ended_or_halted(self, life: _Life, timeout_s: float) -> None:
        halted = asyncio.ensure_future(self._halt.wait())
        either: set[asyncio.Future[Any]] = {life.process.ended, halted}
        try:
            await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            halted.cancel()

    def _ended(self, life: _Life, how: str) -> None:
        self._set(self.state.phase, last_exit=how, pid=None)
        if life.unable:
            self._unable(life.unable)
        elif life.hung_s is not None:
            self._crashed(
                "worker_hang", f"the worker gave no sign of life for {life.hung_s:g} s and was killed", life, how
            )
        elif self._halt.is_set():
            self._event("worker_stopped", "info", f"the worker was stopped ({how})", run=self.state.run, exit=how)
        else:
            why = f" ({life.process.broken})" if life.process.broken else ""
            self._crashed("worker_crash", f"the worker ended without being asked to: {how}{why}", life, how)

    def _unable(self, unable: Unable) -> None:
        text = f"the worker can't start: {unable.what}"
        self._event("worker_unable", "error", text, run=self.state.run, code=unable.code, cure=unable.cure)
        self._died(text)
        self._confirm(Trouble(unable.what, cure=unable.cure, code=unable.code))

    def _died(self, text: str) -> None:
        if self.on_death is not None:
            self.on_death(text)

    def _crashed(self, name: str, text: str, life: _Life, how: str) -> None:
        words = life.process.last_words
        data: dict[str, Scalar] = {"run": self.state.run, "exit": how, "last_words": words}
        config = self._config
        source, bundle = (config.source, life.ready.bundle.digest if life.ready else "") if config else ("", "")
        self._listener.journal(Failure(name=name, text=text, source=source, bundle=bundle, data=data))
        last_line = f"; it last said: {words.splitlines()[-1]}" if words else ""
        self._died(text + last_line)
        if life.ready is None and not self._insist:
            self._confirm(Trouble(text + last_line, cure="look into agent.log on the robot", code=name))

    def _take(self, message: FromWorker) -> None:
        life = self._life
        if life is None:
            return
        if isinstance(message, Beat):
            life.beat_ns = self._clock.mono_ns()
        elif isinstance(message, Live):
            self._listener.live(message.sample)
        elif isinstance(message, Journalled):
            self._listener.journal(message.body, message.mono_ns)
        elif isinstance(message, FrameAnswer):
            self._answered(message)
        elif isinstance(message, Ready):
            self._ready(life, message)
        elif isinstance(message, Moment):
            self._listener.moment(message)
        else:
            life.unable = message
            asyncio.get_running_loop().call_later(self._timing.unable_s, life.process.signal, signal.SIGKILL)

    def _ready(self, life: _Life, ready: Ready) -> None:
        life.ready, life.ready_ns = ready, self._clock.mono_ns()
        life.beat_ns = life.ready_ns
        self.bundle, self.engine = ready.bundle, ready.engine
        life.process.send(SampleRate(self._samples_per_s))
        life.process.send(WatchFor(self._look_for))  # it may be another one than when the process began
        if not self._halt.is_set():
            self._set("running")
        text = f"the worker runs {ready.bundle.name} on {ready.engine}"
        data: dict[str, Scalar] = {"run": self.state.run, "engine": ready.engine, "bundle": ready.bundle.digest}
        self._listener.journal(Event(name="worker_started", severity="info", text=text, data=data))
        self._confirm(None)

    def _answered(self, answer: FrameAnswer) -> None:
        waiting = self._asks.get(answer.id)
        if waiting and not waiting.done():
            waiting.set_result(answer.picture)

    def _fail_asks(self) -> None:
        for waiting in self._asks.values():
            if not waiting.done():
                waiting.set_exception(Trouble("the worker ended meanwhile", code="not_running"))

    def _noise(self, shown: str) -> None:
        text = f"the worker wrote something that is no message to its stdout (it began: {shown!r})"
        self._event("worker_noise", "warning", text, run=self.state.run)

    def _confirm(self, trouble: Trouble | None) -> None:
        confirmed = self._confirmed
        if confirmed is None or confirmed.done():
            return
        if trouble is None:
            confirmed.set_result(None)
        else:
            confirmed.set_exception(trouble)

    def _event(self, name: str, severity: Severity, text: str, **data: Scalar) -> None:
        self._listener.journal(Event(name=name, severity=severity, text=text, data=data))

    def _set(self, phase: WorkerPhase, **changes: object) -> None:
        since = self.state.since_mono_ns if phase == self.state.phase else self._clock.mono_ns()
        self.state = msgspec.structs.replace(self.state, phase=phase, since_mono_ns=since, **changes)
        self._listener.worker_changed()


def _unkillable() -> Trouble:
    what = "the worker does not end even after SIGKILL: it hangs in a driver"
    return Trouble(what, cure="unplug the camera, or restart the robot's computer", code="unkillable")
