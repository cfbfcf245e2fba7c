"""The agent's models: which bundle the worker runs, and the change that is under way, told what happens around it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec

from remote.activation import steps
from remote.activation.change import Change
from remote.agent.child_process import exit_text
from remote.agent.ground import AgentGround
from remote.agent.update_files import UpdateFiles
from remote.errors import Trouble
from remote.model_states import AFTER_SWITCH, ModelsState, Probation, Slot
from remote.perception.messages import WorkerConfig

BY_ITSELF = "the robot itself"
TIDY_EVERY_S = 86_400.0
_ROTTEN = ("bundle_changed", "bundle_incomplete", "bundle_missing", "manifest_invalid", "unknown_bundle")

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
        self._going: set[str] = set()
        self._tidied_ns, self._told_end = agent.clock.mono_ns(), self.change.slots.last
        self._tidying: asyncio.Task[None] | None = None
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
        self.change.load(fresh, self._highest_known())

    def _highest_known(self) -> int:
        """The highest release that the updates remember; what is damaged there is told by them."""
        with contextlib.suppress(Trouble):
            return UpdateFiles(self._agent.places.updates).seen().release
        return 0

    def in_use(self) -> frozenset[str]:
        """What is in a slot, what the worker runs or is started with, and what runs beside it."""
        agent = self._agent
        shadow = agent.shadow.state()
        beside = {shadow.digest} if shadow is not None and not shadow.ended else set()
        runs = {self.ground.runs} if agent.supervisor.wanted else set()
        return self.change.in_use() | beside | runs | ({self.trying} if self.trying else set())

    async def remove(self, digest: str) -> int:
        """Remove a bundle from the store; the bytes that it held. Nothing begins with it meanwhile.

        Raises Trouble: `unknown_bundle`, `bundle_in_use`, `store_unwritable`.
        """
        in_use = self.in_use()
        self._going.add(digest)
        try:
            return await asyncio.to_thread(self._agent.bundles.releases.remove, digest, in_use)
        finally:
            self._going.discard(digest)

    def must_stay(self, digest: str) -> None:
        """Raise Trouble (`bundle_removed`) where that bundle is being removed now."""
        if digest in self._going:
            what = f"the bundle {digest[:12]} is being removed from this robot"
            raise Trouble(what, cure="send it again, then try again", code="bundle_removed")

    async def sweep(self) -> None:
        """Delete what nobody comes back for: half deleted folders, sends that were given up, bundles of old releases.

        What may still come in full is kept, and what people gave or chose.
        """
        self._tidied_ns, self._told_end = self._agent.clock.mono_ns(), self.change.slots.last
        with contextlib.suppress(Trouble):  # the next time tries again
            swept = await asyncio.to_thread(self._agent.bundles.sweep, self.in_use())
            if swept:
                text = f"{swept} folder{'s' * (swept != 1)} of sends that nobody went on with were deleted"
                self._agent.event("store_swept", "info", text, folders=swept)
        for digest in self.change.prunable(self.in_use()):
            await self._prune(digest)

    async def _prune(self, digest: str) -> None:
        try:
            held = await self.remove(digest)
        except Trouble as trouble:
            if trouble.code == "unknown_bundle":
                self.change.pruned((digest,))
            return  # the next time tries again
        text = f"the bundle {digest[:12]} of an older release is needed no more and was removed ({held} bytes)"
        self._agent.event("bundle_removed", "info", text, bundle=digest, bytes=held, by=BY_ITSELF)
        self.change.pruned((digest,))

    def begin(self, slot: Slot, probation: Probation | None = None) -> None:
        """Begin a change to a bundle of the store or of a staging folder; without `probation` that of the settings holds.

        Raises Trouble as Change.begin.
        """
        steps.must_be_idle(self.change.slots)
        if self.trying is not None:
            cure = "try again when the worker has started"
            raise Trouble("a person is choosing another bundle just now", cure=cure, code="update_underway")
        self.must_stay(slot.digest)
        self.ground.settled()
        self.change.begin(slot, probation or self._agent.settings.probation)

    async def stop_worker(self) -> None:
        """A person stops the worker, and it stays stopped. Raises Trouble (`unkillable`)."""
        self.ground.stopped()
        await self.pause_worker()

    async def pause_worker(self) -> None:
        """Stop it for what a person asked for. Where it ran and ended well its start is not held against its bundle.

        Raises Trouble (`unkillable`).
        """
        supervisor, digest = self._agent.supervisor, self.ground.runs
        ran = supervisor.state.phase == "running"
        await supervisor.stop()
        if ran and supervisor.state.last_exit == exit_text(0) and digest == self.digest:
            self.change.stopped_by_person()

    def tick(self) -> None:
        """A second went by."""
        if not self.change.underway:
            self.ground.settled()
            since_s = (self._agent.clock.mono_ns() - self._tidied_ns) / 1e9
            if self.change.slots.last is not self._told_end or since_s >= TIDY_EVERY_S:
                self._tidied_ns, self._told_end = self._agent.clock.mono_ns(), self.change.slots.last
                self._tidying = asyncio.get_running_loop().create_task(self.sweep())
        self.change.tick()

    async def _prepare(self, config: WorkerConfig) -> WorkerConfig:
        """Before each start of the worker's process: the bundle of the slots, its attempt counted and saved."""
        digest = self.trying or await self._whole()
        if digest is None:
            raise Trouble("no bundle was chosen and none came with the agent", cure="choose one", code="no_bundle")
        if self.change.slots.step in AFTER_SWITCH:
            self._agent.seeing.begin(digest, config.source)
        folder = await asyncio.to_thread(self._agent.bundles.folder, digest)
        self.ground.runs = digest
        return msgspec.structs.replace(config, bundle=str(folder))

    async def _whole(self) -> str | None:
        """The bundle to run. Outside of a trial one whose files rotted makes room for the one before."""
        while True:
            digest = self.change.before_worker_start()
            if digest is None or self.change.slots.step in AFTER_SWITCH:
                return digest
            why = await asyncio.to_thread(self._rotten, digest)
            if digest == self.change.digest and not (why and self.change.unusable(digest, why)):
                return digest

    def _rotten(self, digest: str) -> str:
        """What is wrong with its files, empty for nothing; reads them all."""
        # The worker reads them again, as it loads only what it verified itself; here is the way back. 33 ms for 50 MB.
        try:
            self._agent.bundles.find(digest)
        except Trouble as trouble:
            return trouble.what if trouble.code in _ROTTEN else ""
        return ""
