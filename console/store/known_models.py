"""What this laptop last knew of each robot's models, kept for the time in which the robot can't be asked: models/ROBOT.json."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from console.places import data_dir
from remote.atomic import write_atomically
from remote.errors import Trouble
from remote.model_states import ModelsState
from remote.protocol import AgentState, FromAgent, Reply
from remote.ready_types import ready
from remote.strict_yaml import read_bytes

FOLDER = "models"
LIMIT_BYTES = 256 * 1024
AGAIN_NS = 30_000_000_000
"""What has not changed is written anew after so long, so that its age stays true."""


class Known(msgspec.Struct, frozen=True):
    """A robot's models and when this laptop last heard of them, by its own wall clock."""

    state: ModelsState
    wall_ns: int


def known_models(robot: str, folder: Path | None = None) -> tuple[ModelsState, int] | None:
    """The last known state of a robot's models and the laptop's wall time of it; None where nothing is known.

    A file that can't be read counts as nothing known: the robot itself is the truth. `folder`: None takes the laptop's own.
    """
    path = (folder or data_dir() / FOLDER) / f"{robot}.json"
    try:
        data = read_bytes(path, what="what is known of the models", code="unreadable", limit_bytes=LIMIT_BYTES)
        known = msgspec.json.decode(data, type=ready(Known))
    except (Trouble, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return known.state, known.wall_ns


class KnownModels:
    """Writes what a robot tells. For the link's thread, without the state's lock.

    Args:
        folder: where the files lie.
        robot: whose.
        wall_ns: the laptop's wall clock.
    """

    def __init__(self, folder: Path, robot: str, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._path, self._wall_ns = folder / f"{robot}.json", wall_ns
        self._newest: ModelsState | None = None
        self._written: ModelsState | None = None
        self._written_ns = 0

    def note(self, message: FromAgent) -> None:
        """Keep what this message says of the models; any message says that what was known is still so."""
        state = message.state if isinstance(message, Reply) else message
        if isinstance(state, AgentState) and state.models is not None:
            self._newest = state.models
        if self._newest is not None and self._due(self._newest):
            self._write(self._newest)

    def _due(self, newest: ModelsState) -> bool:
        known = self._written
        if known is None or self._wall_ns() - self._written_ns > AGAIN_NS or self._wall_ns() < self._written_ns:
            return True
        # Progress changes with every frame; a disk need not be written for it.
        return msgspec.structs.replace(newest, progress=None) != msgspec.structs.replace(known, progress=None)

    def _write(self, newest: ModelsState) -> None:
        self._written, self._written_ns = newest, self._wall_ns()
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            write_atomically(self._path, msgspec.json.encode(Known(newest, self._written_ns)))
        except OSError:
            return  # a full disk is said where entries are stored; the next change tries again
