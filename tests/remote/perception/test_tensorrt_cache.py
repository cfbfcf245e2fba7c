"""The engines' folder: an engine is native code, so one that this robot did not build is never loaded."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.errors import Trouble
from remote.perception.engines.tensorrt.cache import KEPT, SECRET, EngineCache, EngineManifest
from remote.perception.engines.tensorrt.key import EngineKey, machine
from tests.killing import KILLED, CannotTrace, killed_at_call

KEY = EngineKey(
    onnx="a" * 64,
    tensorrt="10.3.0",
    cuda="12.6",
    l4t="36.4.0",
    gpu="Orin",
    capability="8.7",
    precision="model",
    shapes={"images": (1, 3, 64, 64)},
    workspace_mb=1024,
    power_mode="2",
)
PLAN = b"plan" * 100
FOREIGN = "the engine in the cache was not built by this robot"


def filled(folder: Path, computer: str = "robot 1") -> EngineCache:
    cache = EngineCache(folder, computer)
    cache.store(KEY, PLAN, 12.5)
    return cache


def files(folder: Path, kind: str) -> list[Path]:
    return sorted(folder.glob(f"*.{kind}"))


# ------------------------------------------------------------ one that was built here


def test_what_was_built_here_is_found_again_by_another_process(tmp_path: Path) -> None:
    folder = tmp_path / "engines"
    assert EngineCache(folder, "robot 1").load(KEY) == "no engine was built on this robot for this model yet"
    filled(folder)
    assert EngineCache(folder, "robot 1").load(KEY) == PLAN
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("name", EngineKey.__struct_fields__)
def test_an_engine_for_anything_else_is_not_given(name: str, tmp_path: Path) -> None:
    cache = filled(tmp_path)
    other = {"shapes": {"images": (1, 3, 64, 32)}, "workspace_mb": 512}.get(name, "another")
    key = msgspec.structs.replace(KEY, **{name: other})
    assert isinstance(cache.load(key), str)
    shutil.copy(files(tmp_path, "plan")[0], tmp_path / f"{key.digest}.plan")
    shutil.copy(files(tmp_path, "json")[0], tmp_path / f"{key.digest}.json")
    assert cache.load(key) == "the engine in the cache is for something else"


# ------------------------------------------------------------ one that was not


def test_a_changed_plan_is_not_given(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    with files(tmp_path, "plan")[0].open("r+b") as file:
        file.write(b"X")
    assert cache.load(KEY) == "the engine in the cache was changed since it was built here"


@pytest.mark.parametrize("data", [b"", b"pl", PLAN + b"x"], ids=["empty", "cut", "longer"])
def test_a_torn_plan_is_not_given(data: bytes, tmp_path: Path) -> None:
    cache = filled(tmp_path)
    files(tmp_path, "plan")[0].write_bytes(data)
    assert isinstance(cache.load(KEY), str)


def test_a_manifest_that_was_written_for_another_plan_does_not_pass(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    path = files(tmp_path, "json")[0]
    manifest = msgspec.json.decode(path.read_bytes(), type=EngineManifest)
    for changed in (
        msgspec.structs.replace(manifest, plan="b" * 64),
        msgspec.structs.replace(manifest, machine="robot 2"),
        msgspec.structs.replace(manifest, seal=""),
        msgspec.structs.replace(manifest, seal="é" * 64),
    ):
        path.write_bytes(msgspec.json.encode(changed))
        assert cache.load(KEY) == FOREIGN


def test_an_engine_from_another_robot_is_not_given_even_with_its_secret(tmp_path: Path) -> None:
    filled(tmp_path / "one", "robot 1")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert EngineCache(tmp_path / "two", "robot 2").load(KEY) == "the engine in the cache was built on another computer"


def test_without_its_secret_an_engine_is_nobodys(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    (tmp_path / SECRET).unlink()
    assert cache.load(KEY) == FOREIGN
    cache.store(msgspec.structs.replace(KEY, gpu="other"), PLAN, 1.0)  # makes a new secret
    assert cache.load(KEY) == FOREIGN


@pytest.mark.parametrize("spoil", ["readable", "short", "link"])
def test_a_secret_that_others_may_know_counts_as_none(spoil: str, tmp_path: Path) -> None:
    cache = filled(tmp_path)
    secret = tmp_path / SECRET
    if spoil == "readable":
        secret.chmod(0o640)
    elif spoil == "short":
        secret.write_bytes(b"x" * 31)
    else:
        secret.rename(tmp_path / "elsewhere")
        secret.symlink_to(tmp_path / "elsewhere")
    assert cache.load(KEY) == FOREIGN


@given(data=st.binary(max_size=300) | st.just(b"[" * 60_000) | st.just(b'{"format": 1}'))
@settings(max_examples=15, deadline=None)
def test_a_hostile_manifest_is_refused_and_breaks_nothing(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "hostile"
    cache = filled(folder)
    files(folder, "json")[0].write_bytes(data)
    assert isinstance(cache.load(KEY), str)


# ------------------------------------------------------------ the folder


def test_old_engines_go_and_the_newest_stays_whatever_the_clock_says(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path, "robot 1")
    keys = [msgspec.structs.replace(KEY, onnx=f"{number:064d}") for number in range(KEPT + 2)]
    for key in keys:
        cache.store(key, PLAN, 1.0)
        for path in files(tmp_path, "json"):
            path.touch()  # all of one age or younger than the next
    assert len(files(tmp_path, "json")) == len(files(tmp_path, "plan")) == KEPT
    assert cache.load(keys[-1]) == PLAN


def test_the_engine_in_use_stays_whatever_else_is_built(tmp_path: Path) -> None:
    """One candidate after the other is pushed and given back: the model that runs would come back without its engine."""
    cache = filled(tmp_path)
    for number in range(KEPT + 2):
        for age, path in enumerate(sorted(files(tmp_path, "json"), key=lambda one: -one.stat().st_mtime_ns)):
            os.utime(path, (10_000 - age, 10_000 - age))
        assert cache.load(KEY) == PLAN
        cache.store(msgspec.structs.replace(KEY, onnx=f"{number:064d}"), PLAN, 1.0)
    assert len(files(tmp_path, "plan")) == KEPT


def test_what_a_kill_left_is_cleared_with_the_next_engine(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    (tmp_path / ".x.plan.0011.tmp").write_bytes(b"half")
    (tmp_path / f"{'c' * 64}.plan").write_bytes(b"a plan that never got its manifest")
    cache.store(KEY, PLAN, 1.0)
    assert [path.stem for path in files(tmp_path, "plan")] == [KEY.digest]
    assert not list(tmp_path.glob(".*.tmp"))


def test_a_removed_engine_is_gone(tmp_path: Path) -> None:
    cache = filled(tmp_path)
    cache.remove(KEY)
    assert isinstance(cache.load(KEY), str)
    cache.remove(KEY)


def test_no_room_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Trouble, match="can't be kept") as refused:
        EngineCache(tmp_path / "file" / "engines", "robot 1").store(KEY, PLAN, 1.0)
    assert refused.value.code == "no_space"


def test_a_timing_cache_is_used_only_where_it_is_ours(tmp_path: Path) -> None:
    cache = EngineCache(tmp_path, "robot 1")
    assert cache.timing(KEY) == b""
    cache.keep_timing(KEY, b"measured")
    assert cache.timing(KEY) == b"measured"
    assert cache.timing(msgspec.structs.replace(KEY, onnx="b" * 64)) == b"measured"  # another model, the same layers
    assert cache.timing(msgspec.structs.replace(KEY, power_mode="0")) == b""
    [path] = files(tmp_path, "timing")
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    assert cache.timing(KEY) == b""


def test_this_computer_is_told_by_its_serial_number(tmp_path: Path) -> None:
    def computer(serial: str) -> str:
        place = tmp_path / serial / "proc/device-tree"
        place.mkdir(parents=True)
        (place / "serial-number").write_text(serial + "\0")
        return machine(tmp_path / serial)

    one, two = computer("1424100000001"), computer("1424100000002")
    assert one != two
    assert one == machine(tmp_path / "1424100000001")


def test_a_kill_at_any_moment_leaves_an_engine_that_is_whole_or_none(tmp_path: Path) -> None:
    """A robot that loses power while it keeps an engine must neither load half of one nor be unable to build again."""
    number, found = 0, set[str]()
    while True:
        folder = tmp_path / str(number)
        try:
            code = killed_at_call(lambda: filled(folder), number)  # noqa: B023 - called at once
        except CannotTrace as cannot:
            pytest.skip(str(cannot))
        loaded = EngineCache(folder, "robot 1").load(KEY)
        assert loaded == PLAN or isinstance(loaded, str)
        found.add("whole" if loaded == PLAN else "none")
        if number % 4 == 0:
            assert filled(folder).load(KEY) == PLAN  # what was left does not stand in the way
        if code != KILLED:
            break
        number += 3  # the writing itself is proved call by call elsewhere
    assert loaded == PLAN
    assert found == {"whole", "none"}
    assert number > 30
