"""The models screen: what runs on each robot, the bundles of the attached one, and a change step by step."""

from __future__ import annotations

from typing import ClassVar, Protocol

from rich.style import Style
from textual.binding import BindingType
from textual.geometry import Size

from console.changing.view import ModelDetailView, ModelsView
from console.screens.front_screen import bindings_of
from console.screens.list_screen import ListScreen
from console.widgets.model_detail import ModelDetail
from console.widgets.models_head import ModelsHead, rows_wanted
from console.widgets.models_list import ModelsList


class Listener(Protocol):
    """Whom the screen tells what was done on it."""

    def selected(self) -> None:
        """The cursor stands on another row."""

    def opened(self) -> None:
        """Enter."""

    def left(self) -> None:
        """Esc in the detail."""


class ModelsScreen(ListScreen):
    """Slots, states and ages."""

    HINT = "Enter: in full, p: push a bundle, a: use it, ? explains, : lists all"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("models")
    head: ModelsHead
    items: ModelsList
    detail: ModelDetail

    def __init__(self, ink: dict[str, Style]) -> None:
        super().__init__(ink, id="models")
        self.listener: Listener | None = None
        self._view: ModelsView | None = None
        self.head = ModelsHead(id="head")
        self.items = ModelsList(id="items")
        self.detail = ModelDetail(id="detail")

    @property
    def pane(self) -> ModelsList | ModelDetail:
        """The list or the detail, whichever has the focus."""
        return self.detail if self.focused is self.detail else self.items

    def show(self, view: ModelsView) -> None:
        """Show robots and bundles."""
        self.items.show(view)
        self._view = view
        self._fit(self.app.size)
        self.head.show(view)

    def _want(self, size: Size) -> None:
        super()._want(size)
        self._plan.head = rows_wanted(self._view, size.width) if self._view is not None else 2

    def show_detail(self, view: ModelDetailView | None) -> None:
        """Show what is selected in full."""
        if view is not None and self.shows_detail:
            self.detail.show(view)

    def on_models_list_selected(self) -> None:
        """The detail follows the cursor."""
        if self.listener is not None:
            self.listener.selected()

    def on_models_list_opened(self) -> None:
        """Enter."""
        if self.listener is not None:
            self.listener.opened()

    def on_model_detail_left(self) -> None:
        """Esc in the detail."""
        if self.listener is not None:
            self.listener.left()
