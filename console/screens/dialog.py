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

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > #box {
        width: 64; max-width: 94%; height: auto; max-height: 90%;
        border: round $primary; background: $surface; padding: 1 2;
        border-title-color: $foreground; border-title-style: bold; border-subtitle-color: $foreground;
    }
    Dialog #text { height: auto; width: 100%; margin-bottom: 1; }
    Dialog #state, Dialog #legend { height: 1; width: 100%; }
    Dialog #buttons { height: auto; align-horizontal: right; }
    Dialog Button { margin-left: 2; min-width: 14; }
    Dialog OptionList { height: auto; max-height: 16; background: $surface; border: none; padding: 0; }
    Dialog Input { border: round $primary; background: $surface; height: 3; }
    Dialog.wide > #box { width: 100; }
    Dialog.full > #box { width: 98%; height: 94%; padding: 0 1; }
    Dialog VerticalScroll { height: auto; max-height: 100%; }
    Dialog.full VerticalScroll { max-height: 40%; }
    Dialog #frame { width: 1fr; height: 1fr; align: center middle; }
    Dialog.ascii > #box, Dialog.ascii Input { border: ascii $primary; }
    Dialog:nocolor .option-list--option-highlighted { text-style: reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "leave", show=False)]

    def __init__(self, title: str, subtitle: str = "Esc leaves") -> None:
        super().__init__()
        self._heading = title
        self._footing = subtitle
        self.set_class(self.app.has_class("ascii"), "ascii")

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
