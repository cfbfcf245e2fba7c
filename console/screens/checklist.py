"""The checklist screen: status lines, the list, the evidence, message line, key line. It shows views and knows no record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.layout import Layout
from textual.widget import Widget

from console.actions import ACTIONS
from console.checking.view import ChecklistView
from console.screens.board import SMALLEST
from console.screens.checklist_layout import TALL_ROWS, WIDE_COLUMNS, ChecklistLayout
from console.screens.front_screen import FrontScreen
from console.view import View
from console.widgets.canvas import Canvas
from console.widgets.cells import row_of
from console.widgets.checklist_head import ChecklistHead, notice
from console.widgets.checklist_list import ChecklistList
from console.widgets.item_pane import ItemPane
from console.widgets.lines import KeyLine, MessageLine
from console.widgets.status_line import StatusLine, link_trouble


class ChecklistScreen(FrontScreen):
    """One campaign's checklist."""

    AUTO_FOCUS = "#items"
    HINT = "Enter: evidence, space: next open item, ? explains, : lists all"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(action.keys, f"app.at_desk('{action.name}')", action.label, show=False)
        for action in ACTIONS
        if action.place == "checklist"
    ]

    def __init__(self, ink: dict[str, Style]) -> None:
        super().__init__(id="checklist")
        self._ink = ink
        self._plan = ChecklistLayout()
        self._view: ChecklistView | None = None
        self._link: View | None = None
        self._at = ""
        self.status = StatusLine(id="status")
        self.head = ChecklistHead(id="head")
        self.items = ChecklistList(id="items")
        self.detail = ItemPane(id="detail")
        self.small = Canvas(id="small")
        self.message = MessageLine(id="message", hint=self.HINT, rows=3)
        self.keys = KeyLine(id="keys")

    def compose(self) -> Iterator[Widget]:
        """Everything; the size says what has a place."""
        for canvas in self._canvases():
            canvas.set_ink(self._ink)
        self._fit(self.app.size)
        yield from self._canvases()

    @property
    def layout(self) -> Layout:
        """The screen's own layout; Textual's names know only its own."""
        return self._plan

    @property
    def pane(self) -> ChecklistList | ItemPane:
        """The list or the detail, whichever has the focus."""
        return self.detail if self.focused is self.detail else self.items

    def show(self, view: ChecklistView) -> None:
        """Show a checklist."""
        self._view = view
        self._fit(self.app.size)
        self.head.show(view)
        self.items.show(view)

    def show_link(self, view: View) -> None:
        """Show the robot's status line."""
        self._link = view
        self._fit(self.app.size)
        self.status.show(view)

    def set_ink(self, ink: dict[str, Style]) -> None:
        """Another theme's styles."""
        self._ink = ink
        for canvas in self._canvases():
            canvas.set_ink(ink)

    def say(self, text: str, role: str = "text") -> None:
        """Show in the message line what was asked, done or refused."""
        self.message.say(text, role)
        self._fit(self.app.size)

    def tell(self, story: str) -> None:
        """Show a line of narration."""
        self.message.tell(story)
        self._fit(self.app.size)

    # ------------------------------------------------------------ list and detail

    def on_checklist_list_selected(self, event: ChecklistList.Selected) -> None:
        """The detail follows the cursor."""
        if self._at not in ("", event.entry.key) and not self.message.is_busy:
            self.say("")  # what was said was about another row
        self._at = event.entry.key
        if self._view is not None:
            self.detail.show(self._view, event.entry)

    def on_checklist_list_opened(self, event: ChecklistList.Opened) -> None:
        """Enter: the evidence in full, in the list's place where both don't fit."""
        if event.entry.key.startswith("fold:"):
            return
        self._plan.detail = True
        self._place()
        self.detail.focus()

    def on_item_pane_left(self) -> None:
        """Esc: back to the list."""
        self._plan.detail = False
        self._place()
        self.items.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Another size, another plan."""
        self._fit(event.size)
        self._place()

    # ------------------------------------------------------------ fitting

    def _canvases(self) -> tuple[Canvas, ...]:
        return (self.status, self.head, self.items, self.detail, self.small, self.message, self.keys)

    def _fit(self, size: Size) -> None:
        """Give each line the rows that it needs now."""
        plan = self._plan
        tall = 2 if size.height >= TALL_ROWS else 1
        before = (plan.status, plan.head, plan.foot)
        plan.status = tall + bool(self._link and link_trouble(self._link))
        plan.head = 2 + bool(self._view and notice(self._view))
        plan.foot = self.message.lines
        if (plan.status, plan.head, plan.foot) != before and self.is_mounted:
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
