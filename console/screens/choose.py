"""Choosing one of what the robot offers."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from console.screens.dialog import Dialog
from console.widgets.cells import clean
from remote.protocol import Choice


class ChooseScreen(Dialog[str]):
    """Returns the chosen value, None by Esc. `current` is the value in use and under the cursor."""

    AUTO_FOCUS = "OptionList"

    def __init__(self, title: str, choices: tuple[Choice, ...], current: str | None) -> None:
        super().__init__(title, "Enter chooses, Esc leaves")
        self._choices = choices
        self._current = current

    def parts(self) -> ComposeResult:
        """The list, or why it is empty."""
        if not self._choices:
            yield Static("The robot offers none.", id="text")
            return
        names = [Option(self._line(choice), id=str(n)) for n, choice in enumerate(self._choices)]
        options = OptionList(*names, markup=False)
        options.highlighted = next((n for n, one in enumerate(self._choices) if one.value == self._current), 0)
        yield options

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer."""
        self.dismiss(self._choices[event.option_index].value)

    def _line(self, choice: Choice) -> str:
        value = choice.value if len(choice.value) != 64 else choice.value[:8]
        used = "  (in use)" if choice.value == self._current else ""
        return f"{clean(value)}  {clean(choice.text)}{used}"
