"""A pane that lists things, newest first: a cursor that sticks to its item, a filter, Enter, copy."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from console.view import View
from console.widgets.cells import Span
from console.widgets.panel import Panel


@dataclass(frozen=True)
class Item:
    """One line: a key that stays the same while it exists, its text for filter and copy, what it is.

    `draw` makes its spans; a list holds hundreds of lines and shows ten.
    """

    key: Hashable
    draw: Callable[[], list[Span]]
    text: str
    thing: Any


class ListPanel(Panel):
    """The base of events, failures and alarms."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "move(-10)", "page up", show=False),
        Binding("pagedown", "move(10)", "page down", show=False),
        Binding("home", "move(-100000)", "newest", show=False),
        Binding("end", "move(100000)", "oldest", show=False),
        Binding("enter", "open", "open", show=False),
        Binding("escape", "clear_filter", "no filter", show=False),
    ]
    NOTHING: ClassVar[str] = "nothing yet"

    class Opened(Message):
        """Enter was pressed on an item."""

        def __init__(self, panel: ListPanel, item: Item) -> None:
            super().__init__()
            self.panel = panel
            self.item = item

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.query_text = ""
        self._items: list[Item] = []
        self._key: Hashable = None
        self._top_item = 0

    def items(self, view: View, width: int) -> list[Item]:
        """Everything the list holds, newest (or worst) first."""
        raise NotImplementedError

    def at_ns(self, view: View) -> int | None:
        """A list is as fresh as the link: nothing new is no news."""
        return view.snapshot.link.heard_ns

    def caption(self, view: View) -> str:
        """The filter, where there is one."""
        return f"filter: {self.query_text}" if self.query_text else ""

    @property
    def selected(self) -> Item | None:
        """The item under the cursor; the first one while nothing was chosen."""
        return self._items[self._index()] if self._items else None

    def set_filter(self, query: str) -> None:
        """Show only items that contain `query`, or with a leading `!` only those that don't; case is ignored."""
        self.query_text = query.strip()
        self._key, self._top_item = None, 0
        self.restyle()

    def body(self, view: View, width: int, height: int) -> list[list[Span]]:
        """The items around the cursor."""
        everything = self.items(view, width - 2)
        self._items = [item for item in everything if self._matches(item)]
        if not self._items:
            hidden = f"none of {len(everything)} matches; Esc shows all" if everything else self.NOTHING
            return [[(hidden, "muted")]]
        index = self._index()
        self._top_item = max(min(self._top_item, index), index - height + 1, 0)
        shown = self._items[self._top_item : self._top_item + height]
        return [self._line(view, item, self._top_item + n == index, width) for n, item in enumerate(shown)]

    def copy_text(self) -> str:
        """The selected line."""
        return self.selected.text if self.selected else ""

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        if self._items:
            index = min(len(self._items) - 1, max(0, self._index() + step))
            # At the top the cursor follows what is new; below it sticks to its item.
            self._key = None if index == 0 else self._items[index].key
            self.restyle()

    def action_open(self) -> None:
        """Say that the selected item is to be opened."""
        if self.selected:
            self.post_message(self.Opened(self, self.selected))

    def action_clear_filter(self) -> None:
        """Show everything again."""
        self.set_filter("")

    def _index(self) -> int:
        return next((n for n, item in enumerate(self._items) if item.key == self._key), 0)

    def _matches(self, item: Item) -> bool:
        query = self.query_text.casefold()
        if query.startswith("!"):
            return query[1:] not in item.text.casefold()
        return query in item.text.casefold()

    def _line(self, view: View, item: Item, under_cursor: bool, width: int) -> list[Span]:
        if not (under_cursor and self.has_focus):
            return [("  ", "text"), *item.draw()]
        return [(f"{view.charset.glyph('next')} ", "focus"), *[(text, "cursor") for text, _ in item.draw()]]
