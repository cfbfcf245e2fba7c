"""The failures screen: status line, count and filter, the list, one failure in full, message line, key line."""

from __future__ import annotations

from typing import ClassVar, Protocol

from rich.style import Style
from textual.binding import BindingType

from console.reviewing.view import DetailView, ReviewView
from console.screens.front_screen import bindings_of
from console.screens.list_screen import ListScreen
from console.widgets.failure_detail import FailureDetail
from console.widgets.failure_head import FailureHead
from console.widgets.failure_list import FailureList


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


class FailuresScreen(ListScreen):
    """Every failure that this laptop knows."""

    HINT = "Enter: in full, /: filter, g: group, ? explains, : lists all"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("failures")
    head: FailureHead
    items: FailureList
    detail: FailureDetail

    def __init__(self, ink: dict[str, Style]) -> None:
        super().__init__(ink, id="failures")
        self.listener: Listener | None = None
        self.head = FailureHead(id="head")
        self.items = FailureList(id="items")
        self.detail = FailureDetail(id="detail")

    @property
    def pane(self) -> FailureList | FailureDetail:
        """The list or the detail, whichever has the focus."""
        return self.detail if self.focused is self.detail else self.items

    def show(self, view: ReviewView) -> None:
        """Show what was found."""
        self.items.show(view)
        self.head.show(view, self.items.at)

    def show_detail(self, view: DetailView | None) -> None:
        """Show one failure in full."""
        if self.shows_detail:
            self.detail.show(view)

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
