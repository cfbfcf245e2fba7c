"""The daemon: one agent for each home, a Unix socket, a work loop that ticks once a second, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from typing import IO

from remote import __version__
from remote.agent import settings as settings_file
from remote.agent import systemd
from remote.agent.actions import Actions
from remote.agent.clock import Clock, StepWatch, system_clock
from remote.agent.connection import Connection
from remote.agent.core import Agent
from remote.agent.lease import TERM_S
from remote.agent.picture_book import PictureBook
from remote.agent.places import Places
from remote.agent.previous_end import facts_of_start
from remote.agent.recovery import open_journal
from remote.agent.requests import Desk
from remote.agent.settings import Settings
from remote.agent.supervisor import Timing
from remote.agent.writer import HOUSEKEEPING_S, JournalWriter
from remote.errors import Trouble
from remote.loose_threads import LooseThreads
from remote.monitor.monitor import Monitor
from remote.protocol import ErrorInfo, Refusal, Scalar, line

WORKER_COMMAND = (sys.executable, "-m", "remote.perception.worker")
TICK_S = 1.0
WRITER_SILENT_S = 10.0
MOST_CONSOLES = 32
LOG_BYTES = 1_000_000
LOCK_S = 0.3
CALLED_OFF_S = 8.0
"""What the agent's end gives a build, a look and a shadow. With the worker's end after it, it stays below what systemd and
`fieldgate-agent stop` wait for."""
THREADS_S = 2.0
"""What the agent's end gives a thread that reads or writes files."""

log = logging.getLogger("fieldgate.agent")


@dataclass(frozen=True)
class Options:
    """How an agent is run. `exit_when_alone_s` ends it when no console was attached for that long (None: never)."""

    name: str = ""
    drills: bool = False
    autostart: bool = False
    exit_when_alone_s: float | None = None
    worker_command: Sequence[str] = WORKER_COMMAND
    timing: Timing = field(default_factory=Timing)
    lease_s: float = TERM_S
    housekeeping_s: float = HOUSEKEEPING_S


def serve(places: Places, options: Options) -> None:
    """Run the agent until SIGTERM, SIGINT, SIGHUP or its loneliness ends it. Raises Trouble where it can't begin."""
    os.umask(0o077)  # journal, log and pictures are this user's alone, wherever they lie
    places.prepare()
    with _locked(places) as killed:
        settings = settings_file.load(places.settings)
        _log_to(places)
        asyncio.run(_Daemon(places, settings, options, system_clock(), killed).run())


