"""camera_alive: a black, frozen or vanished camera must take the tick away and say which it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.checklist.probes import Finding
from console.checklist.probes.camera import CameraParameters, look_at_camera
from console.fieldtest.criteria import Answer
from console.link.snapshot import Snapshot
from remote.protocol import CameraHealth
from tests.console.checklist.probe_sight import OK, OTHER, laptop, row_of_windows, sight, snapshot, state, window


def looked(files: Path, *shots: Snapshot, **parameters: Any) -> Finding:
    return look_at_camera(sight(files, *shots), msgspec.convert(parameters, CameraParameters))


def answer(found: Finding) -> Answer:
    assert isinstance(found.measurement, Answer), found.unavailable
    return found.measurement


def test_a_camera_that_was_well_for_the_last_seconds_is_alive(tmp_path: Path) -> None:
    found = looked(tmp_path, snapshot(row_of_windows(8)))
    assert answer(found) == Answer(True, "scene:1: 150 pictures in 5 s, mean grey level 120 to 120 of 255")
    assert found.details == {"windows": 5, "seconds": 5.0, "frames": 150, "reopened": 0}


def test_a_source_without_a_number_is_named_without_its_colon(tmp_path: Path) -> None:
    scene = row_of_windows(8, source="scene:")
    assert answer(looked(tmp_path, snapshot(scene))).words.startswith("scene: 150 pictures")


def test_one_second_too_few_is_waited_for(tmp_path: Path) -> None:
    short, whole = snapshot(row_of_windows(4)), snapshot(row_of_windows(5))
    assert answer(looked(tmp_path, short, whole)).holds
    assert looked(tmp_path, short).unavailable == "within 30 s there came 4 windows in a row (4.0 s)"
    assert answer(looked(tmp_path, short, seconds="4 s")).holds


@pytest.mark.parametrize("phase", ["frozen", "black", "stalled", "gone"])
def test_a_faulty_camera_fails_with_its_reason(tmp_path: Path, phase: Any) -> None:
    sick = (*row_of_windows(7, newest_s=1.5), window(7, at_s=0.5, camera=CameraHealth(phase, "as seen", 120.0)))
    assert answer(looked(tmp_path, snapshot(sick))) == Answer(False, f"the camera is or was {phase}: as seen")


def test_a_camera_that_failed_within_the_last_seconds_is_not_well_yet(tmp_path: Path) -> None:
    bad = CameraHealth("frozen", "11 frames in a row are the same", 120.0)
    healed = [window(i, at_s=7.5 - i, camera=bad if i == 3 else OK) for i in range(8)]
    assert not answer(looked(tmp_path, snapshot(tuple(healed)))).holds
    assert answer(looked(tmp_path, snapshot(tuple(healed)), seconds="4 s")).holds


def test_a_camera_that_is_gone_from_the_start_is_told_without_waiting(tmp_path: Path) -> None:
    gone = window(0, at_s=0.5, ms=(), camera=CameraHealth("gone", "no such device"))
    assert answer(looked(tmp_path, snapshot((gone,)))).words == "the camera is or was gone: no such device"


def test_a_camera_that_is_being_opened_is_waited_for(tmp_path: Path) -> None:
    opening = CameraHealth("opening")
    windows = [window(i, at_s=6.5 - i, camera=opening if i < 2 else OK) for i in range(7)]
    assert answer(looked(tmp_path, snapshot(tuple(windows[:1])), snapshot(tuple(windows)))).holds
    assert looked(tmp_path, snapshot(tuple(windows[:1]))).unavailable
    assert looked(tmp_path, snapshot(tuple(windows[:1])), seconds="1 s").unavailable


@pytest.mark.parametrize(("level", "holds"), [(12.0, True), (11.9, False)])
def test_the_darkest_moment_is_judged(tmp_path: Path, level: float, holds: bool) -> None:
    dim = [window(i, at_s=5.5 - i, camera=CameraHealth("ok", "", level) if i == 3 else OK) for i in range(6)]
    found = answer(looked(tmp_path, snapshot(tuple(dim))))
    assert found.holds is holds
    assert found.words.endswith("11.9 of 255 is below 12" if not holds else "12 to 120 of 255")


@pytest.mark.parametrize(("frames", "holds"), [(2, True), (1, False), (0, False)])
def test_one_picture_cannot_be_seen_to_change(tmp_path: Path, frames: int, holds: bool) -> None:
    windows = [window(i, at_s=4.5 - i, ms=[1.0] * (frames if i == 0 else 0)) for i in range(5)]
    assert answer(looked(tmp_path, snapshot(tuple(windows)))).holds is holds


def test_pictures_that_were_dropped_or_failed_in_the_model_did_come(tmp_path: Path) -> None:
    for other in ({"dropped": 1}, {"failed": 1}):
        assert answer(looked(tmp_path, snapshot(row_of_windows(5, ms=(), **other)))).holds


def test_pictures_without_a_brightness_prove_nothing(tmp_path: Path) -> None:
    assert not answer(looked(tmp_path, snapshot(row_of_windows(5, camera=CameraHealth("ok"))))).holds


def test_the_camera_is_the_same_under_another_bundle(tmp_path: Path) -> None:
    assert answer(looked(tmp_path, snapshot(row_of_windows(5, bundle=OTHER), state=state(bundle=OTHER)))).holds


def test_without_a_worker_nobody_looks_through_the_camera(tmp_path: Path) -> None:
    found = looked(tmp_path, snapshot(row_of_windows(5), state=state(phase="stopped")))
    assert (found.unavailable, found.cure) == ("the worker does not run", "start it with `fieldgate start orin`")
    assert look_at_camera(laptop(tmp_path), CameraParameters()).unavailable == "there is no robot to look at"


def test_the_longest_look_is_five_minutes() -> None:
    assert msgspec.convert({"seconds": "300 s"}, CameraParameters)
    with pytest.raises(msgspec.ValidationError, match="300 s at most"):
        msgspec.convert({"seconds": "301 s"}, CameraParameters)
