"""Requests that change nothing: state, choices, the newest frame, a failure's picture, facts, a bundle's check."""

from __future__ import annotations

import asyncio

from remote.agent import pictures, sources
from remote.agent.bundle_check import BundleCheck
from remote.agent.core import Agent
from remote.agent.facts import Used, gather
from remote.agent.lease import Holder
from remote.agent.proving import Proving
from remote.errors import Trouble
from remote.protocol import CheckBundle, GetChoices, GetFacts, GetFrame, GetPicture, GetState, Reply, Request

WIDEST = 4096
FIRST_SAMPLE_S = 2.5
"""How long facts wait for the monitor's first sample, which comes a second after the agent's start."""


class Looks:
    """One method for each request that only looks."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._check = BundleCheck(agent.places.state)
        self.proving = Proving(agent, self._check)

    async def state(self, _command: GetState, _who: Holder, request: Request) -> Reply:
        """The agent's state."""
        return Reply(id=request.id, state=self._agent.state())

    async def choices(self, command: GetChoices, _who: Holder, request: Request) -> Reply:
        """The sources or bundles on offer; disks are looked at outside of the loop."""
        if command.of == "sources":
            settings = self._agent.settings
            found = await asyncio.to_thread(sources.choices, settings.folders, settings.source)
        else:
            found = await asyncio.to_thread(self._agent.bundles.choices)
        return Reply(id=request.id, choices=found)

    async def frame(self, command: GetFrame, _who: Holder, request: Request) -> Reply:
        """The worker's newest frame. Raises Trouble (`not_running`, `no_frame`, `no_answer`)."""
        picture = await self._agent.supervisor.ask_frame(max(16, min(command.max_width, WIDEST)))
        if picture is None:
            raise Trouble("the worker has no frame yet", cure="wait for the camera", code="no_frame")
        return Reply(id=request.id, picture=picture)

    async def picture(self, command: GetPicture, _who: Holder, request: Request) -> Reply:
        """A failure's picture. Raises Trouble (`bad_digest`, `no_picture`, `bad_picture`)."""
        found = await asyncio.to_thread(pictures.picture, self._agent.places.pictures, command.digest)
        return Reply(id=request.id, picture=found)

    async def facts(self, _command: GetFacts, _who: Holder, request: Request) -> Reply:
        """What this robot is and runs, looked up now, outside of the loop."""
        agent = self._agent
        await asyncio.to_thread(agent.host_came.wait, FIRST_SAMPLE_S)
        chosen = agent.bundle.digest if agent.bundle else agent.models.digest
        found = await asyncio.to_thread(gather, self._used(chosen or ""), agent.bundles, agent.clock)
        return Reply(id=request.id, facts=found)

    def _used(self, bundle: str) -> Used:
        agent = self._agent
        worker = agent.supervisor
        return Used(
            home=agent.places.state,
            source=agent.settings.source,
            bundle=bundle,
            engine=worker.engine if worker.bundle is not None and worker.bundle.digest == bundle else "",
            threads=agent.settings.threads,
            power_mode=agent.host.text.get("power_mode", "") if agent.host else "",
        )

    async def bundle_check(self, command: CheckBundle, _who: Holder, request: Request) -> Reply:
        """A bundle's check in a process of its own; a worker that runs goes on. Raises Trouble as BundleCheck.run."""
        if self.proving.busy:
            cure = "try again when it has ended"
            raise Trouble("a bundle is validated now", cure=cure, code="check_busy")
        folder = await asyncio.to_thread(self._agent.bundles.folder, command.digest)
        report = await self._check.run(folder, self._agent.settings.threads)
        return Reply(id=request.id, bundle_report=report)
