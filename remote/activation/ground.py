"""What a change of models needs of the robot around it. The agent is that ground; tests give a smaller one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from remote.histogram import Histogram
from remote.model_states import Progress
from remote.protocol import Scalar, Scored, Severity
from remote.verdicts import Check

Say = Callable[[Progress], None]


@dataclass(frozen=True)
class Seen:
    """What the worker did with one bundle over a while: the sum of its windows.

    `seconds` of windows with frames. `boxes` over all frames. `hottest_c` and `memory_mb` are the worst that was measured,
    None where nothing was. `failures` counts failures by kind. `scored` counts known objects, None where none were known.
    `source` is where its frames came from, empty where nobody asked.
    """

    frames: int = 0
    failed: int = 0
    seconds: float = 0.0
    end_to_end_ms: Histogram = field(default_factory=Histogram)
    scored: Scored | None = None
    boxes: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    hottest_c: float | None = None
    memory_mb: float | None = None
    source: str = ""


class Ground(Protocol):
    """Each method raises Trouble where it can't do its part; the change then ends, or the one before comes back."""

    def folder(self, digest: str) -> Path:
        """The verified folder of a bundle of the store; reads all its files, so call it in a thread."""

    async def build(self, digest: str, say: Say) -> str:
        """Make the engine for this bundle on this robot where one has to be built; its name."""

    async def self_test(self, digest: str, say: Say) -> tuple[Check, ...]:
        """Load and run the bundle in a process of its own: golden outputs, finite numbers, time."""

    async def busy(self) -> str:
        """Why the robot may not be switched just now; empty when it is idle. No console has a say in this."""

    async def run_worker(self, digest: str) -> None:
        """Let the worker run this bundle from now on: restarted where it runs, left alone where it is stopped."""

    async def stop_worker(self) -> None:
        """There is no bundle to run any more: end the worker, for good."""

    def worker_wanted(self) -> bool:
        """Whether somebody wants the worker to run."""

    def seen_before(self) -> Seen:
        """What was seen of the bundle that runs now on the source that is chosen now, over the last minutes."""

    def seen_since(self) -> Seen:
        """What was seen of the candidate since it was switched in, over all its attempts; on another source anew."""

    def tell(self, name: str, severity: Severity, text: str, **data: Scalar) -> None:
        """Write an event into the journal."""

    def changed(self) -> None:
        """The state is another one: consoles are to be told."""
