"""Poses: an error that the alignment or the matching hides is an error that the robot makes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy.spatial.transform import Rotation

from console.gap.trajectories import Path, path_of, pose_errors
from remote.errors import Trouble
from tests.console.gap.gap_tables import table

T = np.linspace(0, 3.99, 400)
P: npt.NDArray[np.float64] = np.stack([np.cos(T), np.sin(T), 0.2 * T], axis=1)
Q = Rotation.from_euler("z", T[:, None])
TRUE = Path("true", T, P, Q.as_quat())


def test_a_trajectory_against_itself_has_no_error() -> None:
    found = pose_errors(TRUE, TRUE)
    assert found.ate_rmse == pytest.approx(0, abs=1e-9)
    assert found.rpe_rmse == pytest.approx(0, abs=1e-9)
    assert found.rpe_turn_rmse_deg == pytest.approx(0, abs=1e-5)
    assert (found.matched, found.coverage) == (400, 1.0)


def test_another_frame_is_aligned_and_another_scale_only_where_it_is_asked() -> None:
    turn = Rotation.from_euler("xyz", [0.3, 0.2, 1.0])
    moved = Path("e", T, turn.apply(P) + [1, 2, 3], (turn * Q).as_quat())
    assert pose_errors(TRUE, moved).ate_rmse == pytest.approx(0, abs=1e-9)
    assert pose_errors(TRUE, moved, align="none").ate_rmse > 1
    half = Path("e", T, P * 0.5, Q.as_quat())
    assert pose_errors(TRUE, half).ate_rmse > 0.1
    scaled = pose_errors(TRUE, half, align="similarity")
    assert scaled.scale == pytest.approx(2)
    assert scaled.ate_rmse == pytest.approx(0, abs=1e-9)
    assert scaled.rpe_rmse == pytest.approx(0, abs=1e-9)


def test_a_known_error_comes_out_as_it_went_in() -> None:
    wrong = P + np.where(np.arange(400) % 2 == 0, 0.1, -0.1)[:, None] * [0, 0, 1]
    found = pose_errors(TRUE, Path("e", T, wrong, None), align="none", span_s=0.01)
    assert (found.ate_rmse, found.ate_max) == pytest.approx((0.1, 0.1))
    assert found.rpe_rmse == pytest.approx(0.2)
    drifting = Path("e", T, P, (Q * Rotation.from_euler("z", 0.1 * T[:, None])).as_quat())
    assert pose_errors(TRUE, drifting).rpe_turn_rmse_deg == pytest.approx(np.degrees(0.1), rel=1e-3)


def test_a_mirrored_path_is_not_taken_for_a_turned_one() -> None:
    assert pose_errors(TRUE, Path("e", T, P * [1, 1, -1], None)).ate_rmse > 0.05


def test_poses_further_apart_than_the_largest_gap_are_no_pair() -> None:
    late = Path("e", T + 0.004, P, None)
    assert pose_errors(TRUE, late, largest_gap_s=0.0041).matched == 400
    with pytest.raises(Trouble) as caught:
        pose_errors(TRUE, Path("e", T + 7.0, P, None), largest_gap_s=0.0039)
    assert caught.value.code == "no_pairs"
    assert "+7.000 s apart" in caught.value.cure


def test_each_true_pose_is_used_once() -> None:
    twice = Path("e", np.sort(np.concatenate([T[:50], T[:50] + 0.001])), np.repeat(P[:50], 2, axis=0), None)
    assert pose_errors(TRUE, twice).matched == 50


ROWS: list[dict[str, Any]] = [
    {"timestamp": k, "tx": k, "ty": 0, "tz": 0, "qx": 0, "qy": 0, "qz": 0, "qw": 1} for k in range(4)
]


def test_orientations_are_read_beside_plain_x_y_z() -> None:
    rows = [{"t": k, "x": k, "y": 0, "z": 0, "qx": 0, "qy": 0, "qz": 0, "qw": 1} for k in range(3)]
    found = path_of(table(rows))
    assert found.turns is not None
    assert found.positions[2].tolist() == [2, 0, 0]
    assert path_of(table([{"t": k, "x": k, "y": 0, "z": 0, "w": 1} for k in range(3)])).turns is None


def test_poses_are_read_by_the_usual_names() -> None:
    found = path_of(table(ROWS))
    assert found.turns is not None
    assert found.positions[3].tolist() == [3, 0, 0]
    ros = [{"log_time_s": k, "pose.position.x": k, "pose.position.y": 0, "pose.position.z": 1} for k in range(3)]
    assert path_of(table(ros)).positions[2].tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"t": 0, "x": 1}] * 3, "holds no poses"),
        (ROWS[:2], "has 2 poses"),
        ([*ROWS, ROWS[0]], "line 6: its time does not follow"),
        ([*ROWS, {**ROWS[3], "timestamp": 9, "qw": 0.5}], "line 6: its quaternion has the length 0.5"),
        ([*ROWS, {**ROWS[3], "timestamp": 9, "tx": "abc"}], "line 6 has 'abc'"),
    ],
)
def test_what_is_no_trajectory_is_refused(rows: list[dict[str, Any]], said: str) -> None:
    with pytest.raises(Trouble) as caught:
        path_of(table(rows))
    assert said in caught.value.what
