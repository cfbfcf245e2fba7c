"""What a source itself knows of its pictures: where that is wrong, a good robot fails its field test or a bad one passes."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from remote.perception.cameras.folder import FolderCamera
from remote.perception.cameras.scene import SceneCamera, truth_of
from remote.perception.watching.boxes import Known, Truth, covered
from remote.training.randomisation import load_randomisation
from remote.training.scene import LABELS, RenderedScene, SceneRenderer
from remote.training.visibility import UNLABELLED_ID, LabelledBox

NAMES = ("cube", "ball")


def test_a_scene_knows_its_objects() -> None:
    camera = SceneCamera(3, fps=240.0, width=160, height=120)
    camera.open()
    frame = camera.read()
    scene = next(SceneRenderer(load_randomisation(), width=160, height=120).episode(3, frame_rate_hz=240.0))
    assert frame.truth is not None
    assert frame.truth.objects
    assert frame.truth.objects == tuple(Known(LABELS[b.label], (b.x1, b.y1, b.x2, b.y2)) for b in scene.boxes)


def test_every_pixel_of_what_is_too_hidden_lies_in_an_ignored_box() -> None:
    scenes = SceneRenderer(load_randomisation(), width=96, height=72).episode(0, frame_rate_hz=0.5)
    hidden = [scene for scene in itertools.islice(scenes, 4) if (scene.ids == UNLABELLED_ID).any()]
    assert hidden
    for scene in hidden:
        rows, columns = np.nonzero(scene.ids == UNLABELLED_ID)
        ignored = truth_of(scene).ignored
        for x, y in zip(columns.tolist(), rows.tolist(), strict=True):
            assert any(covered((x, y, x + 1, y + 1), box) == 1.0 for box in ignored)


def test_a_scene_without_hidden_objects_ignores_nothing() -> None:
    ids = np.zeros((4, 6), np.uint8)
    ids[1:3, 2:5] = 1
    scene = RenderedScene(np.zeros((4, 6, 3), np.uint8), (LabelledBox(0, 2, 1, 5, 3, 1.0),), ids)
    assert truth_of(scene) == Truth((Known(LABELS[0], (2, 1, 5, 3)),))
    ids[0, 0] = UNLABELLED_ID
    assert truth_of(scene).ignored == ((0.0, 0.0, 1.0, 1.0),)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((48, 64, 3), np.uint8))
    return tmp_path


def truth_in(folder: Path, labels: tuple[str, ...] = NAMES) -> Truth | None:
    camera = FolderCamera(folder, fps=240.0, labels=labels)
    camera.open()
    return camera.read().truth


def test_a_file_beside_a_picture_says_what_is_in_it(folder: Path) -> None:
    (folder / "a.txt").write_text("1 0.5 0.25 0.5 0.5\n0 0.25 0.5 0.5 1\n")
    assert truth_in(folder) == Truth((Known("ball", (16, 0, 48, 24)), Known("cube", (0, 0, 32, 48))))
    (folder / "a.txt").write_text("")
    assert truth_in(folder) == Truth(())  # nothing is there, which is not the same as nothing known


def test_without_a_file_or_with_one_that_makes_no_sense_nothing_is_known(folder: Path) -> None:
    assert truth_in(folder) is None
    for text in (b"7 0.5 0.5 0.1 0.1", b"0 0.5 0.5", b"\xff\xfe", b"a note", b"0 nan 0.5 0.1 0.1"):
        (folder / "a.txt").write_bytes(text)
        assert truth_in(folder) is None
    (folder / "a.txt").write_text("1 0.5 0.25 0.5 0.5\n")
    assert truth_in(folder, labels=()) is None
