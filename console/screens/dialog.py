"""The common frame of all modal dialogs: a titled box over the live screen, Esc leaves without doing anything."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

R = TypeVar("R")


class Dialog(ModalScreen[R]):
    """A modal box. `parts` yields its content; `cancel` is what Esc returns."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "leave", show=False)]

    def __init__(self, title: str, subtitle: str = "Esc leaves") -> None:
        super().__init__()
        self._heading = title
        self._footing = subtitle

    def compose(self) -> ComposeResult:
        """The box around the parts."""
        box = Vertical(*self.parts(), id="box")
        box.border_title = self._heading.replace("[", "\\[")
        box.border_subtitle = self._footing.replace("[", "\\[")
        yield box

    def parts(self) -> ComposeResult:
        """The widgets inside the box."""
        yield from ()

    def action_leave(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)
