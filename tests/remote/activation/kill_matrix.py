"""A whole change of models that is killed at one of its system calls, and goes on until it settles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from remote.activation import slots as slots_file
from remote.activation.slots import Slots
from remote.activation.steps import MOST_TRANSITIONS, MOST_TRIES
from remote.activation.store import ReleaseStore
from remote.model_states import AFTER_SWITCH
from tests.killing import KILLED, ended, forked
from tests.power_cut import killed_at_change
from tests.remote.activation.small_robot import PLAN, SmallRobot, bundle_files, slot

Loss = Literal["kill", "cut", "tear"]
LOSSES: tuple[Loss, ...] = ("kill", "cut", "tear")
"""Only the process; all that was not synced; data that was not synced, while its names are there."""
OLDER, OLD = b"older\n", b"old\n"
LIVES = 8
FIRST_CALLS = 200
"""More than a change makes."""


class Matrix:
    """One robot in `folder` on which `model` is pushed. Each method that runs something runs it in a child of its own."""

    def __init__(self, folder: Path, model: bytes) -> None:
        folder.mkdir(parents=True)
        self.disk, self.starts, self.model = folder.resolve() / "disk", folder.resolve() / "starts", model
        self.digest = bundle_files(model)[0]
        self.older, self.old = bundle_files(OLDER)[0], bundle_files(OLD)[0]
        self.disk.mkdir()
        robot = SmallRobot(self.disk, self.starts)
        for one in (OLDER, OLD):
            robot.store.stage(robot.put(one))
            robot.change.set_current(slot(bundle_files(one)[0]))

    def killed(self, number: int | None, loss: Loss = "kill") -> int:
        """A life that is killed before its change `number` of the disk, which then loses what `loss` says."""
        ran = killed_at_change(self.life, self.disk, number)
        if ran.end == KILLED and loss == "cut":
            ran.disk.cut()
        elif ran.end == KILLED and loss == "tear":
            ran.disk.tear()
        return ran.end

    def settle(self) -> Slots:
        """Start it again until no change is under way, and say what holds then."""
        for _ in range(LIVES):
            assert ended(forked(self.life)) == 0
            slots = slots_file.load(self.disk / "slots.json")
            if slots is not None and slots.step == "idle":
                return slots
        raise AssertionError("it does not settle by itself")

    def life(self) -> None:
        """One life of an agent; it pushes where nothing was pushed yet, and ends when no change is under way."""
        asyncio.run(self._life())

    async def _life(self) -> None:
        robot = SmallRobot(self.disk, self.starts)
        robot.change.load()
        robot.change.resume()
        await robot.start_worker()
        if not robot.change.underway and robot.change.slots.last is None:
            robot.change.begin(slot(robot.put(self.model)), PLAN)
        await robot.settle()
        await robot.end()

    def holds(self) -> Slots:
        """Assert what must hold at every moment; what the file says."""
        slots = slots_file.load(self.disk / "slots.json")
        assert slots is not None
        store = ReleaseStore(self.disk / "bundles")
        assert slots.current is not None
        assert slots.previous is not None
        store.folder(slots.current.digest)  # every byte of it is what its digest says
        assert (self.disk / "bundles" / slots.current.digest).stat().st_mode & 0o777 == 0o555
        store.folder(slots.previous.digest)
        if slots.step in AFTER_SWITCH:
            assert (slots.current.digest, slots.previous.digest) == (self.digest, self.old)
            assert slots.older is not None
            store.folder(slots.older.digest)
        assert slots.transitions <= MOST_TRANSITIONS
        assert slots.tries <= MOST_TRIES
        starts = SmallRobot(self.disk, self.starts).starts_of(self.digest)
        assert starts <= PLAN.restarts
        if slots.step in AFTER_SWITCH:
            assert starts <= slots.attempts, "each start was counted before it was made"
        return slots

    def kept(self, slots: Slots) -> bool:
        """Whether the new one is current and the old one previous."""
        return _digests(slots) == (self.digest, self.old)

    def unchanged(self, slots: Slots) -> bool:
        """Whether all is as it was."""
        return _digests(slots) == (self.old, self.older)


def _digests(slots: Slots) -> tuple[str, str]:
    assert slots.current is not None
    assert slots.previous is not None
    return slots.current.digest, slots.previous.digest


def one_point(folder: Path, model: bytes, number: int, loss: Loss, judge: Callable[[Matrix, Slots], None]) -> int:
    """Kill at this point, look, settle, look again; the exit code of the life that was to be killed."""
    matrix = Matrix(folder, model)
    end = matrix.killed(number, loss)
    matrix.holds()
    matrix.settle()
    judge(matrix, matrix.holds())
    return end


def every_point(folder: Path, model: bytes, loss: Loss, judge: Callable[[Matrix, Slots], None]) -> int:
    """The same at every point until a life comes through; how many there were."""
    for number in range(FIRST_CALLS):
        if one_point(folder / str(number), model, number, loss, judge) == 0:
            return number
    raise AssertionError("a change makes fewer calls than this")


def good_one(loss: Loss) -> Callable[[Matrix, Slots], None]:
    """What must have become of a good model: after a mere kill it is kept; after a power cut it may have to be sent again."""

    def judge(matrix: Matrix, slots: Slots) -> None:
        assert slots.last is not None
        assert slots.last.ended == ("committed" if matrix.kept(slots) else "refused")
        assert matrix.kept(slots) or (loss != "kill" and slots.last.step == "verified"), slots.last
        assert matrix.kept(slots) or matrix.unchanged(slots)

    return judge


def bad_one(matrix: Matrix, slots: Slots) -> None:
    """What must have become of a model that crashes: all is as it was."""
    assert matrix.unchanged(slots)
    assert slots.last is not None
    assert slots.last.ended in ("returned", "refused")
