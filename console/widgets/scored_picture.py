"""A frame's picture with its boxes as they are being scored: the current one stands out, the others by their verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from console.campaigns.scoring import FrameToScore
from console.widgets.camera_picture import CameraPicture
from remote.protocol import Detection, Picture

Said = Literal["", "right", "wrong"]
_COLOURS: dict[Said, str] = {"": "#ffd166", "right": "#6fd69a", "wrong": "#ff5555"}


def bare_picture(frame: FrameToScore) -> Any:
    """The frame as a PIL image without boxes; call it in a thread. Raises Trouble (`bad_picture`)."""
    return CameraPicture.decoded(Picture(jpeg=frame.jpeg, digest="", width=frame.width, height=frame.height), ())


def with_boxes(image: Any, frame: FrameToScore, said: Sequence[Said], current: int) -> Any:
    """A copy of the picture with every box; wrong ones are crossed out, the current one is doubled, white on black."""
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
    return drawn


def _corners(box: Detection, frame: FrameToScore, image: Any) -> tuple[float, float, float, float]:
    sx, sy = image.width / max(1, frame.width), image.height / max(1, frame.height)
    (x1, x2), (y1, y2) = sorted((box.x1 * sx, box.x2 * sx)), sorted((box.y1 * sy, box.y2 * sy))
    return x1, y1, x2, y2
