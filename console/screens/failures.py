"""The failures screen: status line, count and filter, the list, one failure in full, message line, key line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Protocol

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.layout import Layout
from textual.widget import Widget

from console.actions import ACTIONS
from console.reviewing.view import DetailView, ReviewView
from console.screens.board import SMALLEST
from console.screens.checklist_layout import TALL_ROWS, WIDE_COLUMNS, ChecklistLayout
from console.screens.front_screen import FrontScreen
from console.view import View
from console.widgets.canvas import Canvas
from console.widgets.cells import row_of
from console.widgets.failure_detail import FailureDetail
from console.widgets.failure_head import FailureHead
from console.widgets.failure_list import FailureList
from console.widgets.lines import KeyLine, MessageLine
from console.widgets.status_line import StatusLine, link_trouble


class Listener(Protocol):
    """Whom the screen tells what was done on it."""

    def selected(self, number: int | None, moved: bool) -> None:
        """The cursor stands on the failure of that number; None: on none. `moved`: a person moved it there."""

    def opened(self, number: int | None, group: int | None) -> None:
        """Enter on a failure or on the group at that place."""

    def needed(self, numbers: list[int]) -> None:
        """Rows are in sight that are not here."""

    def back(self) -> None:
        """Esc in the list."""

    def left(self) -> None:
        """Esc in the detail."""

    def close(self) -> None:
        """The screen is gone."""


class FailuresScreen(FrontScreen):
    """Every failure that this laptop knows."""

    AUTO_FOCUS = "#items"
    HINT = "Enter: in full, /: filter, g: group, ? explains, : lists all"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(action.keys, f"app.at_desk('{action.name}')", action.label, show=False)
        for action in ACTIONS
        if action.place == "failures"
    ]

    def __init__(self, ink: dict[str, Style]) -> None:
        super().__init__(id="failures")
        self.listener: Listener | None = None
        self._ink = ink
        self._plan = ChecklistLayout()
        self._link: View | None = None
        self.status = StatusLine(id="status")
        self.head = FailureHead(id="head")
        self.items = FailureList(id="items")
        self.detail = FailureDetail(id="detail")
        self.small = Canvas(id="small")
        self.message = MessageLine(id="message", hint=self.HINT, rows=3)
        self.keys = KeyLine(id="keys")

    def compose(self) -> Iterator[Widget]:
        """Everything; the size says what has a place."""
        self.set_ink(self._ink)
        self._fit(self.app.size)
        yield from (self.status, self.head, self.items, self.detail, self.small, self.message, self.keys)

    @property
    def layout(self) -> Layout:
        """The screen's own layout; Textual's names know only its own."""
        return self._plan

    @property
    def pane(self) -> FailureList | FailureDetail:
        """The list or the detail, whichever has the focus."""
        return self.detail if self.focused is self.detail else self.items

    @property
    def shows_detail(self) -> bool:
        """Whether the detail is in sight."""
        return self.app.size.width >= WIDE_COLUMNS or self._plan.detail

    def show(self, view: ReviewView) -> None:
        """Show what was found."""
        self.items.show(view)
        self.head.show(view, self.items.at)

    def show_detail(self, view: DetailView | None) -> None:
        """Show one failure in full."""
        if self.shows_detail:
            self.detail.show(view)

    def show_link(self, view: View) -> None:
        """Show the robot's status line."""
        self._link = view
        self._fit(self.app.size)
        self.status.show(view)

    def set_ink(self, ink: dict[str, Style]) -> None:
        """Another theme's styles."""
        self._ink = ink
        for part in (self.status, self.head, self.items, self.detail, self.small, self.message, self.keys):
            part.set_ink(ink)

    def say(self, text: str, role: str = "text") -> None:
        """Show in the message line what was asked, done or refused."""
        self.message.say(text, role)
        self._fit(self.app.size)

    def tell(self, story: str) -> None:
        """Show a line of narration."""
        self.message.tell(story)
        self._fit(self.app.size)

    # ------------------------------------------------------------ list and detail

    def on_failure_list_selected(self, event: FailureList.Selected) -> None:
        """The detail follows the cursor."""
        if self.listener is not None:
            self.listener.selected(event.number, event.moved)

    def on_failure_list_opened(self, event: FailureList.Opened) -> None:
        """Enter."""
        if self.listener is not None:
            self.listener.opened(event.number, event.group)

    def on_failure_list_needed(self, event: FailureList.Needed) -> None:
        """A page is to be read."""
        if self.listener is not None:
            self.listener.needed(event.numbers)

    def on_failure_list_back(self) -> None:
        """Esc in the list."""
        if self.listener is not None:
            self.listener.back()

    def on_failure_detail_left(self) -> None:
        """Esc in the detail."""
        if self.listener is not None:
            self.listener.left()

    def on_unmount(self) -> None:
        """The application ends."""
        if self.listener is not None:
            self.listener.close()

    def open_detail(self) -> None:
        """Enter: the failure in full, in the list's place where both don't fit."""
        self._plan.detail = True
        self._place()
        self.detail.focus()

    def close_detail(self) -> None:
        """Esc: back to the list."""
        self._plan.detail = False
        self._place()
        self.items.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Another size, another plan."""
        self._fit(event.size)
        self._place()

    # ------------------------------------------------------------ fitting

    def _fit(self, size: Size) -> None:
        """Give each line the rows that it needs now."""
        plan = self._plan
        before = (plan.status, plan.foot)
        plan.status = (2 if size.height >= TALL_ROWS else 1) + bool(self._link and link_trouble(self._link))
        plan.foot = self.message.lines
        if (plan.status, plan.foot) != before and self.is_mounted:
            self._place()

    def _place(self) -> None:
        size = self.app.size
        self._plan.too_small = size.width < SMALLEST.width or size.height < SMALLEST.height
        wide = size.width >= WIDE_COLUMNS
        self.small.display = self._plan.too_small
        self.items.display = not self._plan.too_small and (wide or not self._plan.detail)
        self.detail.display = not self._plan.too_small and (wide or self._plan.detail)
        self.keys.refresh(layout=True)  # a screen's own refresh does not arrange its children anew
        if self._plan.too_small:
            text = f" terminal too small: {size.width}x{size.height}, needs {SMALLEST.width}x{SMALLEST.height}"
            self.small.paint([row_of([(text, "warning")], size.width)])
