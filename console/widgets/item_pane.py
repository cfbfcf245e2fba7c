"""The detail: what is selected, in full, scrolled with the arrows while it has the focus."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from console.checking.view import ChecklistView
from console.widgets.canvas import Canvas
from console.widgets.cells import Row, fit, row_of
from console.widgets.checklist_rows import Entry
from console.widgets.item_lines import Line, gate_lines, item_lines
from console.widgets.item_words import wrapped

LABEL = 12


class ItemPane(Canvas, can_focus=True):
    """Beside the list on wide screens, in its place on narrow ones."""

    TITLE = "Evidence"
    HELP = (
        "What the state rests on: value, limit, n and bounds, when and how fresh, the fingerprints that it depends on, who, "
        "and every attempt's count. Where a fingerprint is not what it was, the present one stands beside it. Esc goes back."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_by(-1)", "up", show=False),
        Binding("down,j", "scroll_by(1)", "down", show=False),
        Binding("pageup", "scroll_by(-10)", "page up", show=False),
        Binding("pagedown", "scroll_by(10)", "page down", show=False),
        Binding("home", "scroll_by(-100000)", "top", show=False),
        Binding("end", "scroll_by(100000)", "end", show=False),
        Binding("escape,enter,left", "back", "back", show=False),
    ]

    class Left(Message):
        """The person wants back to the list."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._view: ChecklistView | None = None
        self._entry: Entry | None = None
        self._top = 0

    def show(self, view: ChecklistView, entry: Entry) -> None:
        """Show what `entry` stands for; another entry begins at its top."""
        if self._entry is None or self._entry.key != entry.key:
            self._top = 0
        self._view, self._entry = view, entry
        self._draw()

    def on_resize(self, event: events.Resize) -> None:
        """New width, new rows."""
        self._draw()

    def on_focus(self, event: events.Focus) -> None:
        """The edge shows where the keys go."""
        self._draw()

    def on_blur(self, event: events.Blur) -> None:
        """The edge shows where the keys no longer go."""
        self._draw()

    def action_scroll_by(self, step: int) -> None:
        """Scroll the text."""
        self._top += step
        self._draw()

    def action_back(self) -> None:
        """Go back to the list."""
        self.post_message(self.Left())

    def copy_text(self) -> str:
        """The whole text."""
        return "\n".join(f"{line.label}: {line.text}" if line.label else line.text for line in self._lines())

    def _lines(self) -> list[Line]:
        if self._view is None or self._entry is None:
            return []
        if self._entry.item is not None:
            return item_lines(self._view, self._entry.item)
        return gate_lines(self._view, self._view.stage(self._entry.stage))

    def _draw(self) -> None:
        width, height = self.size
        if self._view is None or width < 20 or height < 1:
            return
        everything = [row for line in self._lines() for row in _rows(line, width - 3)]
        self._top = max(0, min(self._top, len(everything) - height))
        shown = everything[self._top : self._top + height]
        shown += [()] * (height - len(shown))
        edge = self._view.charset.frame[5]
        role = "focus" if self.has_focus else "line"
        below = len(everything) - self._top - height
        rows = [row_of([(f"{edge} ", role), *row], width) for row in shown]
        if below > 0:
            rows[-1] = row_of([(f"{edge} ", role), (f"… {below + 1} more lines, down shows them", "muted")], width)
        self.paint(rows)


def _rows(line: Line, width: int) -> list[Row]:
    if not line.label and line.role == "title":
        return [((text, line.role),) for text in wrapped(line.text, width)]
    parts = wrapped(line.text, width - LABEL)
    labels = [line.label, *[""] * len(parts)]
    return [((fit(label, LABEL), "muted"), (text, line.role)) for label, text in zip(labels, parts, strict=False)]
