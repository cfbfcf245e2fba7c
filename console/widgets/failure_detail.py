"""One failure in full: facts above, its picture with boxes below."""

from __future__ import annotations

import textwrap
from typing import Any, ClassVar

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from console.marks import UNICODE
from console.reviewing.view import DetailView
from console.widgets.camera_picture import CameraPicture
from console.widgets.canvas import Canvas
from console.widgets.cells import Span, clean, fit, plain, row_of
from console.widgets.failure_facts import FailureFacts
from console.widgets.inked import Inked

CAPTION_ROWS = 4
"""Rows that the picture's name, or why there is none, takes at most."""
FACTS_SHARE = 45
"""Facts take at most so many hundredths of the rows where there is a picture."""
_FAR = 1 << 30


class FailureDetail(Inked, can_focus=True):
    """Facts, a line that says which picture it is or why there is none, and the picture."""

    TITLE = "Failure"
    HELP = (
        "One failure: what, when, under which conditions, and its pictures. Left and right step through the pictures "
        "before, at and after it; up and down scroll what is known of it. `v` shows what was measured half a minute before "
        "and behind it, `m` marks, `n` notes, `y` copies all of it."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "back", "back", show=False),
        Binding("up,k", "scroll_facts(-1)", "up", show=False),
        Binding("down,j", "scroll_facts(1)", "down", show=False),
        Binding("pageup", "scroll_facts(-10)", "page up", show=False),
        Binding("pagedown", "scroll_facts(10)", "page down", show=False),
        Binding("home", f"scroll_facts(-{_FAR})", "first line", show=False),
        Binding("end", f"scroll_facts({_FAR})", "last line", show=False),
    ]

    class Left(Message):
        """Esc: back to the list."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: DetailView | None = None
        self._picture: Widget | None = None
        self._image: Any = None
        self.facts = FailureFacts(id="facts")
        self.caption = Canvas(id="caption")
        self.frame = Widget(id="frame")
        self.rest = Canvas(id="rest")

    def compose(self) -> ComposeResult:
        """All three; the size says how much each gets."""
        # Set here: rules of a class of its own would make Textual read all rules anew before the screen can be seen.
        self.styles.layout = "vertical"
        for part, rows in ((self.facts, 8), (self.caption, 1)):
            part.styles.width, part.styles.height = "100%", rows
        for last in (self.frame, self.rest):
            last.styles.width, last.styles.height = "100%", "1fr"
        self.frame.styles.padding = (0, 0, 0, 2)
        self.frame.display = False
        yield from (self.facts, self.caption, self.frame, self.rest)

    def set_ink(self, ink: dict[str, Style]) -> None:
        """Another theme's styles."""
        for canvas in (self.facts, self.caption, self.rest):
            canvas.set_ink(ink)

    def copy_text(self) -> str:
        """The facts as text."""
        if self._shown is None:
            return ""
        return "\n".join(plain(tuple(line)).rstrip() for line in self.facts.lines_for(self._shown, 200))

    def show(self, view: DetailView | None) -> None:
        """Show a failure; None: nothing is selected."""
        self._shown = view
        width, height = self.size
        if width < 10 or height < 3:
            return
        rows = len(self.facts.lines_for(view, width - 4)) if view is not None else 1
        most = height * FACTS_SHARE // 100 if self._has_picture(view) else height - 2
        self.facts.styles.height = max(1, min(rows, most))
        self.facts.show(view, self.edge)
        self._show_shot(view)

    @property
    def edge(self) -> Span:
        """What stands at the left of each line: it shows where the keys go."""
        charset = self._shown.charset if self._shown is not None else UNICODE
        return f"{charset.frame[5]} ", "focus" if self.has_focus else "line"

    def on_focus(self, event: events.Focus) -> None:
        """The edge shows where the keys go."""
        self.show(self._shown)

    def on_blur(self, event: events.Blur) -> None:
        """The edge shows where the keys no longer go."""
        self.show(self._shown)

    def on_resize(self, event: events.Resize) -> None:
        """Share the new size out."""
        self.show(self._shown)

    def action_scroll_facts(self, lines: int) -> None:
        """Show what stands below or above."""
        self.facts.scroll_lines(lines)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel scrolls."""
        self.facts.scroll_lines(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel scrolls."""
        self.facts.scroll_lines(-3)

    def action_back(self) -> None:
        """Say that the person wants to go back."""
        self.post_message(self.Left())

    def _has_picture(self, view: DetailView | None) -> bool:
        return view is not None and (view.shot is None or view.shot.image is not None) and view.around is None

    def _show_shot(self, view: DetailView | None) -> None:
        shot = view.shot if view is not None else None
        words = "" if shot is None else f"{shot.caption}{': ' if shot.caption and shot.why else ''}{shot.why}"
        role = "warning" if shot is not None and shot.why else "accent"
        width = self.size.width
        lines = textwrap.wrap(clean(words), max(10, width - 3), max_lines=CAPTION_ROWS, placeholder="…") or [""]
        self.caption.styles.height = len(lines)
        self.caption.paint([row_of([self.edge, (fit(line, max(0, width - 3)), role)], width) for line in lines])
        self.rest.paint([row_of([self.edge], width)] * self.rest.size.height)
        if view is None:
            self.frame.display, self.rest.display, self._image = False, True, None
        elif shot is not None:  # what was shown stays until the next one is read
            self._put(view, shot.image)

    def _put(self, view: DetailView, image: Any) -> None:
        self.frame.display, self.rest.display = image is not None, image is None
        if image is None:
            return
        if image is self._image and self._picture is not None:
            self.call_after_refresh(CameraPicture.fit, self._picture, image)  # the size may be another one
            return
        self._image = image
        if self._picture is None:
            self._picture = CameraPicture.widget_for(view.charset, colour=not self.app.no_color)
            self.frame.mount(self._picture)
        CameraPicture.put(self._picture, image)
