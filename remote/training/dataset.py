"""Rendered scenes at the network's size, in memory: rendered once, then drawn from for all epochs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt

from remote.training.randomisation import Randomisation

MOST_BOXES = 24
_CHUNK = 100


@dataclass(frozen=True, slots=True)
class Scenes:
    """Pictures and labels.

    Attributes:
        images: uint8 [n, height, width, 3] BGR.
        boxes: float32 [n, MOST_BOXES, 5]: class, x1, y1, x2, y2 in pixels of `images`; unused rows have class -1.
    """

    images: npt.NDArray[np.uint8]
    boxes: npt.NDArray[np.float32]


def render_scenes(randomisation: Randomisation, seeds: range, size: tuple[int, int], *, processes: int = 1) -> Scenes:
    """Render `seeds` at 640 x 480 and shrink to `size` (width, height) as the robot's preprocessing will do."""
    chunks = [seeds[start : start + _CHUNK] for start in range(0, len(seeds), _CHUNK)]
    work = [(randomisation, chunk, size) for chunk in chunks]
    if processes == 1:
        parts = list(itertools.starmap(_render_chunk, work))
    else:
        with get_context("spawn").Pool(processes) as pool:
            parts = pool.starmap(_render_chunk, work, chunksize=1)
    return Scenes(np.concatenate([p.images for p in parts]), np.concatenate([p.boxes for p in parts]))


def _render_chunk(randomisation: Randomisation, seeds: range, size: tuple[int, int]) -> Scenes:
    import cv2

    from remote.training.scene import SceneRenderer

    cv2.setNumThreads(1)
    renderer = SceneRenderer(randomisation)
    images = np.empty((len(seeds), size[1], size[0], 3), np.uint8)
    boxes = np.full((len(seeds), MOST_BOXES, 5), -1, np.float32)
    for index, seed in enumerate(seeds):
        scene = renderer.render(seed)
        height, width = scene.ids.shape
        cv2.resize(scene.image, size, dst=images[index], interpolation=cv2.INTER_LINEAR)
        shrink = np.array([1, size[0] / width, size[1] / height, size[0] / width, size[1] / height], np.float32)
        for row, box in enumerate(scene.boxes[:MOST_BOXES]):
            boxes[index, row] = np.array(box[:5], np.float32) * shrink
    return Scenes(images, boxes)
