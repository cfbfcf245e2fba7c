"""A video file as a camera, from its start again after its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from remote.errors import Trouble
from remote.perception.cameras.base import Frame
from remote.perception.cameras.pace import Pace
from remote.perception.faults import CameraGone

_LIKELY_FPS = (1.0, 240.0)
_FALLBACK_FPS = 30.0


class VideoCamera:
    """See base.Camera. Raises Trouble `bad_source` for a file that is missing or that OpenCV can't play.

    Args:
        path: the file.
        fps: instead of the file's own rate.
    """

    noisy = False

    def __init__(self, path: Path, *, fps: float | None = None, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._path = path
        self._clock = clock
        if not path.is_file():
            what = f"video {path} {'is not a file' if path.exists() else 'does not exist'}"
            raise Trouble(what, cure="Give the path of a video file", code="bad_source")
        self._file = self._start()
        rate = fps or self._own_fps()
        self.interval_s: float | None = 1 / rate
        self._pace = Pace(rate, clock=clock)
        self._index = 0

    def _start(self) -> Any:
        file = cv2.VideoCapture(str(self._path))
        if not file.isOpened():
            cure = "Give a file that OpenCV can play, for example MJPEG in .avi or H.264 in .mp4"
            raise Trouble(f"video {self._path} can't be played", cure=cure, code="bad_source")
        return file

    def _own_fps(self) -> float:
        own = float(self._file.get(cv2.CAP_PROP_FPS))
        return own if _LIKELY_FPS[0] <= own <= _LIKELY_FPS[1] else _FALLBACK_FPS

    def _restart(self) -> None:
        # Seeking to frame 0 fails in some containers without a word; opening again always works.
        self._file.release()
        try:
            self._file = self._start()
        except Trouble as trouble:
            raise CameraGone(trouble.what) from trouble

    def open(self) -> None:
        """From the first frame."""
        self._restart()
        self._index = 0
        self._pace.start()

    def read(self) -> Frame:
        """The next frame when its time has come, the first one after the last."""
        self._pace.wait()
        done, image = self._file.read()
        if not done:
            self._restart()
            done, image = self._file.read()
        if not done:
            raise CameraGone(f"video {self._path} has no frame that can be decoded")
        index, self._index = self._index, self._index + 1
        return Frame(np.asarray(image, np.uint8), self._clock(), index, self._path.name)

    def wake(self) -> None:
        """See Camera.wake."""
        self._pace.end()

    def close(self) -> None:
        """Let the file go."""
        self._file.release()
