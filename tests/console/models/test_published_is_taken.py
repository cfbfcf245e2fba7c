"""What the laptop publishes is what the robot's own client takes, over HTTP and from a copy on a stick."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.models import rollout
from console.models.copying import copy
from console.models.fleet import Fleet
from console.models.waves import judge
from remote.errors import Trouble
from remote.updates.look import look
from remote.updates.order import Facts, Found, Order
from tests.console.models.repo_world import World, model_of
from tests.file_server import serving


def looked(world: World, folder: Path, url: str, robot: str) -> Found:
    """One look of the robot's client."""
    order = Order(
        url=url,
        cache=str(folder / robot / "cache"),
        root=world.repository.raw("1.root.json"),
        bundles=str(folder / robot),
        facts=Facts(robot=robot, robot_class="arm"),
    )
    return look(order, lambda progress: None)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Release 1 is open to orin-1, the first wave of a fleet of two."""
    made = World(tmp_path)
    made.init()
    made.release("red")
    fleet = Fleet(robots=("orin-1", "orin-2"), waves=[["orin-1"], ["orin-2"]])
    now = made.repository.published().rollout()
    rollout.open_next(made.repository, made.hands, fleet, 1, judge(fleet, now, 1, {}))
    return made


def test_the_first_wave_takes_what_was_published_and_the_second_does_not_yet(world: World, tmp_path: Path) -> None:
    with serving(world.repository.folder) as server:
        found = looked(world, tmp_path, server.url, "orin-1")
        assert found.outcome == "taken"
        assert (Path(found.folder) / "model.onnx").read_bytes() == model_of("red")
        assert found.signed_wall_ns is not None
        assert looked(world, tmp_path, server.url, "orin-2").outcome == "nothing"


def test_a_copy_on_a_stick_is_taken_as_well(world: World, tmp_path: Path) -> None:
    copy(world.repository, tmp_path / "stick")
    assert looked(world, tmp_path, (tmp_path / "stick").as_uri(), "orin-1").outcome == "taken"


def test_a_release_that_was_stopped_is_not_taken(world: World, tmp_path: Path) -> None:
    rollout.stop(world.repository, world.hands, "it drops cups")
    found = looked(world, tmp_path, world.repository.folder.as_uri(), "orin-1")
    assert (found.outcome, "it drops cups" in found.text) == ("nothing", True)


def test_another_repository_is_refused(world: World, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = World(tmp_path / "other")
    other.init()
    with pytest.raises(Trouble) as raised:
        looked(world, tmp_path, other.repository.folder.as_uri(), "orin-1")
    assert raised.value.code == "metadata_unsigned"
