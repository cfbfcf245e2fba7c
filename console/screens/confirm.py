"""Asking before something happens to a robot; the safe button has the focus."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Static

from console.screens.dialog import Dialog


class ConfirmScreen(Dialog[bool]):
    """Returns True for yes, False (or None by Esc) for no."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,up", "app.focus_previous", "other button", show=False),
        Binding("right,down", "app.focus_next", "other button", show=False),
        Binding("n", "leave", "no", show=False),
    ]
    AUTO_FOCUS = "#no"

    def __init__(self, title: str, text: str, yes: str, no: str = "Leave it") -> None:
        """`yes` empty: it can't be done, so only the way out is offered."""
        super().__init__(title, "Tab moves, Enter presses, Esc leaves")
        self._text = text
        self._yes = yes
        self._no = no

    def parts(self) -> ComposeResult:
        """The question and both buttons, the safe one first."""
        text = Static(self._text, id="text", markup=False)
        yield VerticalScroll(text, id="content", can_focus=False)
        buttons = [Button(self._no, id="no", variant="primary", compact=True)]
        if self._yes:
            buttons.append(Button(self._yes, id="yes", variant="warning", compact=True))
        yield Horizontal(*buttons, id="buttons")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(event.button.id == "yes")
