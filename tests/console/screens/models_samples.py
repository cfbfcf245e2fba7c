"""Robots in every step of a change, for tests of the models screen."""

from __future__ import annotations

import msgspec

from console.link.snapshot import Snapshot
from remote.model_states import (
    ModelsState,
    Outcome,
    Progress,
    ShadowState,
    Slot,
    StoredBundle,
    UpdateSource,
    UpdateState,
)
from remote.protocol import WorkerPhase
from remote.verdicts import Check
from tests.console.screens.driving import NOW_NS
from tests.console.screens.scripted import ADA, DIGEST, WALL_NS, S, snapshot, state

INT8 = "3f2a1b9c" * 8
NANO = "88aa11bb" * 8
WITH_AGENT = Slot(digest=DIGEST, name="tabletop", origin="agent")
PUSHED = Slot(digest=INT8, name="tabletop-int8", origin="push", by="ada@laptop", since_wall_ns=WALL_NS)
STORED = (
    StoredBundle(digest=DIGEST, name="tabletop", bytes=1_310_000, use="current"),
    StoredBundle(digest=INT8, name="tabletop-int8", bytes=480_000, use="candidate"),
    StoredBundle(digest=NANO, name="yolox-nano", bytes=3_660_000),
)
CHECKS = (
    Check(
        name="frames",
        verdict="pass",
        text="it ran 300 of 300 frames without a break",
        value=300,
        limit=300,
        unit="frames",
        n=300,
    ),
    Check(
        name="p99",
        verdict="fail",
        text="p99 of end_to_end 41.3 ms, 28.1 ms are allowed (it is at most 39.8 ms), n 300",
        value=41.3,
        bound=39.8,
        limit=28.1,
        unit="ms",
        n=300,
    ),
    Check(
        name="missed",
        verdict="inconclusive",
        text="2 % of known objects were missed; 12 objects are too few to decide",
        value=2.0,
        unit="%",
        n=12,
    ),
    Check(name="memory", verdict="skipped", text="no limit was given"),
)
RETURNED = Outcome(
    digest=INT8,
    name="tabletop-int8",
    ended="returned",
    why="99 % of frames take up to 39.8 ms, 28.1 ms are allowed",
    step="probation",
    wall_ns=WALL_NS,
    checks=CHECKS,
)
IDLE = ModelsState(current=WITH_AGENT, since_wall_ns=WALL_NS)
IN_PROBATION = ModelsState(
    current=PUSHED,
    previous=WITH_AGENT,
    candidate=PUSHED,
    step="probation",
    since_wall_ns=WALL_NS,
    attempts=2,
    progress=Progress(done=120, whole=300, unit="frames"),
    last=RETURNED,
    shadow=ShadowState(
        digest=NANO, name="yolox-nano", frames=80, agreed=300, only_current=9, only_candidate=4, current_ms=6.1,
        candidate_ms=14.2, seconds=41.0,
    ),
    updates=UpdateState(
        source=UpdateSource(url="https://updates.example/robots", robot_class="arm-cell"), says="nothing new", release=6
    ),
)  # fmt: skip
WAITING = ModelsState(
    current=WITH_AGENT,
    candidate=PUSHED,
    step="waiting_for_safe",
    since_wall_ns=WALL_NS,
    waits_for="the robot says: arm moves",
)


def robot_with(models: ModelsState | None, phase: WorkerPhase = "running", **more: object) -> Snapshot:
    """A robot that tells this of its models, its worker in that phase."""
    told = msgspec.structs.replace(state(phase=phase, lease=ADA), models=models)
    return snapshot(now_ns=NOW_NS, seconds=5, state_=told, **more)  # type: ignore[arg-type]


WALL_NOW_NS = WALL_NS + 75 * S
