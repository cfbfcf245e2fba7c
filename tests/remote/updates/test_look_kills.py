"""kill -9 of the client at system calls all over a look: the next look ends with the same verified bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from remote.atomic import TEMPORARY_GLOB
from remote.updates.staging import PART
from tests.killing import KILLED, CannotTrace, killed_at_call
from tests.remote.updates.looking_robot import Robot
from tests.tuf_repository import Repository, bundle_files

FILES = bundle_files(b"m" * 300_000)
STRIDE = 37
"""Every so many calls: a prime, so that other points of each loop are hit."""


def test_a_kill_anywhere_in_a_look_costs_nothing_but_time(tmp_path: Path, repository: Repository) -> None:
    """What has its final name is right at every moment; what is half has the name of a part; the rest is fetched then."""
    repository.release(2, FILES)
    repository.open(2, everyone=True)
    repository.publish(bump=True)
    number, ended = 0, KILLED
    while ended == KILLED:
        robot = Robot(tmp_path / f"robot-{number}", repository, repository.url)
        try:
            ended = killed_at_call(robot.look, number)
        except CannotTrace as reason:
            pytest.skip(str(reason))
        for one in robot.folder.glob("bundles/.staging-*/*"):
            assert one.name.endswith(PART) or one.read_bytes() == FILES[one.name]
        found = robot.look()
        assert {one.name: one.read_bytes() for one in Path(found.folder).iterdir()} == FILES
        assert not list(robot.folder.rglob(TEMPORARY_GLOB)) + list((robot.folder / "cache").glob("tmp*"))
        number += STRIDE
    assert ended == 0
    assert number > 10 * STRIDE
