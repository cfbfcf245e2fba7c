"""Builds a bundle's engine in a child process: what breaks there, or takes an hour, breaks and holds nothing here."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import metadata, util
from pathlib import Path

from remote.agent.asked_child import AskedChild, Heard, accepted
from remote.model_states import Progress
from remote.perception.engines.build_process import CANCEL_S, Said
from remote.perception.engines.wishes import Wishes, words_of

LIMIT_S = 3600.0
COMMAND = (sys.executable, "-m", "remote.perception.engines.build_process")
CHILD = AskedChild(
    what="the build of the engine",
    died="was ended",
    start_code="no_build",
    late_code="build_timeout",
    late_cure="look at the robot's load and memory, then try again",
    died_code="build_killed",
    died_cure="the robot most likely ran out of memory: close other programs or add swap, then try again",
)
Say = Callable[[Progress], None]


def tensorrt_installed() -> bool:
    """Whether there may be something to build: TensorRT's Python package is there. Nothing of it is loaded."""
    found = util.find_spec("tensorrt")
    return found is not None and found.origin is not None  # a folder of that name on the path is none


async def build_engine(
    folder: Path,
    cache: Path,
    threads: int,
    say: Say,
    *,
    wishes: Wishes = Wishes(),
    limit_s: float = LIMIT_S,
    command: Sequence[str] = COMMAND,
    worth_it: Callable[[], bool] = tensorrt_installed,
) -> str:
    """Make sure that the engine for the bundle in `folder` is in `cache`; the name of the engine that will run it.

    Returns at once where TensorRT is not installed. Cancelling the task calls the build off; nothing half built is left.

    Args:
        folder: the verified bundle.
        cache: the folder of engines that this robot built.
        threads: of ONNX Runtime, where that is used.
        say: is told how far the build is.
        wishes: how the engine is to be built.
        limit_s: how long it may take.
        command: the child's command line, to which folder, cache, threads and wishes are added.
        worth_it: whether a child is started at all.

    Raises:
        Trouble: what the build says; `build_timeout`; `build_killed` where the process died; `no_build` where it can't be
            started.
    """
    if not worth_it():
        return f"ONNX Runtime {_version('onnxruntime')}"
    heard = Heard(Said, say)
    arguments = (*command, str(folder), str(cache), str(threads), words_of(wishes))
    ended = await CHILD.run(arguments, cwd=folder, limit_s=limit_s, on_line=heard, grace_s=CANCEL_S)
    said = accepted(heard.last)
    if said is None or not said.engine:
        raise CHILD.no_answer(ended)
    return said.engine


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
