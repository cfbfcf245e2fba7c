"""A drawn frame with its boxes on it, each with the number by which a sheet names it."""

from __future__ import annotations

import io

from console.fieldwork.scoring import FrameToScore
from remote.errors import Trouble

MOST_PIXELS = 50_000_000
_LINE = (255, 200, 0)


def marked(frame: FrameToScore) -> bytes:
    """The picture as JPEG with numbered boxes (from 1). Raises Trouble (`bad_picture`) for what is no picture."""
    from PIL import Image, ImageDraw, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(frame.jpeg)) as found:
            if found.width * found.height > MOST_PIXELS:
                raise _bad("it is too large")
            picture = found.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as error:
        raise _bad(str(error)) from error
    draw = ImageDraw.Draw(picture)
    x_scale, y_scale = picture.width / max(1, frame.width), picture.height / max(1, frame.height)
    for number, one in enumerate(frame.detections, 1):
        left, right = sorted((one.x1 * x_scale, one.x2 * x_scale))
        top, bottom = sorted((one.y1 * y_scale, one.y2 * y_scale))
        draw.rectangle((left, top, right, bottom), outline=_LINE, width=2)
        words = f"{number} {frame.label(one)} {one.score:.2f}"
        box = draw.textbbox((left + 2, max(0, top - 12)), words)
        draw.rectangle(box, fill=(0, 0, 0))
        draw.text((left + 2, max(0, top - 12)), words, fill=_LINE)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def _bad(why: str) -> Trouble:
    return Trouble(f"the robot's picture can't be shown: {why}", cure="draw again", code="bad_picture")
