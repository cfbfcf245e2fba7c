"""Kill -9 and a full disk while something is published: robots see the old state or the new one, whole, and it can go on."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tuf.api.exceptions import RepositoryError

from console.models import acting
from console.models.audit import Audit
from console.models.pending import read_pending
from console.models.releasing import Wanted
from console.models.verifying import verify
from remote.errors import Trouble
from tests.console.models.repo_world import Taker, World, model_of
from tests.killing import KILLED, CannotTrace, ended, forked, killed_at_call, limited

STEP = 211
"""Every so many system calls of an act it is killed, beside all of its renames."""


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory where there is one: a kill leaves there what it leaves on a disk, and nobody waits for the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else tmp_path) as name:
        yield Path(name)


class Rounds:
    """One world, put back to how it was before each kill; the robot has seen the state before."""

    def __init__(self, folder: Path, *, lose_online: bool = False) -> None:
        self.world = World(folder)
        self.world.init()
        self.world.release("red")
        self.world.bundle("blue")
        self.world.robot().look()
        for path in self.world.hands.home.rglob("*.pem*") if lose_online else ():
            path.unlink()
        self._kept = folder / "kept"
        self._places = [self.world.repository.folder, self.world.hands.home, folder / "robots"]
        for place in self._places:
            shutil.copytree(place, self._kept / place.name)

    def again(self) -> None:
        for place in self._places:
            shutil.rmtree(place)
            shutil.copytree(self._kept / place.name, place)

    def robot(self) -> Taker:
        return self.world.robot()


def moments(rounds: Rounds, act: Callable[[], object]) -> Iterator[str]:
    """Kill the act before each of its renames, then at system calls spread over it; says which was just done.

    What robots see changes with renames alone; the system calls are for what nobody thought of.
    """
    number, end = 0, KILLED
    while end == KILLED:
        rounds.again()
        end = ended(forked(lambda number=number: _dies_at_rename(act, number)))  # type: ignore[misc]
        yield f"rename {number}"
        number += 1
    assert end == 0
    assert number > 8, "there are more renames than these in each of the acts"
    for call in itertools.count(0, STEP):
        if _killed(rounds, act, call) == 0:
            assert call >= 3 * STEP
            return
        yield f"system call {call}"


def _dies_at_rename(act: Callable[[], object], number: int) -> None:
    left = iter(range(number, -1, -1))

    def before(real: Callable[[Path, Path], Path]) -> Callable[[Path, Path], Path]:
        def renamed(self: Path, target: Path) -> Path:
            if next(left) == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(self, target)

        return renamed

    Path.replace, Path.rename = before(Path.replace), before(Path.rename)  # type: ignore[method-assign,assignment]
    act()


def _killed(rounds: Rounds, act: Callable[[], object], number: int) -> int:
    rounds.again()
    try:
        return killed_at_call(act, number)
    except CannotTrace as reason:
        pytest.skip(str(reason))


def finish(world: World, again: Callable[[], object]) -> None:
    """What a person does who finds the laptop rebooted: publish what waits, or do it again."""
    waiting = read_pending(world.repository)
    if waiting is None:
        again()
    elif waiting.complete:
        acting.refresh(world.repository, world.hands)
    else:
        acting.sign(world.repository, world.hands, world.by("anna", "ben"))


def test_a_kill_anywhere_in_publishing_leaves_the_old_state_or_the_new_one(quick: Path) -> None:
    rounds = Rounds(quick)
    world = rounds.world

    def act() -> object:
        return world.release("blue")

    seen = set()
    for moment in moments(rounds, act):
        robot = rounds.robot()
        is_new = robot.look().get_targetinfo("releases/000002.json") is not None
        seen.add(is_new)
        assert robot.release(1)[1]["model.onnx"] == model_of("red")
        assert not is_new or robot.release(2)[1]["model.onnx"] == model_of("blue")
        told = {one.name: one.verdict for one in verify(world.repository, world.hands).checks}
        assert set(told.values()) == {"pass"}, (moment, told)
        if not is_new:
            finish(world, act)
        assert robot.release(2)[1]["model.onnx"] == model_of("blue")
        acting.refresh(world.repository, world.hands)
        assert read_pending(world.repository) is None
        assert set(one.verdict for one in verify(world.repository, world.hands).checks) == {"pass"}
    assert seen == {False, True}


def test_a_kill_anywhere_in_a_change_of_root_and_online_keys_leaves_what_robots_take(quick: Path) -> None:
    """A root is seen as soon as it is there: what it vouches for must be there before it."""
    rounds = Rounds(quick)
    world = rounds.world

    def act() -> object:
        return acting.rotate(world.repository, world.hands, world.by("anna", "ben"), online=True, remove=["cleo"])

    roots = set()
    for moment in moments(rounds, act):
        robot = rounds.robot()
        robot.look()
        assert robot.release(1)[1]["model.onnx"] == model_of("red"), moment
        roots.add(len(world.repository.root_numbers()))
        if world.repository.root_numbers() == (1,):
            finish(world, act)
        acting.refresh(world.repository, world.hands)
        robot.look()
        assert world.repository.root_numbers() == (1, 2)
        assert set(one.verdict for one in verify(world.repository, world.hands).checks) == {"pass"}
    assert roots == {1, 2}


def test_a_full_disk_is_told_and_robots_go_on_with_what_was_there(quick: Path) -> None:
    rounds = Rounds(quick)
    world = rounds.world

    def act() -> None:
        try:
            acting.release(world.repository, world.hands, world.bundle("blue"), Wanted(), world.by("anna", "ben"))
        except Trouble as trouble:
            os._exit(3 if trouble.code in ("repository_full", "audit_full") and trouble.cure else 4)

    ends = set()
    for size in (0, 300, 900, 1900, 2500, 4000, 8000, 1 << 20):
        rounds.again()
        ends.add(limited(act, size, deadly=False))
        robot = rounds.robot()
        robot.look()
        assert robot.release(1)[1]["model.onnx"] == model_of("red")
        assert not list(world.repository.folder.rglob("*.tmp"))
        Audit(world.repository.audit_path).lines()
        assert set(one.verdict for one in verify(world.repository, world.hands).checks) == {"pass"}
    assert ends == {0, 3}


def test_without_the_old_online_keys_a_cut_between_root_and_timestamp_is_finished_by_a_refresh(quick: Path) -> None:
    """The one order that is left when those keys are lost: said here, so that nobody counts on more."""
    rounds, refused = Rounds(quick, lose_online=True), 0
    world = rounds.world

    def act() -> object:
        return acting.rotate(world.repository, world.hands, world.by("anna", "ben"), online=True)

    for moment in moments(rounds, act):
        robot = rounds.robot()
        try:
            robot.look()
        except RepositoryError:
            refused += 1
            assert world.repository.root_numbers() == (1, 2), moment
            acting.refresh(world.repository, world.hands)
            robot.look()
    assert refused == 1, "between the two renames and nowhere else"
