"""A repository with release 1 open to the robot, served over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.file_server import Server, serving
from tests.remote.updates.looking_robot import Robot
from tests.tuf_repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.release(1)
    made.open(1, "orin-1")
    made.publish(bump=True)
    return made


@pytest.fixture
def server(repository: Repository) -> Iterator[Server]:
    with serving(repository.folder) as running:
        yield running


@pytest.fixture
def robot(tmp_path: Path, repository: Repository, server: Server) -> Robot:
    return Robot(tmp_path / "robot", repository, server.url)
