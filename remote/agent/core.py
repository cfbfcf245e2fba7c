"""The agent's heart: what it knows, who is attached, and telling everybody when that changes. Lives in the loop's thread."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from remote.agent import settings as settings_file
from remote.agent import watch_file
from remote.agent.bundles import BundleStore
from remote.agent.care_ground import AgentCareGround
from remote.agent.changing import Changing
from remote.agent.clock import Clock
from remote.agent.counters import Counters
from remote.agent.engine_build import tensorrt_installed
from remote.agent.engine_care import EngineCare
from remote.agent.errands import Errands
from remote.agent.failure_desk import FailureDesk
from remote.agent.failure_log import FailureLog
from remote.agent.journal import JournalReader
from remote.agent.lease import TERM_S, Holder, LeaseBook
from remote.agent.picture_book import PictureBook, Removed
from remote.agent.places import Places
from remote.agent.seen import Seeing
from remote.agent.settings import Settings
from remote.agent.shadow import Shadow
from remote.agent.supervisor import Supervisor, Timing
from remote.agent.update_ground import AgentUpdateGround
from remote.agent.updating import Updating
from remote.agent.writer import JournalWriter
from remote.errors import Trouble
from remote.perception.messages import Moment, WorkerConfig
from remote.perception.picture_folder import PictureFolder
from remote.protocol import (
    SAMPLES_PER_S_MAX,
    AgentState,
    Body,
    BundleState,
    Event,
    Failure,
    Host,
    Sample,
    Scalar,
    Severity,
    Watch,
    line,
)

log = logging.getLogger("fieldgate.agent")


class Console(Protocol):
    """One attached console, as the agent sees it."""

    number: int
    samples_per_s: float

    @property
    def holder(self) -> Holder:
        """Who it is."""
        ...

    def state_changed(self) -> None:
        """Send the new state when there is room."""

    def entries_committed(self) -> None:
        """Send what is new in the journal when there is room."""

    def offer_sample(self, data: bytes) -> None:
        """Send this line or drop it."""

    def end(self) -> None:
        """Close the connection."""


class Agent:
    """Everything that commands change, in one place.

    Args:
        name: the robot's name, shown to consoles.
        drills: whether faults may be caused on purpose.
        worker_command: the worker's command line.
    """

    def __init__(
        self,
        places: Places,
        settings: Settings,
        clock: Clock,
        writer: JournalWriter,
        book: PictureBook,
        *,
        name: str,
        drills: bool,
        worker_command: Sequence[str],
        timing: Timing = Timing(),
        lease_s: float = TERM_S,
    ) -> None:
        self.places, self.settings, self.clock, self.writer = places, settings, clock, writer
        self.name, self.drills, self.user = name, drills, os.getuid()
        self.counters = Counters(places.counters, floor=writer.last_seq)
        self.lease = LeaseBook(self.counters.epoch, lease_s)
        self.bundles = BundleStore(places)
        self.reader = JournalReader(places.journal)
        self.supervisor = Supervisor(worker_command, places.state, self, clock, self.counters.next_run, timing)
        self.shadow = self._new_shadow()
        self.seeing = Seeing()
        self.models = Changing(self)
        self.provers: list[Callable[[], bool]] = []  # whether what measures times here runs now
        self.engines = EngineCare(AgentCareGround(self), tensorrt_installed)
        floor = settings.limits.disk_free_floor_bytes
        self.updates = Updating(places.updates, places.bundles, AgentUpdateGround(self), clock, free_floor_bytes=floor)
        self.bundle: BundleState | None = None
        self.watch: Watch | None = None
        self.book = book
        self.failures = self._new_failure_desk()
        self.consoles: dict[int, Console] = {}
        self.host: Host | None = None
        self.host_came = threading.Event()
        self.on_link_lost: Callable[[], None] = lambda: None
        self._version = 0
        self._push_due = False
        self._pins_over = False

    def _new_shadow(self) -> Shadow:
        return Shadow(
            self.places.state,
            ask_frame=self.supervisor.ask_frame,
            running=self._running_digest,
            journal=self.journal,
            changed=self.changed,
            clock_ns=self.clock.mono_ns,
            wall_ns=self.clock.wall_ns,
        )

    def _new_failure_desk(self) -> FailureDesk:
        return FailureDesk(
            PictureFolder(self.places.pictures),
            self.book,
            FailureLog(self.places.failure_log),
            Errands("failures"),
            self.clock,
            self.writer.append,
        )

    # ------------------------------------------------------------ what it knows

    def state(self) -> AgentState:
        """The state as consoles see it."""
        return AgentState(
            version=self._version,
            mono_ns=self.clock.mono_ns(),
            worker=self.supervisor.state,
            source=self.settings.source,
            bundle=self.bundle,
            lease=self.lease.lease,
            epoch=self.lease.epoch,
            journal=self.writer.state(),
            consoles=tuple(console.holder.name for console in self.consoles.values()),
            on_link_loss=self.settings.on_link_loss,
            drills=self.drills,
            watch=self.watch,
            models=self.models.state(),
        )

    def _running_digest(self) -> str | None:
        """What the worker runs now; None while it does not run."""
        worker = self.supervisor
        return worker.bundle.digest if worker.bundle is not None and worker.state.phase == "running" else None

    def _disturbs_worker(self) -> bool:
        """Whether an engine is built, or a bundle tested, validated or checked beside the worker now. From any thread."""
        step = self.models.change.slots.step
        return step in ("building", "self_test") or self.engines.builds or any(one() for one in self.provers)

    def load_bundle(self) -> None:
        """Find out which bundle is the current one; a broken one is told by an event and is no bundle."""
        self.models.load()
        digest = self.models.digest
        if digest is None:
            return
        try:
            self.bundle = self.bundles.find(digest)[1]
        except Trouble as trouble:
            self.event("bundle_unusable", "error", trouble.what, code=trouble.code)

    def load_watch(self) -> None:
        """Take up what the robot was told to look out for; a broken file is told by an event and means nothing special."""
        try:
            self.watch = watch_file.load(self.places.watch)
        except Trouble as trouble:
            self.event("watch_unusable", "error", trouble.what, cure=trouble.cure)
        self._looks_out()

    def look_out_for(self, watch: Watch | None) -> None:
        """Make this the Watch in force, on the disk first. Raises Trouble where it can't be written."""
        watch_file.save(self.places.watch, watch)
        self.watch = watch
        self._looks_out()

    def _looks_out(self) -> None:
        self.failures.conditions = self.watch.conditions if self.watch else {}
        self.supervisor.look_out_for(self.watch)

    def worker_config(self, source: str) -> WorkerConfig:
        """How the worker is started with this source. Which bundle it runs is decided before each start (Changing)."""
        pictures = str(self.places.pictures)
        threads = self.settings.threads
        return WorkerConfig(
            run=0,
            source=source,
            bundle="",
            pictures=pictures,
            threads=threads,
            drills=self.drills,
            engines=str(self.places.engines),
            wishes=self.settings.engine,
        )

    def save(self, settings: Settings) -> None:
        """Make these settings the current ones, on the disk first. Raises Trouble where they can't be written."""
        settings_file.save(self.places.settings, settings)
        self.settings = settings

    # ------------------------------------------------------------ WorkerListener

    def journal(self, body: Body, mono_ns: int | None = None) -> None:
        """Journal a body soon; of the computer's own samples the newest is remembered.

        From any thread; a Failure from the loop's only.
        """
        if isinstance(body, Host):
            self.host = body
            self.host_came.set()
        now_ns = self.clock.mono_ns() if mono_ns is None else mono_ns
        self.seeing.take(body, now_ns, disturbed=self._disturbs_worker())
        if isinstance(body, Failure):
            self.failures.failure(body, mono_ns)
        else:
            self.writer.append(body, mono_ns)

    def live(self, sample: Sample) -> None:
        """Pass the newest frame to the consoles that want samples."""
        takers = [console for console in self.consoles.values() if console.samples_per_s > 0]
        if takers:
            data = line(sample)
            for console in takers:
                console.offer_sample(data)

    def moment(self, moment: Moment) -> None:
        """A small picture of what the worker sees."""
        self.failures.moment(moment)

    def worker_ended(self, how: str) -> None:
        """The worker's process is gone."""
        self.failures.worker_ended(how)

    def worker_changed(self) -> None:
        """The supervisor's state is another one."""
        if self.supervisor.bundle is not None and self.supervisor.state.phase == "running":
            self.bundle = self.supervisor.bundle
            self.engines.worker_runs(self.supervisor.state.run, self.supervisor.engine)
        self.changed()

    # ------------------------------------------------------------ telling everybody

    def event(self, name: str, severity: Severity, text: str, **data: Scalar) -> None:
        """Journal an event."""
        log.log(logging.INFO if severity == "info" else logging.WARNING, "%s: %s", name, text)
        self.writer.append(Event(name=name, severity=severity, text=text, data=data))

    def changed(self) -> None:
        """The state is another one: all consoles get it, once for all changes of this turn of the loop."""
        self._version += 1
        if not self._push_due:
            self._push_due = True
            asyncio.get_running_loop().call_soon(self._push)

    def _push(self) -> None:
        self._push_due = False
        for console in self.consoles.values():
            console.state_changed()

    def committed(self) -> None:
        """The journal grew: subscribers get the entries."""
        for console in self.consoles.values():
            console.entries_committed()

    def journal_replaced(self) -> None:
        """A new journal has begun: numbers start anew, so every console has to shake hands again."""
        self.reader.close()
        self.reader = JournalReader(self.places.journal)
        for console in list(self.consoles.values()):
            console.end()

    def pictures_removed(self, gone: Removed) -> None:
        """Pictures made room for newer ones; or pins alone are over the quota, which is told once."""
        if gone.pictures:
            text = f"{gone.pictures} pictures of {gone.failures} failures made room for newer ones ({gone.bytes} bytes)"
            data: dict[str, Scalar] = {"pictures": gone.pictures, "failures": gone.failures, "bytes": gone.bytes}
            self.event("pictures_removed", "info", text, **data)
        if gone.over and not self._pins_over:
            limit = self.settings.limits.pictures_bytes
            text = f"pinned pictures alone take {gone.pinned_bytes} bytes, pictures_bytes allows {limit}"
            self.event("pins_over_quota", "warning", text, cure="let go of older pins, or raise `pictures_bytes`")
        self._pins_over = gone.over

    # ------------------------------------------------------------ consoles

    def attached(self, console: Console) -> None:
        """A console has shaken hands."""
        self.consoles[console.number] = console
        self.event("console_attached", "info", f"{console.holder.name} attached", console=console.holder.name)
        self._consoles_changed()

    def detached(self, console: Console) -> None:
        """A console's connection has ended. Its lease goes on until it expires: it may come back."""
        if self.consoles.pop(console.number, None):
            self.event("console_detached", "info", f"{console.holder.name} detached", console=console.holder.name)
            self._consoles_changed()

    def _consoles_changed(self) -> None:
        self.writer.attached = tuple({console.holder.client_id for console in self.consoles.values()})
        self.rates_changed()
        self.changed()

    def rates_changed(self) -> None:
        """Tell the worker the highest sample rate that a console wants."""
        wanted = max((console.samples_per_s for console in self.consoles.values()), default=0.0)
        self.supervisor.sample_rate(min(wanted, SAMPLES_PER_S_MAX))

    def look_at_lease(self) -> None:
        """Let the lease expire where its time is over. The holder's link counts as lost then, whoever looked first."""
        gone = self.lease.expire(self.clock.mono_ns())
        if gone is None:
            return
        text = f"the lease of {gone.holder} (epoch {gone.epoch}) expired without being renewed"
        self.event("lease_expired", "warning", text, holder=gone.holder, epoch=gone.epoch)
        self.on_link_lost()
        self.changed()
