"""Sees to it that the bundle in use gets its engine where none is in the cache: a new robot, a new JetPack, another power
mode.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from remote.errors import Trouble
from remote.model_states import Progress
from remote.perception.engines.wishes import NOT_TENSORRT, NOTHING_BUILT
from remote.protocol import Scalar, Severity

READY = "an engine is ready; the next start of the worker uses it"
MOST_BUILDS = 3
"""Of one bundle in one life of the agent: an engine that is built again and again and never found is not worth it."""
QUARTER = 25.0
_STALE = ("the engine in the cache", "the engine's manifest")
Say = Callable[[Progress], None]


class CareGround(Protocol):
    """What the care needs of its agent."""

    def digest(self) -> str | None:
        """The bundle that runs or would run."""

    def occupied(self) -> bool:
        """Whether a change of models, a validation or a check is under way: none of them is disturbed."""

    async def build(self, digest: str, say: Say) -> str:
        """Make sure that its engine is there; the name of the engine that will run it. Raises Trouble."""

    def tell(self, name: str, severity: Severity, text: str, **data: Scalar) -> None:
        """Into the journal."""


class EngineCare:
    """Builds in the background, one at a time, what the next start of the worker uses. Belongs to the loop's thread.

    It looks once when the agent starts and whenever the worker runs on ONNX Runtime because no engine of this robot is there.
    The worker is never restarted for it. A build that failed is not tried again before the agent's next start.

    Args:
        ground: the agent.
        worth_it: whether there may be something to build at all; asked once. Where it says no, nothing happens.
    """

    def __init__(self, ground: CareGround, worth_it: Callable[[], bool]) -> None:
        self._ground, self._worth_it = ground, worth_it
        self._due, self._run = False, 0
        self._task: asyncio.Task[None] | None = None
        self._builds: Counter[str] = Counter()
        self._hopeless: set[str] = set()

    @property
    def builds(self) -> bool:
        """Whether it is at it now."""
        return self._task is not None

    def look(self) -> None:
        """At the next tick that nothing else is done, see whether the bundle in use has its engine."""
        self._due = True

    def worker_runs(self, run: int, engine: str) -> None:
        """The worker runs, in its start number `run`, on the engine of that name; each start counts once."""
        if run == self._run:
            return
        self._run = run
        why = engine.partition(NOT_TENSORRT)[2]
        if why == NOTHING_BUILT or why.startswith(_STALE):
            self.look()

    def tick(self) -> None:
        """A second went by."""
        if self._ground.occupied():
            if self._task is not None and self._task.cancel():
                self._due = True
        elif self._due and self._task is None:
            self._due = False
            self._begin()

    async def end(self) -> None:
        """Call a build off; nothing half built is left."""
        self._due = False
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _begin(self) -> None:
        digest = self._ground.digest()
        if digest is None or digest in self._hopeless or self._builds[digest] >= MOST_BUILDS or not self._worth_it():
            return
        self._task = asyncio.ensure_future(self._see_to(digest))
        self._task.add_done_callback(self._over)

    def _over(self, _task: asyncio.Task[None]) -> None:
        self._task = None

    async def _see_to(self, digest: str) -> None:
        told = _Told(lambda text: self._ground.tell("engine_building", "info", text, digest=digest))
        try:
            name = await self._ground.build(digest, told.hear)
        except Trouble as trouble:
            self._hopeless.add(digest)
            text = f"no engine for the bundle in use: {trouble.what}; it runs on ONNX Runtime"
            self._ground.tell("engine_not_built", "warning", text, digest=digest, code=trouble.code, cure=trouble.cure)
            return
        if told.anything:
            self._builds[digest] += 1
            self._ground.tell("engine_ready", "info", READY, digest=digest, engine=name)


class _Told:
    """Tells of a build that really builds: when it begins, then at each quarter."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell, self._next = tell, 0.0
        self.anything = False

    def hear(self, far: Progress) -> None:
        share = 100 * far.done / far.whole if far.whole else 0.0
        if self.anything and share < self._next:
            return
        if not self.anything:
            self._tell(f"an engine for the bundle in use is built in the background: {far.text}")
        elif share < 100:
            self._tell(f"the engine for the bundle in use: {share:.0f} %")
        self.anything = True
        self._next = QUARTER * (share // QUARTER + 1)
