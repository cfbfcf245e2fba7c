"""The labels are what the detector learns and what the demo's scores are measured against: they must fit the pixels."""

from __future__ import annotations

import itertools

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.training.randomisation import load_randomisation
from remote.training.scene import LABELS, RenderedScene, SceneRenderer
from remote.training.visibility import LEAST_VISIBLE_PX, LEAST_VISIBLE_SHARE, UNLABELLED_ID, LabelledBox

RENDERER = SceneRenderer(load_randomisation())
SEEDS = st.integers(min_value=0, max_value=2**31)


def tight(ids: npt.NDArray[np.uint8], number: int) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(ids == number)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def check_labels(scene: RenderedScene) -> None:
    assert scene.image.shape == (*scene.ids.shape, 3)
    assert scene.image.dtype == np.uint8
    for number, box in enumerate(scene.boxes, start=1):
        assert tuple(box[1:5]) == tight(scene.ids, number)
        assert 0 <= box.label < len(LABELS)
        assert LEAST_VISIBLE_SHARE <= box.visible_share <= 1
        assert np.count_nonzero(scene.ids == number) >= LEAST_VISIBLE_PX


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_boxes_of_stills_are_tight_and_nothing_in_the_picture_is_unlabelled(seed: int) -> None:
    scene = RENDERER.render(seed)
    check_labels(scene)
    assert set(np.unique(scene.ids)) - {0} == set(range(1, len(scene.boxes) + 1))


@settings(max_examples=4, deadline=None)
@given(SEEDS)
def test_boxes_of_videos_are_tight(seed: int) -> None:
    for scene in itertools.islice(RENDERER.episode(seed, frame_rate_hz=1.0), 15):
        check_labels(scene)
        assert set(np.unique(scene.ids)) <= {0, UNLABELLED_ID, *range(1, len(scene.boxes) + 1)}


def test_the_same_seed_gives_the_same_pixels_and_another_seed_others() -> None:
    one, again, other = RENDERER.render(5), SceneRenderer(load_randomisation()).render(5), RENDERER.render(6)
    assert np.array_equal(one.image, again.image)
    assert one.boxes == again.boxes
    assert not np.array_equal(one.image, other.image)


def test_a_video_repeats_with_its_seed() -> None:
    first = [scene.image for scene in itertools.islice(RENDERER.episode(3), 4)]
    again = [scene.image for scene in itertools.islice(RENDERER.episode(3), 4)]
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_frames_of_a_video_move_slowly_differ_always_and_are_laid_anew() -> None:
    scenes = list(itertools.islice(RENDERER.episode(8, frame_rate_hz=2.0), 26))
    steps = [float(np.mean(cv2.absdiff(a.image, b.image))) for a, b in itertools.pairwise(scenes)]
    assert min(steps) > 0.5, "a frozen camera would look alive"
    labels = [[box.label for box in scene.boxes] for scene in scenes]
    sizes = [len(scene.boxes) for scene in scenes]
    assert max(sizes) > 0
    assert labels[23] != labels[24] or scenes[23].boxes != scenes[24].boxes
    near = list(itertools.islice(RENDERER.episode(8, frame_rate_hz=15.0), 2))
    for a, b in zip(near[0].boxes, near[1].boxes, strict=False):
        assert max(abs(p - q) for p, q in zip(a[1:5], b[1:5], strict=True)) < 20, "objects jump between two frames"


def test_every_class_and_many_sizes_come_up() -> None:
    boxes: list[LabelledBox] = [box for seed in range(40) for box in RENDERER.render(seed).boxes]
    counts = np.bincount([box.label for box in boxes], minlength=len(LABELS))
    assert counts.min() > 0.1 * counts.sum()
    widths = [box.x2 - box.x1 for box in boxes]
    assert min(widths) < 40
    assert max(widths) > 120
    assert any(box.visible_share < 0.9 for box in boxes), "no occlusion: the detector never learns it"


def test_ids_lie_on_what_is_drawn() -> None:
    """An object's outline in the picture is where its ids end: shifted labels would teach shifted boxes."""
    better = 0
    for seed in range(12):
        scene = RENDERER.render(seed)
        edges = cv2.Laplacian(cv2.cvtColor(scene.image, cv2.COLOR_BGR2GRAY), cv2.CV_32F)
        change = cv2.GaussianBlur(np.abs(edges), (0, 0), 1)
        kernel = np.ones((3, 3), np.uint8)
        outline = cv2.morphologyEx((scene.ids > 0).astype(np.uint8), cv2.MORPH_GRADIENT, kernel) > 0
        shifted = np.roll(outline, (12, 12), (0, 1))
        better += bool(change[outline].mean() > change[shifted].mean())
    assert better >= 11


@pytest.mark.parametrize(("width", "height"), [(320, 240), (1280, 720)])
def test_other_picture_sizes_work(width: int, height: int) -> None:
    scene = SceneRenderer(load_randomisation(), width=width, height=height).render(1)
    assert scene.image.shape == (height, width, 3)
    assert scene.boxes


def test_pictures_are_neither_black_nor_burnt_out() -> None:
    means = [float(RENDERER.render(seed).image.mean()) for seed in range(40)]
    assert min(means) > 12
    assert max(means) < 235
