"""The agent as the ground of the care for engines."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from remote.agent.engine_build import build_engine
from remote.agent.engine_care import Say
from remote.protocol import Scalar, Severity

if TYPE_CHECKING:
    from remote.agent.core import Agent


class AgentCareGround:
    """See engine_care.CareGround. Belongs to the loop's thread."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def digest(self) -> str | None:
        """The bundle that runs or would run."""
        return self._agent.models.digest

    def occupied(self) -> bool:
        """A change, a bundle that a person is choosing, a worker that starts, a shadow, a validation, a check."""
        agent = self._agent
        shadow = agent.shadow.state()
        return (
            agent.models.change.underway
            or agent.models.trying is not None
            or agent.supervisor.state.phase == "starting"
            or (shadow is not None and not shadow.ended)
            or any(one() for one in agent.provers)
        )

    async def build(self, digest: str, say: Say) -> str:
        """In a child process; nice."""
        agent = self._agent
        folder = await asyncio.to_thread(agent.bundles.folder, digest)
        settings = agent.settings
        return await build_engine(folder, agent.places.engines, settings.threads, say, wishes=settings.engine)

    def tell(self, name: str, severity: Severity, text: str, **data: Scalar) -> None:
        """Into the journal."""
        self._agent.event(name, severity, text, **data)
