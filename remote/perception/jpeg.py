"""JPEGs: of failures, kept on disk by their digest, and of live frames."""

from __future__ import annotations

import cv2

from remote.perception.arrays import Pixels
from remote.perception.picture_folder import Kept, PictureFolder

QUALITY_KEPT = 90
QUALITY_LIVE = 80


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


class PictureStore(PictureFolder):
    """A PictureFolder that takes images."""

    def keep(self, image: Pixels) -> Kept:
        """Encode and write a picture."""
        return self.keep_jpeg(encode(image, quality=QUALITY_KEPT))
