"""One event, failure or alarm in full, with its picture where one was kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual import events, work
from textual.app import ComposeResult
from textual.containers import Container, VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from console.marks import Charset
from console.screens.dialog import Dialog
from console.widgets.camera_picture import CameraPicture
from remote.errors import Trouble
from remote.protocol import Picture


class DetailScreen(Dialog[None]):
    """Text, and below it a picture that `fetch` (in a thread; it raises Trouble) brings."""

    BINDINGS = [("enter", "leave", "leave"), ("q", "leave", "leave")]  # noqa: RUF012 - Textual's own form

    def __init__(
        self, title: str, lines: list[str], charset: Charset, fetch: Callable[[], Picture | None] | None = None
    ) -> None:
        super().__init__(title)
        self._lines = lines
        self._charset = charset
        self._fetch = fetch
        self._view: Widget | None = None
        self._image: Any = None
        self.add_class("full" if fetch else "wide")

    def compose(self) -> ComposeResult:
        """The box."""
        yield from super().compose()

    def parts(self) -> ComposeResult:
        """Text and picture."""
        yield VerticalScroll(Static("\n".join(self._lines), id="text", markup=False))
        if self._fetch:
            yield Static("picture: asked the robot for it...", id="state", markup=False)
            yield Container(id="frame")

    def on_mount(self) -> None:
        """Fetch the picture."""
        if self._fetch:
            self._bring(self._fetch)

    @work(thread=True, exit_on_error=False)
    def _bring(self, fetch: Callable[[], Picture | None]) -> None:
        try:
            picture = fetch()
            image: Any = None if picture is None else CameraPicture.decoded(picture, ())
        except Trouble as trouble:
            self.app.call_from_thread(self._say, f"picture: {trouble.what}. {trouble.cure}")
            return
        self.app.call_from_thread(self._show, image)

    def _say(self, text: str) -> None:
        self.query_one("#state", Static).update(text)

    def _show(self, image: Any) -> None:
        if not self.is_mounted:
            return
        if image is None:
            self._say("picture: the robot sent none")
            return
        self._say("picture, as the robot kept it:")
        self._view, self._image = CameraPicture.widget_for(self._charset, colour=not self.app.no_color), image
        self.query_one("#frame", Container).mount(self._view)
        CameraPicture.put(self._view, image)

    def on_resize(self, event: events.Resize) -> None:
        """The picture fits the new box."""
        super().on_resize(event)
        if self._view is not None:
            self.call_after_refresh(CameraPicture.fit, self._view, self._image)
