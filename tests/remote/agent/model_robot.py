"""A real agent with the real worker, bundles of a few nodes in its staging folders, and short probations."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from remote.model_states import ModelsState, Outcome, Probation
from remote.models.make import make_bundle
from remote.protocol import Activate, AgentState, Reply
from tests.remote.agent.robot import Console, Robot
from tests.tiny_models import base_yolov8, tiny_bundle, write_model
from tests.waiting import LEAST_S

QUICK = Probation(
    frames=5,
    least_s=0.0,
    most_s=60.0,
    p99_ms=None,
    p99_ratio=None,
    failed_share=None,
    miss_share_more=None,
    boxes_ratio=None,
    hottest_c=None,
)
"""Kept after a window, and compared with nothing; what crashes or fails is returned all the same."""
LONG = msgspec.structs.replace(QUICK, frames=100_000, most_s=600.0)
"""Still going on when a test looks."""


def stage(home: Path, folder: Path, *, score: float = 0.9, dark_raises: bool = False) -> str:
    """A bundle in the robot's staging folder, as a push leaves it; another `score` makes another digest."""
    folder.mkdir(parents=True)
    if dark_raises:
        made = tiny_bundle(folder, dark_raises=True)
    else:
        base, follow = base_yolov8()
        made = make_bundle(
            write_model(folder / "m.onnx", base, (follow * np.float32(score)).astype(np.float32)),
            "yolov8",
            ("cube", "ball"),
            folder / "bundle",
        )
    place = home / "bundles" / f".staging-{made.digest}"
    place.parent.mkdir(mode=0o700, exist_ok=True, parents=True)
    shutil.copytree(made.path, place)
    return made.digest


def models(console: Console) -> ModelsState:
    """The newest that the agent told."""
    found = console.all(AgentState)[-1].models
    assert found is not None
    return found


def until(console: Console, holds: Callable[[ModelsState], bool], what: str, timeout_s: float = LEAST_S) -> ModelsState:
    """Wait for a state of the models."""
    console.until(lambda: holds(models(console)), f"{what}; now {models(console)}", timeout_s)
    return models(console)


def ended(console: Console, digest: str) -> Outcome:
    """How the change to this bundle ended; waits for it."""
    found = until(console, lambda m: m.step == "idle" and m.last is not None and m.last.digest == digest, "end").last
    assert found is not None
    return found


def push(console: Console, epoch: int, digest: str, probation: Probation = QUICK) -> Reply:
    """Ask for a change."""
    return console.ask(Activate(digest, probation), epoch=epoch)


def running(robot: Robot) -> tuple[Console, int]:
    """A console with the lease, and the worker running."""
    from remote.protocol import Start

    console = robot.console().subscribe()
    epoch = console.take_lease()
    assert console.ask(Start(), epoch=epoch).error is None
    return console, epoch
