"""The checklist screen: status lines, the list, the evidence, message line, key line. It shows views and knows no record."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual.binding import BindingType
from textual.geometry import Size

from console.checking.view import ChecklistView
from console.screens.front_screen import bindings_of
from console.screens.list_screen import ListScreen
from console.widgets.checklist_head import ChecklistHead, notice
from console.widgets.checklist_list import ChecklistList
from console.widgets.item_pane import ItemPane


class ChecklistScreen(ListScreen):
    """One campaign's checklist."""

    HINT = "Enter: evidence, space: next open item, ? explains, : lists all"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("checklist")
    head: ChecklistHead
    items: ChecklistList
    detail: ItemPane

    def __init__(self, ink: dict[str, Style]) -> None:
        super().__init__(ink, id="checklist")
        self._view: ChecklistView | None = None
        self._at = ""
        self.head = ChecklistHead(id="head")
        self.items = ChecklistList(id="items")
        self.detail = ItemPane(id="detail")

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
        if not event.entry.key.startswith("fold:"):
            self.open_detail()

    def on_item_pane_left(self) -> None:
        """Esc: back to the list."""
        self.close_detail()

    def _want(self, size: Size) -> None:
        super()._want(size)
        self._plan.head = 2 + bool(self._view and notice(self._view))
