"""A release reaches robots only with enough signatures, whole, and in the order of its numbers."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tuf.api.exceptions import ExpiredMetadataError, RepositoryError

from console.models import acting, rollout
from console.models.audit import Audit
from console.models.copying import copy
from console.models.fleet import Fleet
from console.models.repository import Repository, id_of
from console.models.roles import now_utc
from console.models.standing import standing
from console.models.verifying import verify
from console.models.waves import Report, judge
from remote.errors import Trouble
from tests.console.models.repo_world import World, model_of


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    assert made.init().outcome == "published"
    return made


def refused(code: str) -> pytest.RaisesExc[Trouble]:
    return pytest.RaisesExc(Trouble, check=lambda trouble: trouble.code == code and bool(trouble.what))


def verdict(world: World) -> dict[str, str]:
    return {one.name: one.verdict for one in verify(world.repository, world.hands).checks}


def test_one_person_alone_can_make_neither_a_repository_nor_a_release(tmp_path: Path) -> None:
    world = World(tmp_path)
    came = world.init("anna")
    assert came.outcome == "waits"
    assert {(need.role, need.signed, need.missing) for need in came.needs} == {
        ("root", ("anna",), 1),
        ("targets", ("anna",), 1),
    }
    assert not world.repository.metadata.exists()
    assert acting.sign(world.repository, world.hands, world.by("cleo")).outcome == "published"
    robot = world.robot()
    before = sorted(path for path in world.repository.metadata.iterdir())
    assert world.release("red", "anna").outcome == "waits"
    assert acting.sign(world.repository, world.hands, world.by("anna")).outcome == "waits", "twice the same is one"
    assert sorted(world.repository.metadata.iterdir()) == before, "nothing half is visible"
    assert robot.look().get_targetinfo("releases/000001.json") is None
    waits = standing(world.repository, now_utc()).waits
    assert waits is not None
    assert waits.needs[0].could == ("ben", "cleo")
    assert acting.sign(world.repository, world.hands, world.by("ben")).release == 1
    release, files = robot.release(1)
    assert (release.name, files["model.onnx"]) == ("red", model_of("red"))
    assert set(verdict(world).values()) == {"pass"}


def test_a_stranger_can_not_sign(world: World) -> None:
    world.release("red", "anna")
    with refused("key_not_wanted"):
        acting.sign(world.repository, world.hands, [world.person("mallory")])
    assert standing(world.repository, now_utc()).releases == ()


def test_a_release_number_is_never_given_twice(world: World) -> None:
    world.release("red", "anna")
    with refused("change_waits"):
        world.release("blue")
    acting.discard(world.repository, world.hands)
    assert world.release("red").release == 2, "1 was thrown away, and may lie signed on somebody's disk"
    with refused("released_before"):
        world.release("red")
    assert world.release("blue").release == 3
    assert world.release("red", again=True).release == 4, "going back is a new number"
    robot = world.robot()
    assert robot.release(4)[1]["model.onnx"] == robot.release(2)[1]["model.onnx"] == model_of("red")


def test_a_changed_or_incomplete_bundle_is_never_released(world: World) -> None:
    (world.bundle("red") / "model.onnx").write_bytes(b"another")
    with refused("bundle_changed"):
        world.release("red")
    (world.bundle("blue") / "contract.yaml").unlink()
    with refused("bundle_incomplete"):
        world.release("blue")
    assert not world.repository.pending.exists()
    assert not (world.repository.folder / ".pending-making").exists()
    assert standing(world.repository, now_utc()).releases == ()


def test_a_robot_with_the_first_root_follows_a_stolen_key_out(world: World) -> None:
    """After `revoke` the thief's key counts nowhere, and robots that were away for all of it still get there."""
    world.release("red")
    old = world.robot("away")
    old.look()
    came = acting.rotate(world.repository, world.hands, world.by("anna", "cleo"), remove=["ben"])
    assert came.outcome == "published"
    with refused("key_not_wanted"):
        world.release("blue", "anna", "ben")
    acting.sign(world.repository, world.hands, world.by("cleo"))
    dora = world.person("dora")
    world.signers["dora"] = dora
    acting.rotate(world.repository, world.hands, world.by("anna", "cleo"), add=[dora.public_key])
    assert world.release("green", "dora", "anna").outcome == "published"
    assert old.release(3)[1]["model.onnx"] == model_of("green")
    assert world.robot("new").release(1)[1]["model.onnx"] == model_of("red")
    assert set(verdict(world).values()) == {"pass"}


