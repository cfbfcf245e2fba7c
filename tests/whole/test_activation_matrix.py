"""Every system call by which a change of models touches the disk: killed there, and cut off from power there. All points."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.killing import CannotTrace
from tests.remote.activation.kill_matrix import LOSSES, Loss, bad_one, every_point, good_one
from tests.remote.activation.small_robot import CRASHES, CRASHES_LATE, GOOD
from tests.remote.activation.test_activation_kills import killed_often

pytestmark = pytest.mark.tour


@pytest.mark.parametrize("loss", LOSSES)
def test_a_good_model_killed_at_every_point(tmp_path: Path, loss: Loss) -> None:
    try:
        assert every_point(tmp_path, GOOD, loss, good_one(loss)) > 60
    except CannotTrace as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("model", [CRASHES, CRASHES_LATE], ids=["at-once", "late"])
def test_a_model_that_crashes_killed_at_every_point(tmp_path: Path, model: bytes, loss: Loss) -> None:
    try:
        assert every_point(tmp_path, model, loss, bad_one) > 70
    except CannotTrace as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("seed", range(10, 40))
def test_killed_again_and_again(tmp_path: Path, seed: int) -> None:
    killed_often(tmp_path, seed)
