"""What a robot takes from an update repository, and what it leaves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.manifest import MANIFEST, digest_of
from remote.release import Needs
from remote.updates.trust import wall_ns_of
from tests.file_server import Server
from tests.remote.updates.looking_robot import Robot
from tests.tuf_repository import Repository, bundle_files


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


# ------------------------------------------------------------------ what is open, and to whom


@pytest.mark.parametrize(
    ("opening", "says"),
    [
        ({"robots": ("orin-2",)}, "not open to the robot orin-1"),
        ({"everyone": True, "stopped": "wave 1 did badly"}, "was stopped: wave 1 did badly"),
    ],
    ids=["another-robot", "stopped"],
)
def test_a_release_that_is_not_open_to_this_robot_is_left(
    repository: Repository, robot: Robot, server: Server, opening: dict[str, Any], says: str
) -> None:
    robots = opening.pop("robots", ())
    repository.open(1, *robots, **opening)
    repository.publish(bump=True)
    found = robot.look()
    assert found.outcome == "nothing"
    assert says in found.text
    assert not server.bytes_of("model.onnx")


def test_open_to_everyone_is_open(repository: Repository, robot: Robot) -> None:
    repository.open(1, everyone=True)
    repository.publish(bump=True)
    assert robot.look().outcome == "taken"


def test_what_it_has_already_is_nothing_and_a_lower_number_is_refused(robot: Robot) -> None:
    assert robot.look(highest_release=1).outcome == "nothing"
    assert robot.look(highest_release=0).outcome == "taken"
    assert robot.refused_after_all(highest_release=2).code == "release_old"


NEEDS = [
    (Needs(robot_classes=("drone",)), "classes drone"),
    (Needs(l4t=("35",)), "L4T 35"),
    (Needs(tensorrt=("8.6",)), "TensorRT 8.6"),
    (Needs(contract_format=2), "format 2"),
]


@pytest.mark.parametrize(("needs", "says"), NEEDS, ids=["class", "l4t", "tensorrt", "contract"])
def test_a_release_for_another_kind_of_robot_is_refused_with_the_reason(
    repository: Repository, robot: Robot, needs: Needs, says: str
) -> None:
    repository.release(2, bundle_files(b"another"), needs)
    repository.open(2, everyone=True)
    repository.publish(bump=True)
    trouble = robot.refused()
    assert trouble.code == "release_not_for_us"
    assert says in trouble.what


def test_a_release_for_this_kind_of_robot_is_taken(repository: Repository, robot: Robot) -> None:
    needs = Needs(robot_classes=("drone", "arm"), l4t=("36.4",), tensorrt=("8.6", "10.3"))
    repository.release(2, bundle_files(b"another"), needs)
    repository.open(2, everyone=True)
    repository.publish(bump=True)
    assert robot.look().outcome == "taken"


# ------------------------------------------------------------------ the clock


MINUTE_NS = 60 * 10**9
CLOCKS = {"right": (0, ""), "nine-minutes-back": (-9, ""), "eleven-minutes-back": (-11, "time_untrusted")}


@pytest.mark.parametrize("name", CLOCKS)
def test_a_clock_before_the_floor_is_refused_beyond_ten_minutes(robot: Robot, server: Server, name: str) -> None:
    minutes, code = CLOCKS[name]
    floor = robot.now_wall_ns
    robot.now_wall_ns += minutes * MINUTE_NS
    if not code:
        assert robot.look(floor_wall_ns=floor).outcome == "taken"
        return
    assert robot.refused(floor_wall_ns=floor).code == code
    assert not server.sent, "nobody is asked by a robot that does not know the time"


def test_a_robot_that_boots_in_1970_is_refused_although_it_never_saw_a_time(robot: Robot) -> None:
    robot.now_wall_ns = 0
    assert robot.refused().code == "time_untrusted"


def test_a_clock_before_the_signing_of_what_it_is_shown_is_refused(repository: Repository, robot: Robot) -> None:
    robot.now_wall_ns -= 11 * MINUTE_NS
    trouble = robot.refused()
    assert trouble.code == "time_untrusted"
    assert "was signed at" in trouble.what
    robot.now_wall_ns += 2 * MINUTE_NS
    assert robot.look().outcome == "taken"


@given(st.one_of(st.text(max_size=30), st.integers(), st.none(), st.datetimes().map(str)))
def test_what_is_no_time_of_signing_is_none(told: object) -> None:
    assert wall_ns_of(told) is None or isinstance(told, str)


def test_the_time_of_signing_is_read_to_the_second() -> None:
    assert wall_ns_of("2026-11-21T12:00:01Z") == 1_795_262_401 * 10**9
