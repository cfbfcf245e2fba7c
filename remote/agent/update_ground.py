"""The agent as the ground of its updates, and the two requests about them. The lease was checked before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from remote.errors import Trouble
from remote.model_states import Outcome, Slot
from remote.monitor.identity import read_identity
from remote.protocol import Reply, Request, Scalar, SetUpdates, Severity, TakeUpdate
from remote.release import Release
from remote.updates.order import Facts

if TYPE_CHECKING:
    from remote.agent.core import Agent
    from remote.agent.lease import Holder


_ENDED = {
    "cancelled": "was called off here",
    "returned": "was taken back here",
    "refused": "was refused here",
    "went_back": "was left here",
}


def not_in_use(release: Release, runs: Slot | None, last: Outcome | None) -> str:
    """Why a release that a change began with once is not what `runs`, by how the `last` change ended; empty where it is."""
    if runs is not None and runs.digest == release.bundle:
        return ""
    now = f"{runs.name} {runs.digest[:8]} runs" if runs is not None else "it does not run"
    what, why = f"release {release.number} is the newest and was here before", ""
    if last is not None and last.release == release.number and last.ended in _ENDED:
        what, why = f"release {release.number} {_ENDED[last.ended]}", f" ({last.why})" if last.why else ""
    return f"{what}{why}: {now}, and it is not taken again by itself"


class AgentUpdateGround:
    """See remote.agent.updating.UpdateGround."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    def update_facts(self, robot_class: str) -> Facts:
        """Name, class and the versions that are installed here."""
        words = read_identity().words
        return Facts(robot=self._agent.name, robot_class=robot_class, l4t=words["l4t"], tensorrt=words["tensorrt"])

    def held_bundles(self) -> tuple[str, ...]:
        """By their manifests, also the one that came with the agent."""
        releases = self._agent.bundles.releases
        embedded = releases.embedded_digest
        return (*releases.sizes(), *((embedded,) if embedded else ()))

    def is_whole(self, digest: str) -> bool:
        """Reads all its files."""
        try:
            self._agent.bundles.releases.verify(digest)
        except Trouble:
            return False
        return True

    def highest_release(self) -> int:
        """What the slots say."""
        return self._agent.models.change.slots.highest_release

    def not_in_use(self, release: Release) -> str:
        """How it ended here."""
        runs = self._agent.models.change.state().current
        return not_in_use(release, runs, self._agent.models.change.slots.last)

    def change_under_way(self) -> str:
        """The step and the bundle of the change."""
        slots = self._agent.models.change.slots
        return f"{slots.candidate.name} ({slots.step.replace('_', ' ')})" if slots.candidate else ""

    def waiting_release(self) -> int | None:
        """Its number."""
        slots = self._agent.models.change.slots
        return slots.candidate.release if slots.candidate and slots.step == "waiting_for_safe" else None

    def drop_release(self, why: str) -> None:
        """What runs goes on."""
        self._agent.models.change.cancel(why)

    async def begin_release(self, slot: Slot) -> None:
        """Hand it to the change, which asks the robot before it switches."""
        self._agent.models.begin(slot)

    def event(self, name: str, severity: Severity, text: str, **data: Scalar) -> None:
        """Into the journal."""
        self._agent.event(name, severity, text, **data)

    def changed(self) -> None:
        """All consoles are told."""
        self._agent.changed()


class UpdateActions:
    """One method for each request."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent

    async def set(self, command: SetUpdates, who: Holder, request: Request) -> Reply:
        """Say where releases come from. Raises Trouble as Updating.set_source."""
        await self._agent.updates.set_source(command, who.name)
        return self._done(request)

    async def take(self, command: TakeUpdate, who: Holder, request: Request) -> Reply:
        """Look now; the state says what came of it. Raises Trouble as Updating.take."""
        await self._agent.updates.take(command.folder, who.name)
        return self._done(request)

    def _done(self, request: Request) -> Reply:
        return Reply(id=request.id, state=self._agent.state())
