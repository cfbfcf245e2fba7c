"""One of few words, chosen with the left and right arrows: a role, a meaning, a stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Static

from console.widgets.cells import clean


class Pick(Static, can_focus=True):
    """Shows `< word >  1 of 3`; `value` is the chosen one, empty where there is nothing to choose from.

    Args:
        choices: (value, what is shown) each.
        chosen: the value that it begins with; the first where it is none of them.
    """

    DEFAULT_CSS = """
    Pick { width: 1fr; height: 1; background: $panel; padding: 0 1; }
    Pick:focus { text-style: bold reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "turn(-1)", "before", show=False),
        Binding("right,l,space", "turn(1)", "next", show=False),
        Binding("enter", "screen.next_field", "next field", show=False),
    ]

    def __init__(self, choices: Sequence[tuple[str, str]], chosen: str = "", *, id: str | None = None) -> None:
        super().__init__(markup=False, id=id)
        self._choices = list(choices)
        values = [value for value, _ in self._choices]
        self._at = values.index(chosen) if chosen in values else 0

    @property
    def value(self) -> str:
        """The chosen value."""
        return self._choices[self._at][0] if self._choices else ""

    def on_mount(self) -> None:
        """Show the first one."""
        self._tell()

    def on_click(self) -> None:
        """The next one."""
        self.action_turn(1)

    def action_turn(self, step: int) -> None:
        """Choose the next one, round and round."""
        if self._choices:
            self._at = (self._at + step) % len(self._choices)
            self._tell()

    def _tell(self) -> None:
        if not self._choices:
            self.update("none")
            return
        count = f"  {self._at + 1} of {len(self._choices)}" if len(self._choices) > 1 else ""
        self.update(f"< {clean(self._choices[self._at][1])} >{count}")
