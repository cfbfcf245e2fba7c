"""A real agent with the real worker takes a signed release over HTTP and switches to it when nobody uses the worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from remote.manifest import MANIFEST
from remote.model_states import UpdateSource
from remote.protocol import SetUpdates, Stop, TakeUpdate
from tests.file_server import serving
from tests.remote.agent.model_robot import models, running, until
from tests.remote.agent.robot import Robot
from tests.tiny_models import tiny_bundle
from tests.tuf_repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    (tmp_path / "made").mkdir()
    made = tiny_bundle(tmp_path / "made")
    repository = Repository(tmp_path / "repository")
    files = {one.name: one.read_bytes() for one in made.path.iterdir()}
    assert MANIFEST in files
    repository.release(1, files)
    repository.open(1, everyone=True)
    repository.publish(bump=True)
    return repository


def test_a_release_is_taken_and_waits_until_nobody_uses_the_worker(
    make_robot: Callable[..., Robot], repository: Repository
) -> None:
    """Nobody commands a release: without an idle check it must not restart a worker that somebody uses."""
    robot = make_robot("real")
    console, epoch = running(robot)
    with serving(repository.folder) as server:
        source = UpdateSource(url=server.url, robot_class="arm", check_every_s=0)
        assert console.ask(SetUpdates(source, repository.first_root), epoch=epoch).error is None
        assert console.ask(TakeUpdate(), epoch=epoch).error is None
        assert server.bytes_of("model.onnx")
    waits = until(console, lambda state: state.step == "waiting_for_safe" and bool(state.waits_for), "waiting")
    assert waits.candidate is not None
    assert waits.candidate.release == 1
    assert waits.candidate.origin == "release"
    assert waits.updates is not None
    assert "took release 1" in waits.updates.says
    second = console.ask(TakeUpdate(), epoch=epoch)
    assert second.error is not None
    assert second.error.code == "update_underway"
    assert console.ask(Stop(), epoch=epoch).error is None
    until(console, lambda state: state.step not in ("waiting_for_safe", "idle"), "the switch")
    current = models(console).current
    assert current is not None
    assert current.release == 1


def test_without_the_lease_nobody_sets_a_source(make_robot: Callable[..., Robot], repository: Repository) -> None:
    console = make_robot().console().subscribe()
    reply = console.ask(SetUpdates(UpdateSource(url=repository.url, robot_class="arm"), repository.first_root))
    assert reply.error is not None
    assert reply.error.code == "no_lease"
    reply = console.ask(TakeUpdate())
    assert reply.error is not None
    assert reply.error.code == "no_lease"
    assert models(console).updates is None
    assert not console.named("updates_set")