class _Daemon:
    def __init__(self, places: Places, settings: Settings, options: Options, clock: Clock, killed: str) -> None:
        self._places, self._settings, self._options, self._clock = places, settings, options, clock
        self._killed = killed
        self._steps = StepWatch(clock)
        self._book = PictureBook(places.pictures, places.picture_index, places.pins)
        self._book_troubles = self._book.read()
        self._numbers = 0
        self._alone_since_ns = clock.mono_ns()
        self._open: set[asyncio.Task[None]] = set()
        self._background: set[asyncio.Future[None]] = set()

    async def run(self) -> None:
        """From the first entry to the last."""
        self._done = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_default_executor(LooseThreads(THREADS_S))
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self._done.set)
        writer = self._open_journal(loop)
        try:
            self._agent = self._make_agent(writer)
            self._desk = Desk(self._agent)
            await self._serve(loop)
        finally:
            await asyncio.to_thread(writer.close)
        log.info("the agent has ended")

    def _open_journal(self, loop: asyncio.AbstractEventLoop) -> JournalWriter:
        journal, replaced = open_journal(self._places.journal, self._clock)
        self._before = journal.before() if replaced is None else None
        return JournalWriter(
            journal,
            self._clock,
            self._settings.limits,
            housekeep=lambda: self._trim_pictures(loop),
            on_commit=lambda: _soon(loop, lambda: self._agent.committed()),
            on_replaced=lambda: _soon(loop, lambda: self._agent.journal_replaced()),
            housekeeping_s=self._options.housekeeping_s,
        )

    def _make_agent(self, writer: JournalWriter) -> Agent:
        options = self._options
        return Agent(
            self._places,
            self._settings,
            self._clock,
            writer,
            self._book,
            name=options.name or self._settings.name or socket.gethostname(),
            drills=options.drills,
            worker_command=options.worker_command,
            timing=options.timing,
            lease_s=options.lease_s,
        )

    async def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        agent = self._agent
        agent.on_link_lost = self._link_lost
        self._tell_of_the_start()
        agent.load_bundle()
        agent.load_watch()
        agent.updates.load()
        for trouble in self._book_troubles:
            agent.event("pictures_unordered", "error", trouble)
        server = await asyncio.start_unix_server(self._welcome, sock=_bound(self._places))
        monitor = Monitor(self._places.state, agent.journal, worker_pid=lambda: agent.supervisor.state.pid)
        monitor.start()
        systemd.notify(f"READY=1\nMAINPID={os.getpid()}")
        log.info("agent %s listens on %s", __version__, self._places.socket)
        agent.models.change.resume()
        agent.engines.look()
        self._do(agent.models.sweep())
        if self._options.autostart or self._settings.autostart:
            self._do(self._autostart())
        try:
            await self._tick_until_done()
        finally:
            systemd.notify("STOPPING=1")
            agent.event("agent_stopping", "info", "the agent was asked to end", pid=os.getpid())
            server.close()
            self._places.socket.unlink(missing_ok=True)
            monitor.stop()
            await self._wind_down()

    def _trim_pictures(self, loop: asyncio.AbstractEventLoop) -> None:
        """Called from the journal's thread."""
        gone = self._book.trim(self._settings.limits.pictures_bytes)
        if gone is not None:
            _soon(loop, lambda: self._agent.pictures_removed(gone))

    def _tell_of_the_start(self) -> None:
        facts: dict[str, Scalar] = {"pid": os.getpid(), "version": __version__}
        facts |= facts_of_start(self._before, self._killed, self._clock.boot_id)
        if facts["previous_end"] != "unclean":
            self._agent.event("agent_started", "info", f"agent {__version__} began", **facts)
            return
        text = f"agent {__version__} began; the one before it was killed, or the robot lost its power"
        facts |= {"killed_pid": self._killed} if self._killed else {}
        facts["cure"] = "start the worker again if it ran; the journal is whole"
        self._agent.event("agent_started", "warning", text, **facts)

    async def _wind_down(self) -> None:
        for one in self._background:
            one.cancel()
        agent = self._agent
        ends = (
            agent.shadow.end("the agent ended"),
            agent.updates.end(),
            agent.engines.end(),
            agent.models.change.close(),
        )
        await all_ended(ends, CALLED_OFF_S)
        with contextlib.suppress(Trouble):  # an unkillable worker must not keep the agent
            await self._agent.supervisor.stop()
        await asyncio.to_thread(self._agent.failures.close)
        await asyncio.to_thread(self._agent.writer.flush, 2.0)
        await asyncio.sleep(0)  # lets the last commit reach the subscribers
        for console in list(self._agent.consoles.values()):
            console.end()
        if self._open:
            await asyncio.wait(self._open, timeout=1.0)

    async def _autostart(self) -> None:
        try:
            await Actions(self._agent).start_worker(insist=True)
        except Trouble as trouble:
            cure, code = trouble.cure, trouble.code
            self._agent.event(
                "autostart_failed", "error", f"the worker did not start: {trouble.what}", cure=cure, code=code
            )

    # ------------------------------------------------------------ the work loop

    async def _tick_until_done(self) -> None:
        while not self._done.is_set():
            self._tick()
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._done.wait(), TICK_S)

    def _tick(self) -> None:
        agent = self._agent
        if step_s := self._steps.look():
            text = f"the robot's clock was set {'forward' if step_s > 0 else 'back'} by {abs(step_s):.1f} s"
            agent.event("clock_stepped", "warning", text, step_s=round(step_s, 3))
        agent.look_at_lease()
        agent.failures.tick()
        agent.models.tick()
        agent.engines.tick()
        agent.updates.tick()
        self._look_for_loneliness()
        feed_watchdog(agent, time.monotonic())

    def _link_lost(self) -> None:
        agent = self._agent
        if agent.settings.on_link_loss != "stop":
            return
        if agent.supervisor.state.phase != "stopped" or agent.models.ground.keeps_up:
            agent.event(
                "link_loss_stop", "warning", "nobody commands any more: the worker is stopped, as on_link_loss says"
            )
        self._do(self._stop_worker())  # also where it is being restarted just now, and stands still for that

    async def _stop_worker(self) -> None:
        try:
            await self._agent.models.stop_worker()
        except Trouble as trouble:
            self._agent.event("worker_unkillable", "error", trouble.what, cure=trouble.cure)

    def _look_for_loneliness(self) -> None:
        limit_s, now = self._options.exit_when_alone_s, self._clock.mono_ns()
        if self._agent.consoles or self._agent.models.change.underway:  # a change goes on without a console
            self._alone_since_ns = now
        elif limit_s is not None and now - self._alone_since_ns > limit_s * 1e9:
            log.info("no console for %g s", limit_s)
            self._done.set()

    # ------------------------------------------------------------ connections

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._open) >= MOST_CONSOLES:
            writer.write(line(Refusal(ErrorInfo("too_many", f"{MOST_CONSOLES} consoles are attached", "close one"))))
            writer.close()
            return
        self._numbers += 1
        task = asyncio.current_task()
        assert task is not None  # a coroutine runs in one
        self._open.add(task)
        try:
            await Connection(self._numbers, self._agent, self._desk, reader, writer).serve()
        except Exception:  # one connection's outer catch: the others go on
            log.exception("connection %d failed", self._numbers)
        finally:
            self._open.discard(task)

    def _do(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def all_ended(ends: Sequence[Coroutine[None, None, None]], patience_s: float) -> None:
    """Wait for all of them at once; after `patience_s` for none any more: the loop's end cancels what is left."""
    done, late = await asyncio.wait([asyncio.ensure_future(one) for one in ends], timeout=patience_s)
    for one in done:
        if not one.cancelled() and (error := one.exception()) is not None:
            log.error("something did not end well", exc_info=error)
    if late:
        log.warning("%d of %d did not end within %g s", len(late), len(ends), patience_s)


def feed_watchdog(agent: Agent, now_s: float) -> None:
    """Tell systemd that the agent works; not where the journal's thread made no turn for WRITER_SILENT_S."""
    if now_s - agent.writer.alive_s < WRITER_SILENT_S:
        systemd.notify("WATCHDOG=1")


def _soon(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to be told
        loop.call_soon_threadsafe(call)


def _bound(places: Places) -> socket.socket:
    """The listening socket, 0600. We hold the lock, so a socket file found here belongs to a dead agent."""
    places.socket.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    before = os.umask(0o177)
    try:
        door.bind(str(places.socket))
    finally:
        os.umask(before)
    return door


@contextlib.contextmanager
def _locked(places: Places) -> Iterator[str]:
    """Hold the home's lock; gives the process id of an agent before this one that did not end cleanly, else ''.

    Trouble (code `already_running`) names the process that holds it.
    """
    with places.lock.open("a+") as file:
        if not _lock(file):
            raise Trouble(
                f"an agent already runs here (process {_pid_in(file) or 'unknown'}, {places.state})",
                cure="use it, or end it with `fieldgate-agent stop`",
                code="already_running",
            )
        killed = _pid_in(file)
        _note_pid(file, places)
        yield killed
        os.ftruncate(file.fileno(), 0)  # a process id that stays here is one that was killed


def _note_pid(file: IO[str], places: Places) -> None:
    try:
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), str(os.getpid()).encode())  # not through a buffer, which would try again when closed
    except OSError as error:
        what = f"the agent can't begin: {places.lock} can't be written: {error.strerror}"
        raise Trouble(what, cure=f"make space on the disk of {places.state}", code="disk_full") from error


def _lock(file: IO[str]) -> bool:
    """Take the lock; tries for LOCK_S, because `status` and `stop` touch it for a moment."""
    end = time.monotonic() + LOCK_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)


def _pid_in(file: IO[str]) -> str:
    file.seek(0)
    return file.read(20).strip()


def _log_to(places: Places) -> None:
    handler = RotatingFileHandler(places.log, maxBytes=LOG_BYTES, backupCount=3, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.raiseExceptions = False  # on a full disk each line would else write a traceback to stderr, and block there
    root = logging.getLogger("fieldgate")
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False
