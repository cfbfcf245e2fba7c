"""A small robot on which a model is changed, and what a test asks of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from remote.activation import slots as slots_file
from remote.activation.slots import Slots
from remote.agent.clock import Clock
from remote.model_states import Outcome, Step
from tests.remote.activation.small_robot import (
    GOOD,
    PLAN,
    SmallRobot,
    bundle_files,
    slot,
    write_bundle,
)

OLD = b"old\n"


STEPS: tuple[Step, ...] = (
    "verified", "staged", "building", "self_test", "waiting_for_safe", "switched", "probation", "committed",
)  # fmt: skip


class Hands:
    """Clocks that a test turns."""

    def __init__(self) -> None:
        self.mono_ns, self.wall_ns = 10**9, 1_700_000_000 * 10**9

    def clock(self, boot: str = "boot") -> Clock:
        return Clock(boot, lambda: self.mono_ns, lambda: self.wall_ns)


def a_robot(folder: Path, clock: Clock | None = None) -> SmallRobot:
    """One that runs OLD, after what came with the agent."""
    disk, embedded = folder / "disk", folder / "embedded"
    if not disk.exists():
        disk.mkdir()
        embedded.mkdir()
        write_bundle(embedded, bundle_files(b"embedded\n")[1])
    robot = SmallRobot(disk, folder / "starts", clock, embedded=embedded)
    robot.change.load()
    if not (disk / "slots.json").exists():
        robot.store.stage(robot.put(OLD))
        robot.change.set_current(slot(bundle_files(OLD)[0], "old"))
    return robot


def push(robot: SmallRobot, model: bytes = GOOD, **plan: object) -> str:
    digest = robot.put(model)
    robot.change.begin(slot(digest, "new"), msgspec.structs.replace(PLAN, **plan))
    return digest


def last(robot: SmallRobot) -> Outcome:
    found = robot.change.slots.last
    assert found is not None
    return found


def saved(robot: SmallRobot) -> Slots:
    found = slots_file.load(robot.disk / "slots.json")
    assert found is not None
    return found


def stands(robot: SmallRobot) -> tuple[str, str]:
    """The names of what is current and what is previous, as saved."""
    slots = saved(robot)
    assert slots == robot.change.slots, "what holds is what is written"
    return slots.current.name if slots.current else "-", slots.previous.name if slots.previous else "-"


UNCHANGED = ("old", "embedded")


async def ticks(robot: SmallRobot, count: int = 20) -> None:
    for _ in range(count):
        robot.change.tick()
        await asyncio.sleep(0)
