"""A frame's picture with its boxes as they are being scored: the current one stands out, the others by their verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from console.fieldwork.scoring import FrameToScore
from console.widgets.camera_picture import CameraPicture
from remote.protocol import Detection, Picture

Said = Literal["", "right", "wrong"]
_COLOURS: dict[Said, str] = {"": "#ffd166", "right": "#6fd69a", "wrong": "#ff5555"}


def bare_picture(frame: FrameToScore) -> Any:
    """The frame as a PIL image without boxes; call it in a thread. Raises Trouble (`bad_picture`)."""
    return CameraPicture.decoded(Picture(jpeg=frame.jpeg, digest="", width=frame.width, height=frame.height), ())


AROUND = 1.0
"""A zoomed box is shown with so many times its size around it."""


def with_boxes(image: Any, frame: FrameToScore, said: Sequence[Said], current: int, *, zoomed: bool = False) -> Any:
    """A copy of the picture with every box; wrong ones are crossed out, the current one is doubled, white on black.

    `zoomed`: only what is around the current one.
    """
    from PIL import ImageDraw

    drawn = image.copy()
    draw = ImageDraw.Draw(drawn)
    line = max(1, drawn.width // 200)
    for place, (box, word) in enumerate(zip(frame.detections, said, strict=True)):
        corners = _corners(box, frame, drawn)
        if place == current:
            x1, y1, x2, y2 = corners
            draw.rectangle(
                (x1 - 2 * line, y1 - 2 * line, x2 + 2 * line, y2 + 2 * line), outline="#000000", width=2 * line
            )
            draw.rectangle(corners, outline="#ffffff", width=2 * line)
        else:
            draw.rectangle(corners, outline=_COLOURS[word], width=line)
        if word == "wrong":
            draw.line(corners, fill=_COLOURS[word], width=line)
    if zoomed and frame.detections:
        return drawn.crop(_around(_corners(frame.detections[current], frame, drawn), drawn))
    return drawn


def _around(corners: tuple[float, float, float, float], image: Any) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = corners
    dx, dy = AROUND * max(8.0, x2 - x1), AROUND * max(8.0, y2 - y1)
    left, top = max(0, int(x1 - dx)), max(0, int(y1 - dy))
    return left, top, max(left + 1, min(image.width, int(x2 + dx))), max(top + 1, min(image.height, int(y2 + dy)))


def _corners(box: Detection, frame: FrameToScore, image: Any) -> tuple[float, float, float, float]:
    sx, sy = image.width / max(1, frame.width), image.height / max(1, frame.height)
    (x1, x2), (y1, y2) = sorted((box.x1 * sx, box.x2 * sx)), sorted((box.y1 * sy, box.y2 * sy))
    return x1, y1, x2, y2
