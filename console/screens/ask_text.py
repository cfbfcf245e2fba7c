"""Asking for one line of text."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Input, Static

from console.screens.dialog import Dialog
from console.widgets.one_line import OneLine


class AskTextScreen(Dialog[str]):
    """Returns the line, None by Esc."""

    AUTO_FOCUS = "Input"

    def __init__(self, title: str, text: str, *, value: str = "", placeholder: str = "") -> None:
        super().__init__(title, "Enter takes it, Esc leaves")
        self._text = text
        self._value = value
        self._placeholder = placeholder

    def parts(self) -> ComposeResult:
        """What is asked, and the field."""
        yield Static(self._text, id="text", markup=False)
        yield OneLine(self._value, placeholder=self._placeholder, max_length=400)
        yield Static("", id="error", markup=False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer."""
        self.deliver(event.value)
