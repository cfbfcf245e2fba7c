"""What every screen that a number key brings to the front has in common: lines for status, message and keys."""

from __future__ import annotations

from typing import Protocol

from rich.style import Style
from textual.screen import Screen

from console.widgets.lines import KeyLine, MessageLine
from console.widgets.status_line import StatusLine


class Pane(Protocol):
    """A part of a screen that can have the focus: `?` explains it, `y` copies from it."""

    @property
    def TITLE(self) -> str:  # noqa: N802 - as Textual names it
        """What it is called."""
        ...

    @property
    def HELP(self) -> str | None:  # noqa: N802 - as Textual names it
        """What it shows and what can be done there."""
        ...

    def copy_text(self) -> str:
        """What is selected, as text."""
        ...


class FrontScreen(Screen[None]):
    """A screen of its own, not a dialog."""

    status: StatusLine
    message: MessageLine
    keys: KeyLine

    @property
    def pane(self) -> Pane | None:
        """The pane in focus."""
        raise NotImplementedError

    def say(self, text: str, role: str = "text") -> None:
        """Show in the message line what was asked, done or refused."""
        raise NotImplementedError

    def tell(self, story: str) -> None:
        """Show a line of narration."""
        raise NotImplementedError

    def set_ink(self, ink: dict[str, Style]) -> None:
        """Another theme's styles."""
        raise NotImplementedError
