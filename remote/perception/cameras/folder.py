"""A folder of pictures as a camera: in the order of their names, again and again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from remote.errors import Trouble
from remote.perception.cameras.base import Frame
from remote.perception.cameras.pace import Pace
from remote.perception.faults import CameraGone
from remote.perception.picture_files import list_pictures, read_picture

DEFAULT_FPS = 10.0


class FolderCamera:
    """See base.Camera. Raises Trouble `bad_source` for a folder that is missing or without pictures.

    The folder is listed anew at each `open`. A file that can't be decoded is a BadFrame that names it; the next read takes
    the next file.
    """

    noisy = False

    def __init__(self, folder: Path, *, fps: float = DEFAULT_FPS, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self.interval_s: float | None = 1 / fps
        self._folder = folder
        self._pictures = list_pictures(folder)
        self._pace = Pace(fps, clock=clock)
        self._clock = clock
        self._turn = 0
        self._index = 0

    def open(self) -> None:
        """List the pictures; CameraGone where the folder has gone or was emptied since."""
        try:
            self._pictures = list_pictures(self._folder)
        except Trouble as trouble:
            raise CameraGone(trouble.what) from trouble
        self._index = 0
        self._pace.start()

    def read(self) -> Frame:
        """The next picture when its time has come; stamped after decoding, when a camera would have it too."""
        self._pace.wait()
        path = self._pictures[self._turn % len(self._pictures)]
        self._turn += 1
        if not self._folder.is_dir():
            raise CameraGone(f"folder {self._folder} has gone")
        image = read_picture(path)
        index, self._index = self._index, self._index + 1
        return Frame(image, self._clock(), index, path.name)

    def wake(self) -> None:
        """See Camera.wake."""
        self._pace.end()

    def close(self) -> None:
        """Nothing is held open between two reads."""
