"""The slots of a robot and the bundles in its store: what stays, what may go, what is read after damage."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from remote.errors import Trouble
from remote.model_states import Slot
from remote.verdicts import Check
from tests.remote.activation.changing_robot import (
    OLD,
    a_robot,
    last,
    push,
    saved,
    stands,
)
from tests.remote.activation.small_robot import (
    GOOD,
    PLAN,
    SmallRobot,
    bundle_files,
    slot,
)


async def test_what_is_in_a_slot_or_came_with_the_agent_is_in_use(robot: SmallRobot) -> None:
    old, embedded = bundle_files(OLD)[0], bundle_files(b"embedded\n")[0]
    assert robot.change.in_use() == {old, embedded}
    digest = push(robot, frames=10_000)
    await robot.until("probation")
    assert robot.change.in_use() == {digest, old, embedded}


async def test_a_plain_choice_keeps_the_one_before(robot: SmallRobot) -> None:
    digest = robot.put(GOOD)
    robot.store.stage(digest)
    robot.change.set_current(slot(digest, "chosen"))
    assert stands(robot) == ("chosen", "old")
    assert robot.change.before_worker_start() == digest
    assert robot.change.slots.attempts == 0, "only what is on trial is counted"


async def test_a_bundle_that_vanished_is_replaced_by_the_one_before_then_by_the_agents(robot: SmallRobot) -> None:
    push(robot)
    await robot.settle()
    new, old = bundle_files(GOOD)[0], bundle_files(OLD)[0]
    robot.store.remove(new, ())
    assert robot.change.before_worker_start() == old
    assert robot.told[-1][0] == "model_slot_unusable"
    robot.store.remove(old, ())
    assert robot.change.before_worker_start() == bundle_files(b"embedded\n")[0]
    assert stands(robot)[0] == "-"


async def test_a_name_and_a_reason_of_any_length_leave_slots_that_can_be_read(robot: SmallRobot) -> None:
    """A file that is too long to be read again is a robot that forgets its models, and which releases it took."""
    long = Slot(digest=robot.put(GOOD), name="\x1b[2J" * 15_000, origin="push")
    robot.checks = (Check(name="golden", verdict="fail", text="\0" * 500_000),)
    robot.change.begin(long, PLAN)
    await robot.settle()
    robot.change.set_current(long)
    assert (robot.disk / "slots.json").stat().st_size < 50_000
    again = SmallRobot(robot.disk, robot.starts)
    again.change.load()
    assert again.change.slots == robot.change.slots
    name = again.change.state().current
    assert name is not None
    assert name.name.isprintable()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "truncated": lambda data: data[: len(data) // 2],
    "garbage": lambda data: os.urandom(200),
    "other-format": lambda data: data.replace(b'"format":1', b'"format":2'),
    "unknown-step": lambda data: data.replace(b'"idle"', b'"flying"'),
    "endless": lambda data: data + b" " * 1_100_000,
    "without-its-candidate": lambda data: data.replace(b'"idle"', b'"probation"'),
    "without-its-end": lambda data: data.replace(b'"idle"', b'"rolling_back"'),
    "starts-for-ever": lambda data: data.replace(b'"attempts":0', b'"attempts":-1000000'),
    "going-back-nowhere": lambda data: data.replace(b'"going_back":false', b'"going_back":true'),
    "deep": lambda data: b"[" * 100_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_slots_that_are_damaged_are_kept_aside_and_the_agents_own_bundle_runs(tmp_path: Path, damage: str) -> None:
    path = a_robot(tmp_path).disk / "slots.json"
    damaged = DAMAGES[damage](path.read_bytes())
    path.write_bytes(damaged)
    robot = SmallRobot(tmp_path / "disk", tmp_path / "starts", embedded=tmp_path / "embedded")
    robot.change.load(fresh=slot(bundle_files(OLD)[0]))
    assert robot.change.before_worker_start() == bundle_files(b"embedded\n")[0]
    assert robot.told[0][0] == "model_slots_damaged"
    assert (tmp_path / "disk" / "slots.json.damaged").read_bytes() == damaged
    assert not robot.change.underway


def test_what_a_newer_agent_added_to_the_slots_is_passed_over(tmp_path: Path) -> None:
    """An agent that was set back would call the file damaged: another model runs, and old releases are taken again."""
    before = a_robot(tmp_path)
    path = before.disk / "slots.json"
    whole = path.read_bytes()
    path.write_bytes(
        whole.replace(b'"format":1', b'"format":1,"more":{"a":1}').replace(b'"frames":', b'"more":1,"frames":')
    )
    assert path.read_bytes().count(b'"more"') == 2
    robot = SmallRobot(tmp_path / "disk", tmp_path / "starts", embedded=tmp_path / "embedded")
    robot.change.load()
    assert robot.told == []
    assert robot.change.slots == before.change.slots


@pytest.mark.parametrize("gone", [False, True], ids=["damaged", "gone"])
def test_a_robot_that_lost_its_slots_takes_no_older_release(tmp_path: Path, gone: bool) -> None:
    path = a_robot(tmp_path).disk / "slots.json"
    path.write_bytes(b"{")
    if gone:
        path.unlink()
    robot = SmallRobot(tmp_path / "disk", tmp_path / "starts", embedded=tmp_path / "embedded")
    robot.change.load(highest_release=7)
    with pytest.raises(Trouble) as caught:
        robot.change.begin(slot(robot.put(GOOD), "new", release=7), PLAN)
    assert caught.value.code == "release_old"


async def test_bundles_of_old_releases_may_go_but_not_what_people_gave(robot: SmallRobot) -> None:
    """A disk that fills up with each release takes no release any more."""
    models = [b"model %d\n" % number for number in range(5)]
    digests = [bundle_files(model)[0] for model in models]
    for number, model in enumerate(models, 1):
        one = msgspec.structs.replace(slot(robot.put(model), "new", release=number), origin="release")
        robot.change.begin(one, PLAN)
        assert robot.change.prunable(()) == (), "a change is under way"
        await robot.settle()
        assert last(robot).ended == "committed"
    assert robot.change.in_use() == {digests[4], digests[3]}
    assert robot.change.prunable(()) == (digests[0], digests[1])
    assert robot.change.prunable((digests[1],)) == (digests[0],)
    robot.change.set_current(slot(digests[0], "mine"))
    robot.change.set_current(slot(digests[4], "mine"))
    assert robot.change.prunable(()) == (digests[1], digests[2])
    robot.change.pruned((digests[1],))
    assert robot.change.prunable(()) == (digests[2],)
    assert saved(robot).over_air == (digests[2], digests[3])


def test_what_the_settings_named_runs_until_the_first_change(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    robot = SmallRobot(tmp_path / "disk", tmp_path / "starts")
    assert robot.change.before_worker_start() is None
    robot.store.stage(robot.put(OLD))
    chosen = Slot(digest=bundle_files(OLD)[0], name="old", origin="chosen")
    robot.change.load(fresh=chosen)
    assert robot.change.before_worker_start() == chosen.digest
    assert robot.change.state().current == chosen
