"""Requests that change nothing: state, choices, the newest frame, a failure's picture."""

from __future__ import annotations

import asyncio

from remote.agent import pictures, sources
from remote.agent.core import Agent
from remote.agent.lease import Holder
from remote.errors import Trouble
from remote.protocol import GetChoices, GetFrame, GetPicture, GetState, Reply, Request

WIDEST = 4096


class Looks:
    """One method for each request that only looks."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

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
