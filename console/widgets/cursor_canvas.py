"""A pane of rows with a cursor: keys, mouse and what of it is in sight; its subclass says what the rows are."""

from __future__ import annotations

from typing import ClassVar, Generic

from textual import events
from textual.binding import Binding, BindingType

from console.marks import Charset
from console.widgets.cells import Span, plain
from console.widgets.focus_canvas import FocusCanvas
from console.widgets.view_canvas import V

_END = 1 << 60


class CursorCanvas(FocusCanvas[V], Generic[V]):
    """Only the rows in sight are drawn, below `HEAD_ROWS` that stay."""

    HEAD_ROWS: ClassVar[int] = 1
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home", f"move(-{_END})", "first", show=False),
        Binding("end", f"move({_END})", "last", show=False),
        Binding("enter", "open", "open", show=False),
        Binding("escape", "back", "back", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._at = 0
        self._top = 0
        self._moved = False

    # ------------------------------------------------------------ what a subclass says

    def length(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def action_open(self) -> None:
        """Enter, or a second click."""
        raise NotImplementedError

    def action_back(self) -> None:
        """Esc."""

    # ------------------------------------------------------------ the cursor

    @property
    def at(self) -> int:
        """The cursor's place, from 0."""
        return self._at

    @property
    def top(self) -> int:
        """The place of the first row in sight, from 0."""
        return self._top

    def copy_text(self) -> str:
        """The selected row as text."""
        place = self._at - self._top + self.HEAD_ROWS
        return plain(self.rows[place]).strip() if len(self.rows) > place else ""

    def keep_in_sight(self, room: int) -> None:
        """Move what is in sight so that the cursor is within `room` rows, and no row of it is empty without need."""
        size = self.length()
        self._at = min(self._at, max(0, size - 1))
        self._top = max(min(self._top, self._at, max(0, size - room)), self._at - room + 1, 0)

    def pointed(self, charset: Charset, under_cursor: bool, cells: list[Span]) -> list[Span]:
        """The row with the cursor's sign before it where the cursor is."""
        if not under_cursor:
            return [("  ", "text"), *cells]
        sign = (f"{charset.glyph('next')} ", "focus")
        return [sign, *[(text, "cursor") for text, _ in cells]] if self.has_focus else [sign, *cells]

    def on_click(self, event: events.Click) -> None:
        """Select what was clicked; a second click opens it."""
        at = self._top + event.y - self.HEAD_ROWS
        if event.y >= self.HEAD_ROWS and self._shown is not None and 0 <= at < self.length():
            again, self._at = at == self._at, at
            self._moved = True
            self.restyle()
            if again:
                self.action_open()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor."""
        self.action_move(3)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the cursor."""
        self.action_move(-3)

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        if self._shown is not None:
            self._at = min(max(0, self.length() - 1), max(0, self._at + step))
            self._moved = True
            self.restyle()

    def action_page(self, pages: int) -> None:
        """Move by what is in sight."""
        self.action_move(pages * max(1, self.size.height - 1 - self.HEAD_ROWS))
