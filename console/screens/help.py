"""Help for the pane in focus, all keys, and what the signs mean."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from console.actions import ACTIONS
from console.marks import MARKS, Charset
from console.screens.dialog import Dialog

_PANE_KEYS = (
    ("Tab", "next pane; Shift+Tab the one before"),
    ("up down", "move in a list; the top follows what is new"),
    ("Enter", "open the selected line"),
    ("Esc", "leave a dialog, show a filtered list in full"),
)


class HelpScreen(Dialog[None]):
    """Scrollable text; Esc or ? leaves."""

    BINDINGS = [("question_mark", "leave", "leave"), ("q", "leave", "leave")]  # noqa: RUF012 - Textual's own form

    def __init__(self, pane: str, text: str, charset: Charset) -> None:
        super().__init__(f"Help: {pane}")
        self._text = text
        self._charset = charset
        self.add_class("wide")

    def parts(self) -> ComposeResult:
        """Pane, keys, signs."""
        yield VerticalScroll(Static(self._all(), id="help", markup=False))

    def _all(self) -> Text:
        text = Text(self._text.replace("*", "").replace("`", ""))
        text.append("\n\nKeys\n", "bold")
        for key, meaning in _PANE_KEYS:
            text.append(f"  {key:<8} ", "bold").append(f"{meaning}\n")
        for action in ACTIONS:
            needs = " (needs the lease)" if action.lease else ""
            text.append(f"  {action.shown:<8} ", "bold").append(f"{action.meaning}{needs}\n")
        text.append("\nSigns\n", "bold")
        for name, mark in MARKS.items():
            if mark.word:
                text.append(f"  {self._charset.glyph(name)}  {mark.word}\n")
        text.append("\nAn age beside a pane's title says how old its numbers are; older than 3 s they are STALE.")
        return text
