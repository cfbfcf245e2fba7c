"""The agent's models: which bundle the worker runs, and the change that is under way, told what happens around it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec

from remote.activation import steps
from remote.activation.change import Change
from remote.agent.ground import AgentGround
from remote.errors import Trouble
from remote.model_states import AFTER_SWITCH, ModelsState, Probation, Slot
from remote.perception.messages import WorkerConfig

if TYPE_CHECKING:
    from remote.agent.core import Agent


class Changing:
    """Belongs to the loop's thread. `slots.json` is the truth: settings.bundle only says what a fresh agent begins with.

    Attributes:
        change: runs the change; see remote.activation.change.
        trying: a bundle that a person chose plainly and the worker is started with now; it is no slot's yet.
    """

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self.ground = AgentGround(agent, lambda: self.change.slots.candidate)
        embedded = agent.bundles.embedded_slot()
        self.change = Change(agent.places.slots, agent.bundles.releases, self.ground, agent.clock, embedded)
        self.trying: str | None = None
        agent.supervisor.prepare = self._prepare
        agent.supervisor.on_death = self.change.worker_died

    @property
    def digest(self) -> str | None:
        """The bundle that the worker runs or would run; None where there is none."""
        return self.change.digest

    def state(self) -> ModelsState:
        """What consoles see of the models."""
        state = msgspec.structs.replace(self.change.state(), shadow=self._agent.shadow.state())
        updates = self._agent.updates
        if updates.progress is not None and state.step == "idle":
            state = msgspec.structs.replace(state, step="downloading", progress=updates.progress)
        return msgspec.structs.replace(state, updates=updates.state())

    def load(self) -> None:
        """Read what holds, once, before anything asks for it."""
        fresh = None
        if self._agent.settings.bundle and not self._agent.places.slots.exists():
            try:
                fresh = self._agent.bundles.slot(self._agent.settings.bundle, "chosen")
            except Trouble as trouble:
                self._agent.event("bundle_unusable", "error", trouble.what, code=trouble.code)
        self.change.load(fresh)

    async def sweep(self) -> None:
        """Delete what a killed agent left half deleted. What may still come in full is kept."""
        with contextlib.suppress(Trouble):  # the next start tries again
            await asyncio.to_thread(self._agent.bundles.sweep)

    def begin(self, slot: Slot, probation: Probation | None = None) -> None:
        """Begin a change to a bundle of the store or of a staging folder; without `probation` that of the settings holds.

        Raises Trouble as Change.begin.
        """
        steps.must_be_idle(self.change.slots)
        if self.trying is not None:
            cure = "try again when the worker has started"
            raise Trouble("a person is choosing another bundle just now", cure=cure, code="update_underway")
        self.ground.settled()
        self.change.begin(slot, probation or self._agent.settings.probation)

    def tick(self) -> None:
        """A second went by."""
        if not self.change.underway:
            self.ground.settled()
        self.change.tick()

    async def _prepare(self, config: WorkerConfig) -> WorkerConfig:
        """Before each start of the worker's process: the bundle of the slots, its attempt counted and saved."""
        digest = self.trying or self.change.before_worker_start()
        if digest is None:
            raise Trouble("no bundle was chosen and none came with the agent", cure="choose one", code="no_bundle")
        if self.change.slots.step in AFTER_SWITCH:
            self._agent.seeing.begin(digest)
        folder = await asyncio.to_thread(self._agent.bundles.folder, digest)
        self.ground.runs = digest
        return msgspec.structs.replace(config, bundle=str(folder))