def test_below_the_threshold_no_key_can_be_taken_out(world: World) -> None:
    with refused("bad_threshold"):
        acting.rotate(world.repository, world.hands, world.by("anna"), remove=["ben", "cleo"])
    with refused("unknown_key"):
        acting.rotate(world.repository, world.hands, world.by("anna"), remove=["nobody"])
    assert not world.repository.pending.exists()


def test_new_online_keys_end_the_old_ones(world: World, tmp_path: Path) -> None:
    """A stolen laptop: what its online keys sign from then on is refused."""
    world.release("red")
    robot = world.robot()
    robot.look()
    stolen = tmp_path / "stolen"
    shutil.copytree(world.hands.home, stolen)
    before = world.copied("before")
    acting.rotate(world.repository, world.hands, world.by("anna", "ben"), online=True)
    assert robot.release(1)[0].name == "red"
    thief = world.hands._replace(home=stolen)
    with refused("no_online_key"):
        acting.refresh(world.repository, thief)
    acting.refresh(Repository(before), thief)
    (before / "metadata" / "2.root.json").write_bytes(world.repository.raw("2.root.json"))
    robot.served = before
    with pytest.raises(RepositoryError):
        robot.look()


def test_on_a_laptop_without_the_online_keys_the_last_signature_is_kept_and_published_elsewhere(world: World) -> None:
    world.release("red", "anna")
    other = world.hands._replace(home=world.folder / "other", person="ben")
    came = acting.sign(world.repository, other, world.by("ben"))
    assert came.outcome == "complete"
    assert standing(world.repository, now_utc()).releases == ()
    assert acting.refresh(world.repository, world.hands).release == 1
    assert world.robot().release(1)[0].name == "red"
    assert set(verdict(world).values()) == {"pass"}


def test_an_expired_timestamp_is_refused_until_it_is_refreshed(tmp_path: Path) -> None:
    world = World(tmp_path, days_ago=8)
    world.init()
    stands = {one.role: one for one in standing(world.repository, now_utc()).roles}
    assert (stands["timestamp"].state, stands["root"].state) == ("expired", "good")
    assert stands["timestamp"].days_left < 0
    with pytest.raises(ExpiredMetadataError):
        world.robot().look()
    assert verdict(world)["metadata"] == "fail"
    world.days_ago = 0
    acting.refresh(world.repository, world.hands)
    world.robot().look()
    assert verdict(world)["metadata"] == "pass"


def test_an_expired_root_is_mended_by_a_new_one(tmp_path: Path) -> None:
    world = World(tmp_path, days_ago=400)
    world.init()
    world.days_ago = 0
    acting.refresh(world.repository, world.hands)
    robot = world.robot()
    with pytest.raises(ExpiredMetadataError):
        robot.look()
    acting.rotate(world.repository, world.hands, world.by("anna", "ben"))
    robot.look()


def test_a_repository_restored_from_an_old_copy_goes_on_above_what_robots_have_seen(world: World) -> None:
    """Else robots would refuse everything as a roll-back, and two releases could have one number."""
    world.release("red")
    old = world.copied("old")
    world.release("blue")
    acting.refresh(world.repository, world.hands)
    robot = world.robot()
    robot.look()
    shutil.rmtree(world.repository.folder)
    shutil.copytree(old, world.repository.folder)
    with pytest.raises(RepositoryError):
        robot.look()
    assert verdict(world)["laptop"] == "fail", "what this laptop did since is missing"
    assert world.release("blue").release == 3
    assert robot.release(3)[1]["model.onnx"] == model_of("blue")


def test_the_rollout_key_can_open_and_stop_and_nothing_else(world: World) -> None:
    world.release("red")
    fleet = Fleet(waves=[["orin-1"], ["orin-2", "orin-3"]], agents={"orin-1": "jetson"})
    robot = world.robot()
    assert robot.rollout().release == 0
    judged = judge(fleet, robot.rollout(), 1, {})
    rollout.open_next(world.repository, world.hands, fleet, 1, judged)
    assert (robot.rollout().release, robot.rollout().robots) == (1, ("jetson",))
    with refused("wave_waits"):
        rollout.open_next(world.repository, world.hands, fleet, 1, judge(fleet, robot.rollout(), 1, {}))
    waits = judge(fleet, robot.rollout(), 1, {})
    rollout.open_next(world.repository, world.hands, fleet, 1, waits, anyway="it is Friday")
    assert robot.rollout().robots == ("jetson", "orin-2", "orin-3")
    rollout.stop(world.repository, world.hands, "it drops things")
    assert robot.rollout().stopped == "it drops things"
    told = [line.text for line in Audit(world.repository.audit_path).lines()]
    assert "it is Friday" in told[-2]
    world.release("blue")
    assert robot.rollout().stopped == "it drops things", "a new release opens nothing by itself"


