"""What a robot takes from an update repository, and what no attacker and no accident can make it take."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from remote.errors import Trouble
from remote.manifest import MANIFEST, digest_of
from remote.model_states import Progress
from remote.updates.look import look
from remote.updates.order import Facts, Found, Order
from tests.file_server import Server, serving
from tests.tuf_repository import Repository, bundle_files

FACTS = Facts(robot="orin-1", robot_class="arm", l4t="36.4.3", tensorrt="10.3.0")


class Robot:
    """A robot's folder and what it knows."""

    def __init__(self, folder: Path, repository: Repository, url: str) -> None:
        self.folder = folder
        (folder / "bundles").mkdir(parents=True)
        self.order = Order(
            url=url,
            cache=str(folder / "cache"),
            root=repository.first_root,
            bundles=str(folder / "bundles"),
            facts=FACTS,
        )
        self.said: list[Progress] = []
        self.now_wall_ns = time.time_ns()

    def look(self, **changes: Any) -> Found:
        """One look, in this process."""
        order = msgspec.structs.replace(self.order, **changes)
        return look(order, self.said.append, lambda: self.now_wall_ns)

    def refused(self, **changes: Any) -> Trouble:
        """One look that has to be refused."""
        with pytest.raises(Trouble) as raised:
            self.look(**changes)
        assert raised.value.cure, raised.value.what
        assert not [one for one in (self.folder / "bundles").glob(".staging-*/*") if one.suffix == ".onnx"]
        return raised.value


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


def test_an_open_release_is_fetched_and_verified_file_by_file(robot: Robot, server: Server) -> None:
    found = robot.look()
    assert found.outcome == "taken"
    assert found.release is not None
    files = {one.name: one.read_bytes() for one in Path(found.folder).iterdir()}
    assert files == bundle_files()
    assert digest_of(files[MANIFEST]) == found.release.bundle
    assert found.fetched_bytes == sum(len(data) for data in files.values())
    assert robot.said[-1].done == robot.said[-1].whole == found.fetched_bytes
    assert found.signed_wall_ns is not None
    assert abs(found.signed_wall_ns - robot.now_wall_ns) < 60e9


def test_a_look_again_fetches_no_file_twice(robot: Robot, server: Server) -> None:
    robot.look()
    server.sent.clear()
    found = robot.look()
    assert (found.outcome, found.fetched_bytes) == ("taken", 0)
    assert not [one.path for one in server.sent if "bundles/" in one.path]


def test_a_bundle_that_is_held_already_is_not_fetched(robot: Robot, server: Server) -> None:
    digest = digest_of(bundle_files()[MANIFEST])
    found = robot.look(held=(digest,))
    assert (found.outcome, found.folder, server.bytes_of("model.onnx")) == ("taken", "", 0)
