"""`fieldgate updates copy`: whoever walks away with a stick has a copy on it, and nothing of theirs is written over."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from console import exits
from console.models import copying
from console.models.copying import copy
from remote.atomic import write_atomically
from remote.errors import Trouble
from tests.console.commands.test_updates_command import run, said
from tests.console.models.repo_world import World


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A repository with a release, in the folder that one is in."""
    monkeypatch.setenv("FIELDGATE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    made = World(tmp_path)
    made.init()
    made.release("red")
    return made


def code(folder: str) -> str:
    done = run(f"copy repo {folder}")
    assert isinstance(done.exception, Trouble), done.output
    return done.exception.code


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("place", ["repo", "repo/in", "repo/targets", ".", "link"])
def test_a_repository_is_not_copied_into_itself(world: World, tmp_path: Path, place: str) -> None:
    """Else somebody who mistypes the stick goes away with none, or robots are given a whole repository more."""
    (tmp_path / "link").symlink_to(world.repository.folder)
    before = names(world.repository.folder)
    assert code(place) == "usage"
    assert exits.BY_CODE["usage"] == exits.USAGE
    assert names(world.repository.folder) == before


@pytest.mark.parametrize("held", ["picture.png", "targets/picture.png", "metadata/notes.txt"])
def test_a_folder_of_other_things_is_left_as_it_is(world: World, tmp_path: Path, held: str) -> None:
    place = tmp_path / "pictures" / held
    place.parent.mkdir(parents=True)
    place.write_text("mine")
    assert code("pictures") == "folder_in_use"
    assert [path.name for path in (tmp_path / "pictures").rglob("*") if path.is_file()] == [place.name]


def test_an_earlier_copy_an_empty_stick_and_one_that_was_cut_off_are_written(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stick" / "lost+found").mkdir(parents=True)
    (tmp_path / "stick" / ".Trash-1000").mkdir()

    def cut(path: Path, data: bytes, mode: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(copying, "write_atomically", cut)
    with pytest.raises(KeyboardInterrupt):
        copy(world.repository, tmp_path / "stick")
    assert "targets" in names(tmp_path / "stick")
    assert "metadata" in names(tmp_path / "stick")
    monkeypatch.setattr(copying, "write_atomically", write_atomically)
    said("copy repo stick")
    (tmp_path / "stick" / "read me.txt").write_text("of the office")
    said("copy repo stick")


def test_how_much_comes_and_how_far_it_is_are_told(world: World, tmp_path: Path) -> None:
    told = said("copy repo stick").stderr
    [head] = [line for line in told.splitlines() if line.startswith("copying ")]
    files, size = int(head.split()[1]), int(head.split()[3].replace(",", ""))
    written = [path for path in (tmp_path / "stick" / "targets").rglob("*") if path.is_file()]
    assert (files, size) == (len(written), sum(path.stat().st_size for path in written))
    assert f"  {files} of {files}  releases/000001.json  " in told
    assert "copied and read again in " in told
    assert f"copying 0 files, 0 bytes, to stick; {files} more are there already" in said("copy repo stick").stderr


@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.ENOSPC, "free some space there"),
        (errno.ENOTDIR, "name a folder"),
        (errno.ENOENT, "such as a stick that is mounted"),
        (errno.EROFS, "write protection"),
        (errno.EACCES, "that you may write to"),
    ],
    ids=lambda one: errno.errorcode[one] if isinstance(one, int) else "",
)
def test_the_cure_is_one_for_what_happened(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, cure: str
) -> None:
    def fails(source: Path, place: Path) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(copying, "_copy", fails)
    with pytest.raises(Trouble) as refused:
        copy(world.repository, tmp_path / "stick")
    assert cure in refused.value.cure
    assert "what it held before" not in refused.value.cure, "it held nothing"


def test_a_file_in_the_place_of_the_stick_is_called_so(world: World, tmp_path: Path) -> None:
    (tmp_path / "afile").write_text("x")
    done = run("copy repo afile")
    assert "it is a file, or lies below one: name a folder" in str(done.exception)
    assert "space" not in str(done.exception)


def test_a_file_that_is_gone_from_the_repository_is_no_fault_of_the_stick(world: World, tmp_path: Path) -> None:
    [model] = world.repository.folder.rglob("*.model.onnx")
    model.unlink()
    assert code("stick") == "bad_repository"
    assert str(run("copy repo stick").exception).startswith(str(model.relative_to(tmp_path)))
