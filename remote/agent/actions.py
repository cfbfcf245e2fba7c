"""Requests that change something. Each method returns only after the change is confirmed; conditions were checked before."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Callable

import msgspec

from remote.activation import steps
from remote.agent import sources
from remote.agent.core import Agent
from remote.agent.lease import Holder
from remote.agent.settings import Settings
from remote.agent.watch_file import in_words
from remote.errors import Trouble
from remote.model_states import Slot
from remote.perception.messages import Cause
from remote.protocol import (
    Drill,
    Event,
    Failure,
    Mark,
    Note,
    Pin,
    ReleaseLease,
    RenewLease,
    Reply,
    Request,
    SetBundle,
    SetSource,
    SetWatch,
    Start,
    Stop,
    TakeLease,
)
from remote.safety.watch_check import check_watch

NOTE_LIMIT = 2000
LONGEST_DRILL_S = 600.0
SLOW_DISK_S = 30.0


class Actions:
    """One method for each command that acts."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def take_lease(self, command: TakeLease, who: Holder, request: Request) -> Reply:
        """Grant the lease or raise Trouble (code `lease_held`); everybody sees who took it from whom."""
        agent = self._agent
        holder = agent.lease.holder
        present = holder is not None and holder.connection in agent.consoles
        grant = agent.lease.take(who, agent.clock.mono_ns(), over=command.over, holder_attached=present)
        if grant.fresh:
            agent.counters.granted(grant.lease.epoch)
            over = f" over from {grant.taken_from}" if grant.taken_from else ""
            text = f"{who.name} took the lease{over} (epoch {grant.lease.epoch})"
            severity = "warning" if grant.taken_from else "info"
            data = {"holder": who.name, "taken_from": grant.taken_from, "epoch": grant.lease.epoch}
            agent.event("lease_taken", severity, text, **data)  # type: ignore[arg-type]
        return self._done(request)

    async def renew_lease(self, _command: RenewLease, who: Holder, request: Request) -> Reply:
        """Extend the lease."""
        self._agent.lease.renew(who, request.epoch, self._agent.clock.mono_ns())
        return self._done(request)

    async def release_lease(self, _command: ReleaseLease, who: Holder, request: Request) -> Reply:
        """Give the lease back."""
        self._agent.lease.release(who, request.epoch, self._agent.clock.mono_ns())
        self._agent.event("lease_released", "info", f"{who.name} released the lease", holder=who.name)
        return self._done(request)

    async def start(self, _command: Start, _who: Holder, request: Request) -> Reply:
        """Start the worker; done when it is ready."""
        await self.start_worker()
        return self._done(request)

    async def start_worker(self, *, insist: bool = False, stops: int | None = None) -> None:
        """Start the worker with the settings' source and the current bundle. Raises Trouble where that can't be or it can't
        start, `stopped` where somebody or on_link_loss stops it meanwhile: since `ground.stops` was `stops`, else since now.
        """
        agent, ground = self._agent, self._agent.models.ground
        stops = ground.stops if stops is None else stops
        digest = agent.models.trying or agent.models.digest
        if digest is None:
            raise Trouble("no bundle was chosen and none came with the agent", cure="choose one", code="no_bundle")
        if insist:  # at boot a camera may come later than the agent: the worker waits for it
            ground.started()
        else:
            await asyncio.to_thread(sources.check, agent.settings.source)
        if ground.stops != stops:
            raise Trouble("the worker was stopped meanwhile", cure="start it when it may run", code="stopped")
        await agent.supervisor.start(agent.worker_config(agent.settings.source), insist=insist)
        if agent.supervisor.wanted:  # not where somebody stopped it just now
            ground.started()

    async def stop(self, _command: Stop, _who: Holder, request: Request) -> Reply:
        """Stop the worker; done when the process has ended."""
        await self._agent.models.stop_worker()
        return self._done(request)

    async def set_source(self, command: SetSource, who: Holder, request: Request) -> Reply:
        """Choose the camera; a running worker is restarted with it, or with the old one where that fails."""
        await asyncio.to_thread(sources.check, command.source)
        await self._switch(msgspec.structs.replace(self._agent.settings, source=command.source))
        text = f"{who.name} chose the source {command.source}"
        self._agent.event("source_set", "info", text, source=command.source, by=who.name)
        return self._done(request)

    async def set_bundle(self, command: SetBundle, who: Holder, request: Request) -> Reply:
        """A person's plain choice, without steps; a running worker is restarted with it, or with the old one where that fails.

        Raises Trouble: `update_underway` while a change is, `robot_busy` where the worker runs and the robot's own idle check
        does not say that it may be switched.
        """
        agent, models = self._agent, self._agent.models
        steps.must_be_idle(models.change.slots)
        _, bundle = await asyncio.to_thread(agent.bundles.find, command.digest)
        if bundle.digest != models.digest:
            slot = await asyncio.to_thread(agent.bundles.slot, bundle.digest, "chosen", by=who.name)
            await self._must_be_safe()
            models.must_stay(bundle.digest)
            await self._choose(msgspec.structs.replace(slot, since_wall_ns=agent.clock.wall_ns()))
        agent.bundle = bundle
        text = f"{who.name} chose the bundle {bundle.name} ({bundle.digest[:12]})"
        agent.event("bundle_set", "info", text, bundle=bundle.digest, name_of_bundle=bundle.name, by=who.name)
        return self._done(request)

    async def _must_be_safe(self) -> None:
        """Raise Trouble (`robot_busy`) where a running worker would be switched, and the robot does not say that it is idle."""
        models = self._agent.models
        if self._agent.supervisor.wanted and (why := await models.ground.busy()):
            what = f"the robot is not idle: {why}"
            cure = "push it, or use `a` on screen 5: both wait until it may be; or stop the worker first"
            raise Trouble(what, cure=cure, code="robot_busy")
        steps.must_be_idle(models.change.slots)  # the robot itself may have begun with a release meanwhile

    async def _choose(self, slot: Slot) -> None:
        """It is the current one only once the worker runs with it: until then the agent's end leaves the old one."""
        models = self._agent.models
        if not self._agent.supervisor.wanted:
            models.change.set_current(slot)
            return
        models.trying = slot.digest
        try:
            await self._restart(then=lambda: models.change.set_current(slot), undo=self._try_nothing)
        finally:
            models.trying = None

    def _try_nothing(self) -> None:
        self._agent.models.trying = None

    async def set_watch(self, command: SetWatch, who: Holder, request: Request) -> Reply:
        """Say what to look out for. Raises Trouble: `bad_watch`, or `settings_unwritable` where it can't be stored."""
        agent = self._agent
        if command.watch is not None:
            check_watch(command.watch, agent.bundle.labels if agent.bundle else ())
        if command.watch != agent.watch:
            agent.look_out_for(command.watch)
            text = f"{who.name} said what to look out for: {in_words(command.watch)}"
            whole = msgspec.json.encode(command.watch).decode()
            agent.event("watch_set", "info", text, by=who.name, watch=whole)
        return self._done(request)

    async def _switch(self, settings: Settings) -> None:
        agent, before = self._agent, self._agent.settings
        if settings == before:
            return
        agent.save(settings)
        if agent.supervisor.wanted:
            await self._restart(then=lambda: None, undo=lambda: agent.save(before))

    async def _restart(self, then: Callable[[], None], undo: Callable[[], None]) -> None:
        """Restart the worker with what was chosen, then do `then`; where that fails `undo` and restart it as it was."""
        stops = self._agent.models.ground.stops
        await self._agent.models.pause_worker()
        try:
            await self.start_worker(stops=stops)
            then()
        except Trouble as trouble:
            undo()
            if trouble.code == "stopped":  # somebody, or on_link_loss, wants it to stand still
                raise
            await self._as_before(stops)
            what = f"{trouble.what}; what was used before is used again"
            raise Trouble(what, cure=trouble.cure, code=trouble.code) from None

    async def _as_before(self, stops: int) -> None:
        with contextlib.suppress(Trouble):  # the state in the reply says how that ended
            await self._agent.supervisor.stop()
            await self.start_worker(stops=stops)

    async def mark(self, command: Mark, who: Holder, request: Request) -> Reply:
        """Journal a person's mark, with the newest frame where there is one."""
        note = command.note[:NOTE_LIMIT]
        try:
            await self._agent.supervisor.mark(note)
        except Trouble as trouble:
            data = {"by": who.name, "no_picture_because": trouble.what}
            self._agent.journal(
                Failure(name="operator_mark", text=note, source=self._agent.settings.source, data=dict(data))
            )
        return self._done(request)

    async def pin(self, command: Pin, who: Holder, request: Request) -> Reply:
        """Keep a failure's pictures, or let them go like others. Raises Trouble as PictureBook.pin."""
        agent = self._agent
        limit = agent.settings.limits.pictures_bytes
        pin = functools.partial(agent.book.pin, command.failure, pinned=command.pinned, limit_bytes=limit)
        count = await asyncio.to_thread(pin)
        does = "pinned" if command.pinned else "let go of"
        text = f"{who.name} {does} the {count} pictures of the failure {command.failure}"
        agent.event("pictures_pinned", "info", text, failure=command.failure, pinned=command.pinned, by=who.name)
        return self._done(request)

    async def note(self, command: Note, who: Holder, request: Request) -> Reply:
        """Journal a person's or a probe's words; done when they are synced to the disk.

        Raises Trouble: `bad_note` for a text that is empty or too long, `not_journalled`, or `journal_slow` where the disk
        takes longer than SLOW_DISK_S (it may or may not get there later).
        """
        if not 1 <= len(command.text) <= NOTE_LIMIT:
            cure = f"give 1 to {NOTE_LIMIT} characters"
            raise Trouble(f"a note of {len(command.text)} characters is not taken", cure=cure, code="bad_note")
        body = Event(name="note", severity="info", text=command.text, data={"by": who.name})
        promise = asyncio.wrap_future(self._agent.writer.append_durably(body))
        try:
            seq = await asyncio.wait_for(promise, SLOW_DISK_S)
        except asyncio.TimeoutError:
            what = f"the journal has not taken it within {SLOW_DISK_S:g} s"
            raise Trouble(what, cure="check the robot's disk", code="journal_slow") from None
        return Reply(id=request.id, seq=seq)

    async def drill(self, command: Drill, who: Holder, request: Request) -> Reply:
        """Cause a fault on purpose, on an agent that was started for that."""
        agent = self._agent
        if not agent.drills:
            cure = "drills are for demonstrations: `fieldgate-agent serve --drills`"
            raise Trouble("this agent takes no drills", cure=cure, code="no_drills")
        seconds = max(0.0, min(command.seconds, LONGEST_DRILL_S))
        if command.fault == "worker_crash":
            await agent.supervisor.kill()
        else:
            agent.supervisor.cause(Cause(command.fault, seconds))
        agent.event("drill", "info", f"{who.name} drills {command.fault} for {seconds:g} s", fault=command.fault)
        return self._done(request)

    def _done(self, request: Request) -> Reply:
        self._agent.changed()
        return Reply(id=request.id, state=self._agent.state())