def test_what_another_person_opened_or_stopped_meanwhile_is_not_opened_over(world: World) -> None:
    """Else two people who open the next wave at once open two, and a release is open again right after it was stopped."""
    world.release("red")
    fleet = Fleet(waves=[["a"], ["b"], ["c"], ["d"]])
    robot = world.robot()
    judged = judge(fleet, robot.rollout(), 1, {})
    rollout.open_next(world.repository, world.hands, fleet, 1, judged)
    with refused("changed_meanwhile"):
        rollout.open_next(world.repository, world.hands, fleet, 1, judged)
    assert robot.rollout().robots == ("a",)
    good = judge(fleet, robot.rollout(), 1, {"a": Report(ended="committed")})
    rollout.stop(world.repository, world.hands, "it drops things", 1)
    with refused("changed_meanwhile"):
        rollout.open_next(world.repository, world.hands, fleet, 1, good)
    assert robot.rollout().stopped == "it drops things"
    stopped = judge(fleet, robot.rollout(), 1, {})
    rollout.open_next(world.repository, world.hands, fleet, 1, stopped, anyway="mended")
    assert (robot.rollout().stopped, robot.rollout().robots) == ("", ("a", "b"))


# ---------------------------------------------------------------- copies


def test_a_stick_gives_a_robot_the_release_without_a_network(world: World, tmp_path: Path) -> None:
    world.release("red")
    world.release("blue")
    stick = tmp_path / "usb" / "updates"
    found = copy(world.repository, stick, 2)
    assert found.verdict == "pass"
    robot = world.robot()
    robot.served = stick
    assert robot.release(2)[1]["model.onnx"] == model_of("blue")
    assert len(list(stick.rglob("*.model.onnx"))) == 1
    assert not (stick / ".pending").exists()
    assert copy(world.repository, stick).verdict == "pass"
    assert len(list(stick.rglob("*.model.onnx"))) == 2


def test_a_stick_with_another_or_a_newer_repository_is_not_written_over(world: World, tmp_path: Path) -> None:
    world.release("red")
    old = Repository(world.copied("old"))
    acting.refresh(world.repository, world.hands)
    with refused("newer_there"):
        copy(old, world.repository.folder)
    other = Repository(tmp_path / "other")
    world.init(repository=other)
    assert id_of(other.newest_root().signed) != id_of(world.repository.newest_root().signed)
    with refused("other_repository"):
        copy(world.repository, other.folder)
    with refused("unknown_release"):
        copy(world.repository, tmp_path / "usb", 7)


@pytest.mark.parametrize("act", ["refresh", "rotate", "release"])
def test_what_is_published_while_a_stick_is_written_waits_for_the_next_copy(
    world: World, tmp_path: Path, act: str
) -> None:
    """Files take minutes, and a timer refreshes daily: a new timestamp beside an old snapshot makes the stick worthless."""
    world.release("red")
    stick = tmp_path / "usb"
    assert copy(world.repository, stick).verdict == "pass"
    before = world.repository.published().versions
    world.release("blue")
    acts = {
        "refresh": lambda: acting.refresh(world.repository, world.hands),
        "rotate": lambda: acting.rotate(world.repository, world.hands, world.by("anna", "ben")),
        "release": lambda: world.release("green"),
    }

    def tick(name: str, size: int) -> None:
        if act in acts:
            acts.pop(act)()

    found = copy(world.repository, stick, tick=tick)
    assert (act in acts, found.verdict) == (False, "pass")
    assert Repository(stick).published().versions["timestamp"] == before["timestamp"] + 1
    assert copy(world.repository, stick).verdict == "pass"
    assert Repository(stick).published().versions == world.repository.published().versions


def test_a_stick_that_garbles_a_file_is_told(world: World, tmp_path: Path) -> None:
    world.release("red")
    stick = tmp_path / "usb"
    copy(world.repository, stick)
    [model] = stick.rglob("*.model.onnx")
    model.write_bytes(bytes(len(model.read_bytes())))
    found = copy(world.repository, stick)
    assert [one.name for one in found.checks if one.verdict == "fail"] == ["releases"]
