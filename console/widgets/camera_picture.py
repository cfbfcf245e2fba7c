"""Camera pictures in a terminal: decoded, boxes drawn, shown by textual-image or, in ASCII, by shades of characters.

Everything heavy (PIL, textual-image) is imported when the first picture is shown.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any

from rich.segment import Segment
from rich.text import Text
from textual.strip import Strip
from textual.widget import Widget

from console.marks import Charset
from console.widgets.cells import clean
from remote.errors import Trouble
from remote.protocol import Picture

SHADES = " .:-=+*#%@"
PIXELS_MAX = 40_000_000
_COLOURS = ("#58d7ff", "#ffd166", "#7cf29c", "#ff8fa3", "#c9a7ff", "#ffa94d")


class AsciiPicture(Widget):
    """A picture as ten shades of ASCII, for `--ascii` and NO_COLOR."""

    def __init__(self) -> None:
        super().__init__()
        self._image: Any = None
        self._lines: list[str] = []

    def put(self, image: Any) -> None:
        """Show a PIL image."""
        self._image = image
        self._draw()

    def on_resize(self) -> None:
        """Draw in the new size."""
        self._draw()

    def render_line(self, y: int) -> Strip:
        """One line of shades."""
        text = self._lines[y] if y < len(self._lines) else ""
        return Strip([Segment(text, self.rich_style)]).adjust_cell_length(self.size.width, self.rich_style)

    def _draw(self) -> None:
        width, height = self.size
        if self._image is not None and width and height:
            scale = min(width / self._image.width, 2 * height / self._image.height)
            size = (max(1, int(self._image.width * scale)), max(1, int(self._image.height * scale / 2)))
            grey = self._image.convert("L").resize(size)
            data, last = grey.tobytes(), len(SHADES) - 1
            chars = "".join(SHADES[value * last // 255] for value in data)
            self._lines = [chars[n : n + size[0]] for n in range(0, len(chars), size[0])]
        self.refresh()


class CameraPicture:
    """What the picture screen and the failure's detail share."""

    @staticmethod
    def decoded(picture: Picture, labels: tuple[str, ...]) -> Any:
        """The picture as a PIL image with its boxes drawn; call it in a thread.

        Labels and scores are drawn where the terminal shows real pixels; half-blocks are too coarse for them, there
        `legend` says them.

        Raises Trouble (code `bad_picture`) where the bytes are no picture of a sane size.
        """
        from PIL import Image, UnidentifiedImageError

        try:
            opened = Image.open(io.BytesIO(picture.jpeg), formats=("JPEG",))
            if opened.width * opened.height > PIXELS_MAX:
                raise Trouble(f"the picture has {opened.width} x {opened.height} pixels", code="bad_picture")
            image = opened.convert("RGB")
        except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
            raise Trouble("the picture that came can't be decoded", cure="Try again.", code="bad_picture") from error
        if picture.detections and picture.width > 0 and picture.height > 0:
            _draw_boxes(image, picture, labels, captions=_has_pixels())
        return image

    @staticmethod
    def legend(picture: Picture, labels: tuple[str, ...]) -> Text:
        """Each label with its boxes' scores, in the colour of its boxes."""
        scores: dict[int, list[float]] = {}
        for box in picture.detections:
            scores.setdefault(box.label_index, []).append(box.score)
        text = Text(no_wrap=True, overflow="ellipsis")
        for index, found in sorted(scores.items()):
            text.append("▣ ", _COLOURS[index % len(_COLOURS)])
            text.append(
                f"{_label(labels, index)} {' '.join(f'{score:.2f}' for score in sorted(found, reverse=True))}   "
            )
        return text

    @staticmethod
    def widget_for(charset: Charset, *, colour: bool = True) -> Widget:
        """A widget that shows pictures as well as this terminal can."""
        if charset.ascii or not colour:
            return AsciiPicture()
        widget: Widget = _image_class()()
        return widget

    @staticmethod
    def put(widget: Widget, image: Any) -> None:
        """Show `image` in a widget of `widget_for`."""
        if isinstance(widget, AsciiPicture):
            widget.put(image)
        else:
            widget.image = image  # type: ignore[attr-defined]
            CameraPicture.fit(widget, image)
            widget.call_after_refresh(CameraPicture.fit, widget, image)  # once its frame has its size

    @staticmethod
    def fit(widget: Widget, image: Any) -> None:
        """Use the frame's whole width or its whole height, whichever is the tighter: nothing is cut off."""
        if isinstance(widget, AsciiPicture) or image is None:
            return
        frame = widget.parent
        width, height = frame.content_size if isinstance(frame, Widget) else (0, 0)
        # A cell is about twice as high as wide.
        wide = width and height and image.width * height * 2 > image.height * width
        widget.styles.width, widget.styles.height = ("100%", "auto") if wide else ("auto", "100%")


def _image_class() -> Any:
    """textual-image's widget: kitty's protocol where the terminal is one that has it, half-blocks elsewhere.

    On import the library asks the terminal what it can do and reads the answer from stdin, which is Textual's by now; so
    it is imported as if there were no terminal, and the environment decides. FIELDGATE_PICTURES=kitty|half overrules it.
    """
    stdout = sys.__stdout__
    try:
        sys.__stdout__ = io.StringIO()  # type: ignore[misc,assignment]
        from textual_image import widget
    finally:
        sys.__stdout__ = stdout  # type: ignore[misc]
    return widget.TGPImage if _has_pixels() else widget.HalfcellImage


def _has_pixels() -> bool:
    """Whether the terminal shows real pictures, by its environment."""
    wanted = os.environ.get("FIELDGATE_PICTURES", "")
    kitty = "KITTY_WINDOW_ID" in os.environ and "TMUX" not in os.environ
    return wanted == "kitty" or (kitty and wanted != "half")


def _label(labels: tuple[str, ...], index: int) -> str:
    return clean(labels[index]) if 0 <= index < len(labels) else f"label {index}"


def _draw_boxes(image: Any, picture: Picture, labels: tuple[str, ...], *, captions: bool) -> None:
    from PIL import ImageDraw

    draw = ImageDraw.Draw(image)
    sx, sy = image.width / picture.width, image.height / picture.height
    line = max(1, image.width // 200)
    for box in picture.detections:
        colour = _COLOURS[box.label_index % len(_COLOURS)]
        corners = sorted((box.x1 * sx, box.x2 * sx)), sorted((box.y1 * sy, box.y2 * sy))
        (x1, x2), (y1, y2) = corners
        draw.rectangle((x1, y1, x2, y2), outline=colour, width=line)
        if not captions:
            continue
        text = f"{_label(labels, box.label_index)} {box.score:.2f}"
        top = y1 - 12 if y1 >= 12 else y1
        draw.rectangle((x1, top, x1 + draw.textlength(text) + 4, top + 12), fill=colour)
        draw.text((x1 + 2, top), text, fill="#101010")
