"""The agent as the ground of a change of models: its store, its worker, its robot, its journal."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from remote.activation.ground import Say, Seen
from remote.agent.engine_build import build_engine
from remote.agent.idle import why_busy
from remote.agent.self_test import run_self_test
from remote.errors import Trouble
from remote.model_states import Slot
from remote.protocol import Scalar, Severity
from remote.verdicts import Check

if TYPE_CHECKING:
    from remote.agent.core import Agent

NOBODY_ASKED = "no `idle` check is configured on this robot: nobody was asked whether it may be switched"
PROVES = "a bundle is validated or checked on this robot now, which takes time from the worker"


class AgentGround:
    """See remote.activation.ground.Ground. Belongs to the loop's thread, except `folder`.

    Args:
        candidate: the bundle that is on its way into use, None while nothing changes.

    `runs` is the bundle that the worker's process was last started with, empty before the first. `keeps_up`: the worker is to
    run, also where it stands still in this change. `stops` counts how often it was stopped for good.
    """

    def __init__(self, agent: Agent, candidate: Callable[[], Slot | None]) -> None:
        self._agent, self._candidate = agent, candidate
        self.keeps_up = False
        self._told_of = ""
        self.runs = ""
        self.stops = 0

    def folder(self, digest: str) -> Path:
        """Verified; also the bundle that came with the agent."""
        return self._agent.bundles.find(digest)[0]

    async def build(self, digest: str, say: Say) -> str:
        """ONNX Runtime reads the model as it is; where an engine has to be built it is built in a child process."""
        folder = await asyncio.to_thread(self._agent.bundles.folder, digest)
        settings = self._agent.settings
        return await build_engine(folder, self._agent.places.engines, settings.threads, say, wishes=settings.engine)

    async def self_test(self, digest: str, say: Say) -> tuple[Check, ...]:
        """In a process of its own; the worker goes on beside it."""
        agent = self._agent
        folder = await asyncio.to_thread(agent.bundles.folder, digest)
        settings, places = agent.settings, agent.places
        return await run_self_test(
            folder, settings.threads, say, cwd=places.state, engines=places.engines, wishes=settings.engine
        )

    async def busy(self) -> str:
        """What the robot's own idle check says, but that no candidate is begun with beside a validation or a check: their load
        would be held against it.

        Where none is configured nobody can be asked: what a person gave goes on, and the journal says so; a release waits
        until the worker is stopped.
        """
        idle, slot = self._agent.settings.idle, self._candidate()
        if any(one() for one in self._agent.provers) and not self._agent.models.change.slots.going_back:
            return PROVES
        if idle is not None:
            return await why_busy(idle)
        if slot is not None and slot.origin in ("release", "usb") and self.worker_wanted():
            return (
                "no `idle` check is configured, and nobody commands this change: it waits until the worker is stopped"
            )
        if slot is not None and slot.digest != self._told_of:
            self._told_of = slot.digest
            self.tell("idle_not_asked", "warning", NOBODY_ASKED, digest=slot.digest)
        return ""

    async def run_worker(self, digest: str) -> None:
        """Restart a worker that is wanted, with this bundle; nothing where it runs it already or somebody stopped it.

        One that ended in this change because it was unable is still wanted. What the worker then really runs is decided before
        each of its starts (Changing).
        """
        supervisor = self._agent.supervisor
        if not supervisor.wanted and not self.keeps_up:
            await self._know(digest)
        elif not supervisor.wanted or self.runs != digest or supervisor.state.phase != "running":
            self.keeps_up = True
            await self._restart()
            await self._know(digest)

    async def stop_worker(self) -> None:
        """It stays stopped until somebody starts it. Raises Trouble (`unkillable`)."""
        self.stopped()
        await self._agent.supervisor.stop()

    async def _restart(self) -> None:
        agent = self._agent
        await agent.supervisor.stop()
        if not self.keeps_up:  # somebody stopped it meanwhile
            return
        try:
            await agent.supervisor.start(agent.worker_config(agent.settings.source), insist=True)
        except Trouble as trouble:
            if trouble.code != "stopped":
                raise

    async def _know(self, digest: str) -> None:
        """Consoles see the bundle by name and labels also while the worker is stopped."""
        with contextlib.suppress(Trouble):
            self._agent.bundle = (await asyncio.to_thread(self._agent.bundles.find, digest))[1]

    def worker_wanted(self) -> bool:
        """Running, starting or waiting to be restarted."""
        return self._agent.supervisor.wanted

    def started(self) -> None:
        """A person or the agent's own start wants the worker to run: so the one before is to run too where it comes back."""
        self.keeps_up = True

    def stopped(self) -> None:
        """A person or `on_link_loss` stopped the worker: it stays stopped."""
        self.keeps_up = False
        self.stops += 1

    def settled(self) -> None:
        """No change is under way: from now on the supervisor alone says whether the worker is wanted."""
        self.keeps_up = False
        self._told_of = ""
        self._agent.seeing.end()

    def seen_before(self) -> Seen:
        """Of the bundle that runs, on the source that is chosen, over the last minutes."""
        agent = self._agent
        return agent.seeing.before(agent.bundle.digest if agent.bundle else "", agent.settings.source)

    def seen_since(self) -> Seen:
        """Of the candidate, since it was first started."""
        return self._agent.seeing.since()

    def tell(self, name: str, severity: Severity, text: str, **data: Scalar) -> None:
        """Into the journal."""
        self._agent.event(name, severity, text, **data)

    def changed(self) -> None:
        """All consoles are told."""
        self._agent.changed()
