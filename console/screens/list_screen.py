"""A front screen of a list and, of what is selected in it, everything."""

from __future__ import annotations

from rich.style import Style
from textual.geometry import Size

from console.screens.front_screen import FrontScreen
from console.screens.list_layout import WIDE_COLUMNS, ListLayout
from console.widgets.inked import Inked


class ListScreen(FrontScreen):
    """Side by side where both fit, else the detail in the list's place once it was opened."""

    AUTO_FOCUS = "#items"
    _plan: ListLayout
    head: Inked
    items: Inked
    detail: Inked

    def __init__(self, ink: dict[str, Style], *, id: str) -> None:
        super().__init__(ink, ListLayout(), id=id)

    @property
    def shows_detail(self) -> bool:
        """Whether the detail is in sight."""
        return self.app.size.width >= WIDE_COLUMNS or self._plan.detail

    def open_detail(self) -> None:
        """Enter: what is selected in full, in the list's place where both don't fit."""
        self._plan.detail = True
        self._place(self.app.size)
        self.detail.focus()

    def close_detail(self) -> None:
        """Esc: back to the list."""
        self._plan.detail = False
        self._place(self.app.size)
        self.items.focus()

    def _parts(self) -> tuple[Inked, ...]:
        return (self.head, self.items, self.detail)

    def _display(self, size: Size) -> None:
        plan, wide = self._plan, size.width >= WIDE_COLUMNS
        self.items.display = not plan.too_small and (wide or not plan.detail)
        self.detail.display = not plan.too_small and (wide or plan.detail)
