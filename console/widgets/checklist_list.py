"""The list of stages, items and gates: a cursor that keeps its place while states change around it."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from console.checking.view import ChecklistView
from console.checklist.states import ItemState
from console.widgets.cells import Span, plain, row_of
from console.widgets.checklist_rows import Entry, entries_of
from console.widgets.focus_canvas import FocusCanvas

LEAST = 20
"""Fewer columns show nothing."""


class ChecklistList(FocusCanvas[ChecklistView]):
    """One cursor over everything that can be selected; Enter opens what is under it."""

    TITLE = "Checklist"
    HELP = (
        "Stages with their items and, behind each, its gate. What the robot itself shows and has passed folds into a count; "
        "why and what to do stand under what failed, went stale or could not be seen. A person vouches with c, enters "
        "a value with v; a second person with w. Enter shows the evidence in full."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "move(-10)", "page up", show=False),
        Binding("pagedown", "move(10)", "page down", show=False),
        Binding("home", "move(-100000)", "first", show=False),
        Binding("end", "move(100000)", "last", show=False),
        Binding("enter", "open", "open", show=False),
    ]

    class Selected(Message):
        """The cursor stands on another thing, or that thing changed."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    class Opened(Message):
        """Enter was pressed."""

        def __init__(self, entry: Entry) -> None:
            super().__init__()
            self.entry = entry

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._entries: list[Entry] = []
        self._key = ""
        self._top = 0

    # ------------------------------------------------------------ what is selected

    @property
    def selected(self) -> Entry | None:
        """What the cursor stands on."""
        return next((entry for entry in self._entries if entry.key and entry.key == self._key), None)

    @property
    def item(self) -> ItemState | None:
        """The item that the cursor stands on; None on a gate or a count."""
        return self.selected.item if self.selected else None

    def select(self, key: str) -> None:
        """Put the cursor on `item:ID`, `gate:STAGE` or `fold:STAGE`; nothing happens where it is not in sight."""
        if any(entry.key == key for entry in self._entries):
            self._key = key
            self.restyle()

    def copy_text(self) -> str:
        """The selected row as text."""
        return "\n".join(plain(line).rstrip() for line in self.selected.lines) if self.selected else ""

    # ------------------------------------------------------------ showing

    def show(self, view: ChecklistView) -> None:
        """Show `view`; the cursor stays on what it stood on. Only where that is no longer there it goes to a gate."""
        self._shown = view
        width, height = self.size
        before, self._entries = self._entries, entries_of(view, max(width, LEAST) - 2, self._key)
        if self.selected is None:
            self._key = self._place(view, before)
        if width >= LEAST and height:
            self._draw(width, height)
        if self.selected is not None:
            self.post_message(self.Selected(self.selected))

    def on_click(self, event: events.Click) -> None:
        """Select what was clicked; a second click opens it."""
        at = self._top + event.y
        owners = [entry for entry in self._entries for _ in entry.lines]
        if 0 <= at < len(owners) and owners[at].key:
            again, self._key = owners[at].key == self._key, owners[at].key
            self.restyle()
            if again:
                self.action_open()

    def action_move(self, step: int) -> None:
        """Move the cursor over what can be selected."""
        keys = [entry.key for entry in self._entries if entry.key]
        if keys:
            at = keys.index(self._key) if self._key in keys else 0
            self._key = keys[min(len(keys) - 1, max(0, at + step))]
            self.restyle()

    def action_open(self) -> None:
        """Say that the selected thing is to be opened."""
        if self.selected is not None:
            self.post_message(self.Opened(self.selected))

    def next_open(self) -> bool:
        """Go to the next item after the cursor that needs something, round and round; False where none does."""
        keys = [entry.key for entry in self._entries]
        at = keys.index(self._key) + 1 if self._key in keys else 0
        for entry in [*self._entries[at:], *self._entries[:at]]:
            if entry.item is not None and entry.item.need != "nothing":
                self.select(entry.key)
                return True
        return False

    def _place(self, view: ChecklistView, before: list[Entry]) -> str:
        """Where the cursor begins: at the next open item. Where its row is gone it goes to that stage's gate, never to
        another item: a key pressed meanwhile must not vouch for what nobody chose."""
        wanted = f"item:{view.state.next_item}" if view.state.next_item else f"gate:{view.state.stage}"
        keys = [entry.key for entry in self._entries if entry.key]
        if self._key:
            was = next((entry.stage for entry in before if entry.key == self._key), view.state.stage)
            wanted = f"gate:{was}"
        if wanted in keys:
            return wanted
        lost = next((entry.stage for entry in before if entry.key == self._key), view.state.stage)
        return next(
            (entry.key for entry in self._entries if entry.key and entry.stage == lost), keys[0] if keys else ""
        )

    def _draw(self, width: int, height: int) -> None:
        lines = [(entry, n, line) for entry in self._entries for n, line in enumerate(entry.lines)]
        mine = [at for at, (entry, _, _) in enumerate(lines) if entry.key and entry.key == self._key]
        self._top = min(self._top, max(0, len(lines) - height))
        if mine:
            # The header above the first thing of a stage comes along.
            first = mine[0] - 1 if mine[0] and not lines[mine[0] - 1][0].key else mine[0]
            self._top = max(min(self._top, first), mine[-1] - height + 1, 0)
            self._top = min(self._top, mine[0])
        rows = [row_of(self._line(*line, width), width) for line in lines[self._top : self._top + height]]
        self.paint(rows + [row_of((), width)] * (height - len(rows)))

    def _line(self, entry: Entry, n: int, line: tuple[Span, ...], width: int) -> list[Span]:
        if not entry.key:
            return [*line, (line[0][0] * 2, "line")]
        if entry.key != self._key or n:
            return [("  ", "text"), *line]
        assert self._shown is not None
        pointer: Span = (f"{self._shown.charset.glyph('next')} ", "focus")
        return [pointer, *([(text, "cursor") for text, _ in line] if self.has_focus else line)]
