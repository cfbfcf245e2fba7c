"""A folder of pictures as a camera: in the order of their names, again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from remote.errors import Trouble
from remote.models.box_files import read_boxes
from remote.perception.cameras.base import Frame
from remote.perception.cameras.pace import Pace
from remote.perception.faults import CameraGone
from remote.perception.picture_files import list_pictures, read_picture
from remote.perception.watching.boxes import Corners, Known, Truth

DEFAULT_FPS = 10.0


class FolderCamera:
    """See base.Camera. Raises Trouble `bad_source` for a folder that is missing or without pictures.

    The folder is listed anew at each `open`. A file that can't be decoded is a BadFrame that names it; the next read takes
    the next file. With `labels` (the bundle's, in order) a file NAME.txt beside NAME.jpg says what is in it, a box a line as
    remote.models.box_files reads them; where there is none or it can't be read, nothing is known of that picture.
    """

    noisy = False

    def __init__(
        self,
        folder: Path,
        *,
        fps: float = DEFAULT_FPS,
        labels: Sequence[str] = (),
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.interval_s: float | None = 1 / fps
        self._folder, self._labels = folder, labels
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
        height, width = image.shape[:2]
        return Frame(image, self._clock(), index, path.name, truth_beside(path, width, height, self._labels))

    def wake(self) -> None:
        """See Camera.wake."""
        self._pace.end()

    def close(self) -> None:
        """Nothing is held open between two reads."""


def truth_beside(picture: Path, width: int, height: int, labels: Sequence[str]) -> Truth | None:
    """What the file beside a picture of that size says of it; None where it says nothing that can be understood."""
    file = picture.with_suffix(".txt")
    if not labels or not file.is_file():
        return None
    try:
        boxes = read_boxes(file, len(labels))
    except Trouble:
        return None
    return Truth(tuple(Known(labels[b.label], _corners(b.cx, b.cy, b.width, b.height, width, height)) for b in boxes))


def _corners(cx: float, cy: float, across: float, down: float, width: int, height: int) -> Corners:
    return (
        (cx - across / 2) * width,
        (cy - down / 2) * height,
        (cx + across / 2) * width,
        (cy + down / 2) * height,
    )
