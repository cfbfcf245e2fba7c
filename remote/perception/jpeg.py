"""JPEGs: of failures, kept on disk by their digest, and of live frames."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2

from remote.atomic import TEMPORARY_GLOB, write_atomically
from remote.perception.arrays import Pixels

QUALITY_KEPT = 90
QUALITY_LIVE = 80


@dataclass(frozen=True)
class Kept:
    """The digest under which a picture was kept, or None and the reason why it was not."""

    digest: str | None
    reason: str = ""


def encode(image: Pixels, *, quality: int = QUALITY_LIVE, max_width: int | None = None) -> bytes:
    """JPEG bytes of a BGR image, made smaller where it is wider than `max_width` pixels."""
    height, width = image.shape[:2]
    if max_width is not None and width > max_width:
        size = (max(1, max_width), max(1, round(height * max_width / width)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError(f"OpenCV makes no JPEG of {image.shape}")
    return data.tobytes()


class PictureStore:
    """A folder of DIGEST.jpg. A file under its final name is whole: written aside, synced, renamed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self) -> None:
        """Make the folder, and remove what a killed worker left half written. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._folder.glob(TEMPORARY_GLOB):
            left.unlink(missing_ok=True)

    def keep(self, image: Pixels) -> Kept:
        """Write a picture; a full or broken disk is a reason, not an exception: the failure itself must be told."""
        data = encode(image, quality=QUALITY_KEPT)
        digest = hashlib.sha256(data).hexdigest()
        final = self._folder / f"{digest}.jpg"
        if final.exists():
            return Kept(digest)
        try:
            write_atomically(final, data)
        except OSError as error:
            return Kept(None, f"the picture was not kept: {error.strerror or error}")
        return Kept(digest)
