"""An agent killed, or a robot without power, at any call of a change: a whole bundle runs, and it settles without anybody.

Here a drawn part of the points; all of them, and all kinds of loss, in tests/whole/test_activation_matrix.py.
"""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from tests.killing import KILLED, CannotTrace, limited
from tests.remote.activation.kill_matrix import LOSSES, Loss, Matrix, bad_one, good_one, one_point
from tests.remote.activation.small_robot import CRASHES, CRASHES_LATE, GOOD

POINTS = random.Random(5).sample(range(70), 12)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_good_model_is_kept_or_has_to_be_sent_again(tmp_path: Path, loss: Loss) -> None:
    for number in POINTS[LOSSES.index(loss) :: 3]:
        try:
            end = one_point(tmp_path / str(number), GOOD, number, loss, good_one(loss))
        except CannotTrace as reason:
            pytest.skip(str(reason))
        assert end in (KILLED, 0)


@pytest.mark.parametrize("model", [CRASHES, CRASHES_LATE], ids=["at-once", "late"])
def test_a_model_that_crashes_is_gone_after_three_starts_whatever_is_killed(tmp_path: Path, model: bytes) -> None:
    for number in POINTS[::4]:
        try:
            one_point(tmp_path / str(number), model, number, "cut", bad_one)
        except CannotTrace as reason:
            pytest.skip(str(reason))


@pytest.mark.parametrize("size", [0, 100, 500, 700, 900])
def test_a_write_torn_in_the_middle_leaves_the_old_or_the_new(tmp_path: Path, size: int) -> None:
    """No file can grow beyond `size`: the write that would is cut off there, and the agent is killed in it."""
    matrix = Matrix(tmp_path / "torn", GOOD)
    assert limited(matrix.life, size, deadly=True) in (-signal.SIGXFSZ, 0)
    matrix.holds()
    slots = matrix.settle()
    good_one("kill")(matrix, slots)


@pytest.mark.parametrize("seed", [1, 2])
def test_an_agent_that_is_killed_again_and_again_still_settles(tmp_path: Path, seed: int) -> None:
    killed_often(tmp_path, seed)


def killed_often(folder: Path, seed: int) -> None:
    chance = random.Random(seed)
    matrix = Matrix(folder / str(seed), chance.choice([GOOD, CRASHES_LATE]))
    for _ in range(6):
        try:
            matrix.killed(chance.randrange(40), chance.choice(LOSSES))
        except CannotTrace as reason:
            pytest.skip(str(reason))
        matrix.holds()
    matrix.settle()
    slots = matrix.holds()
    assert matrix.kept(slots) if slots.last and slots.last.ended == "committed" else matrix.unchanged(slots)
