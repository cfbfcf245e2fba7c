"""Requests that change which model runs, or what the store holds. The lease was checked before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import msgspec

from remote.agent.core import Agent
from remote.agent.lease import Holder
from remote.model_states import StoredBundle
from remote.protocol import Activate, CancelChange, GetStored, GoBack, RemoveBundle, Reply, Request

REASON_LIMIT = 300


class ModelActions:
    """One method for each request."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def stored(self, _command: GetStored, _who: Holder, request: Request) -> Reply:
        """Every bundle in the store; all their files are read, outside of the loop."""
        found = await asyncio.to_thread(self._agent.bundles.stored)
        return Reply(id=request.id, stored=tuple(self._in_slots(found)))

    def _in_slots(self, found: Iterable[StoredBundle]) -> Iterable[StoredBundle]:
        models = self._agent.models.change.state()
        slots = {"previous": models.previous, "candidate": models.candidate, "current": models.current}
        uses = {slot.digest: use for use, slot in slots.items() if slot is not None}
        for one in found:
            yield msgspec.structs.replace(one, use=uses[one.digest]) if one.digest in uses else one

    async def activate(self, command: Activate, who: Holder, request: Request) -> Reply:
        """Begin a change. Raises Trouble: `unknown_bundle`, `ambiguous_bundle`, `update_underway`, `already_current`."""
        agent = self._agent
        slot = await asyncio.to_thread(agent.bundles.slot, command.digest, "push", by=who.name)
        slot = msgspec.structs.replace(slot, since_wall_ns=agent.clock.wall_ns())
        agent.models.begin(slot, command.probation)
        return self._done(request)

    async def cancel(self, command: CancelChange, who: Holder, request: Request) -> Reply:
        """Call the change off. Raises Trouble (`no_change`)."""
        self._agent.models.change.cancel(_said(command.reason, who, "called it off"))
        return self._done(request)

    async def go_back(self, command: GoBack, who: Holder, request: Request) -> Reply:
        """Bring back the bundle before. Raises Trouble: `update_underway`, `no_previous`."""
        self._agent.models.change.go_back(_said(command.reason, who, "wants it back"))
        return self._done(request)

    async def remove(self, command: RemoveBundle, who: Holder, request: Request) -> Reply:
        """Remove a bundle from the store. Raises Trouble: `unknown_bundle`, `bundle_in_use`."""
        agent = self._agent
        digest = await asyncio.to_thread(agent.bundles.digest, command.digest)
        held = await agent.models.remove(digest)
        text = f"{who.name} removed the bundle {digest[:12]} from the store ({held} bytes)"
        agent.event("bundle_removed", "info", text, bundle=digest, bytes=held, by=who.name)
        return self._done(request)

    def _done(self, request: Request) -> Reply:
        self._agent.changed()
        return Reply(id=request.id, state=self._agent.state())


def _said(reason: str, who: Holder, does: str) -> str:
    words = " ".join(reason.split())[:REASON_LIMIT]
    return f"{who.name}: {words}" if words else f"{who.name} {does}"
