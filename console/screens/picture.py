"""What the camera sees: a new picture each second while this is open, with boxes and its age."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static

from console.marks import Charset
from console.screens.dialog import Dialog
from console.widgets.camera_picture import CameraPicture
from console.widgets.cells import clean
from console.widgets.drawing import duration
from remote.errors import Trouble
from remote.protocol import Picture


class PictureScreen(Dialog[None]):
    """Asks `fetch(max_width)` (in a thread; it raises Trouble) once a second; `labels()` are the bundle's."""

    BINDINGS = [("p", "leave", "leave"), ("q", "leave", "leave")]  # noqa: RUF012 - Textual's own form

    def __init__(
        self,
        fetch: Callable[[int], Picture | None],
        labels: Callable[[], tuple[str, ...]],
        charset: Charset,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__("Camera", "p or Esc leaves")
        self._fetch = fetch
        self._labels = labels
        self._charset = charset
        self._clock = clock
        self._view: Widget | None = None
        self._image: Any = None
        self._came_ns: int | None = None
        self._what = "asked the robot for a picture..."
        self._busy = False
        self.add_class("full")

    def parts(self) -> ComposeResult:
        """A line of text and the picture."""
        yield Static(self._what, id="state", markup=False)
        yield Static(id="legend", markup=False)
        yield Container(id="frame")

    def on_mount(self) -> None:
        """Begin to ask."""
        self._ask()
        self.set_interval(1.0, self._ask)

    def _ask(self) -> None:
        self._say()
        if not self._busy:
            self._busy = True
            self._bring()

    @work(thread=True, exit_on_error=False)
    def _bring(self) -> None:
        try:
            picture = self._fetch(640)
            image: Any = CameraPicture.decoded(picture, self._labels()) if picture else None
        except Trouble as trouble:
            self.app.call_from_thread(self._trouble, f"{trouble.what}. {trouble.cure}")
            return
        self.app.call_from_thread(self._show, picture, image)

    def _trouble(self, what: str) -> None:
        self._busy = False
        self._what = clean(what)
        self._say()

    def _show(self, picture: Picture | None, image: Any) -> None:
        self._busy = False
        if not self.is_mounted:
            return
        if picture is None:
            self._what = "the robot has no picture yet"
            self._say()
            return
        self._came_ns = self._clock()
        frame = "" if picture.frame is None else f"frame {picture.frame} · "
        self._what = f"{frame}{picture.width}x{picture.height} px · {len(picture.detections)} boxes"
        if self._view is None:
            self._view = CameraPicture.widget_for(self._charset, colour=not self.app.no_color)
            self.query_one("#frame", Container).mount(self._view)
        self._image = image
        CameraPicture.put(self._view, image)
        self.query_one("#legend", Static).update(CameraPicture.legend(picture, self._labels()))
        self._say()

    def on_resize(self, event: events.Resize) -> None:
        """The picture fits the new box."""
        super().on_resize(event)
        if self._view is not None:
            self.call_after_refresh(CameraPicture.fit, self._view, self._image)

    def _say(self) -> None:
        age = "" if self._came_ns is None else f"{duration((self._clock() - self._came_ns) / 1e9)} ago · "
        self.query_one("#state", Static).update(age + self._what)
