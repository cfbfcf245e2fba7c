"""The rendered table-top as a camera: what the embedded robot looks at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import cv2
import numpy as np

from remote.perception.cameras.base import Frame
from remote.perception.cameras.pace import Pace
from remote.perception.faults import CameraGone
from remote.perception.watching.boxes import Corners, Known, Truth

if TYPE_CHECKING:
    from remote.training.scene import RenderedScene

DEFAULT_FPS = 15.0
DEFAULT_WIDTH, DEFAULT_HEIGHT = 640, 480


class SceneCamera:
    """See base.Camera. The same seed gives the same video; it is rendered as it is watched.

    A frame is stamped when it is rendered: the time that rendering takes belongs to the scene, not to the robot.
    """

    noisy = True  # the renderer adds a sensor's noise

    def __init__(
        self,
        seed: int,
        *,
        fps: float = DEFAULT_FPS,
        width: int = DEFAULT_WIDTH,
        height: int = DEFAULT_HEIGHT,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        from remote.training.randomisation import load_randomisation
        from remote.training.scene import SceneRenderer

        self.interval_s: float | None = 1 / fps
        self._renderer = SceneRenderer(load_randomisation(), width=width, height=height)
        self._seed, self._fps, self._clock = seed, fps, clock
        self._pace = Pace(fps, clock=clock)
        self._episode: Iterator[RenderedScene] | None = None
        self._index = 0

    def open(self) -> None:
        """Begin the video."""
        self._episode = self._renderer.episode(self._seed, frame_rate_hz=self._fps)
        self._index = 0
        self._pace.start()

    def read(self) -> Frame:
        """The next frame when its time has come."""
        if self._episode is None:
            raise CameraGone("the scene was not opened")
        self._pace.wait()
        scene = next(self._episode)
        index, self._index = self._index, self._index + 1
        return Frame(scene.image, self._clock(), index, truth=truth_of(scene))

    def wake(self) -> None:
        """See Camera.wake."""
        self._pace.end()

    def close(self) -> None:
        """Nothing is held open between two reads."""


def truth_of(scene: RenderedScene) -> Truth:
    """The scene's labelled objects; where an object is too hidden to be labelled, a detection is neither right nor wrong."""
    from remote.training.scene import LABELS

    objects = tuple(Known(LABELS[box.label], (box.x1, box.y1, box.x2, box.y2)) for box in scene.boxes)
    return Truth(objects, _hidden(scene))


def _hidden(scene: RenderedScene) -> tuple[Corners, ...]:
    from remote.training.visibility import UNLABELLED_ID

    pixels = cv2.inRange(scene.ids, UNLABELLED_ID, UNLABELLED_ID)
    if not pixels.any():
        return ()
    _, _, patches, _ = cv2.connectedComponentsWithStats(np.asarray(pixels, np.uint8))
    return tuple((float(x), float(y), float(x + w), float(y + h)) for x, y, w, h, _ in patches[1:].tolist())
