"""Signing, second part: the very text that is signed, in full; the button that leaves is in focus."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from console.screens.form import Form


class SignStatementScreen(Form[bool]):
    """Returns True for signing, None by Esc. The arrows scroll the statement."""

    DEFAULT_CSS = """
    SignStatementScreen.statement > #box { width: 98%; max-width: 100%; height: 96%; max-height: 100%; padding: 0 1; }
    SignStatementScreen.statement #words { height: 1fr; max-height: 100%; }
    """
    BINDINGS = [  # noqa: RUF012 - Textual's own form
        ("up", "scroll(-1)", "up"),
        ("down", "scroll(1)", "down"),
        ("pageup", "scroll(-10)", "page up"),
        ("pagedown", "scroll(10)", "page down"),
        ("left", "app.focus_previous", "other button"),
        ("right", "app.focus_next", "other button"),
    ]
    AUTO_FOCUS = "#no"

    def __init__(self, statement: bytes, who: str, clock: Callable[[], int]) -> None:
        buttons = (("sign", f"Sign as {who}"),)
        text = statement.decode("utf-8", "replace")
        super().__init__("This is what you sign", text, (), buttons, clock, "Do not sign")
        self.add_class("statement")

    def parts(self) -> ComposeResult:
        """The statement and the buttons."""
        yield VerticalScroll(Static(self._text, id="text", markup=False), id="words", can_focus=False)
        yield Static("", id="error", markup=False)
        yield Horizontal(*self._all_buttons(), id="buttons")

    def action_scroll(self, step: int) -> None:
        """Scroll the statement."""
        self.query_one("#words", VerticalScroll).scroll_relative(y=step, animate=False)

    def answer(self, button: str, values: dict[str, str]) -> bool:
        """Yes."""
        return True
