"""The common frame of all modal dialogs: a titled box over the live screen, Esc leaves without doing anything.

Its buttons stand below what scrolls, so that they are in sight in the smallest terminal too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from textwrap import wrap
from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from console.screens.refusal_words import refusal_words
from console.widgets.cells import clean
from remote.errors import Trouble

R = TypeVar("R")
FOOT_ROWS, ERROR_ROWS = 6, 3
"""Rows of a dialog that never scroll: border, padding and buttons; and what was refused, at least."""


class Dialog(ModalScreen[R]):
    """A modal box. `parts` yields its content; what of it is in `#content` scrolls.

    `carry`, where set, does what was answered and says why not: then the dialog stays, with all that was entered.
    """

    carry: Callable[[R], Awaitable[Trouble | None]] | None = None
    carrying: str = "writing"
    """What `carry` does, in words: it is said at once, as it may take a while."""

    DEFAULT_CSS = """
    Dialog { align: center middle; background: $background 60%; }
    Dialog > #box {
        width: 64; max-width: 94%; height: auto; max-height: 90%;
        border: round $primary; background: $surface; padding: 1 2;
        border-title-color: $foreground; border-title-style: bold; border-subtitle-color: $foreground;
    }
    Dialog #text { height: auto; width: 100%; margin-bottom: 1; }
    Dialog #state, Dialog #legend { height: 1; width: 100%; }
    Dialog #content { height: auto; }
    Dialog #error { height: auto; max-height: 12; color: $error; display: none; }
    Dialog #error.busy { color: $secondary; }
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
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "leave", show=False),
        Binding("pageup", "page(-5)", "page up", show=False),
        Binding("pagedown", "page(5)", "page down", show=False),
    ]

    def __init__(self, title: str, subtitle: str = "Esc leaves") -> None:
        super().__init__()
        self._carrying = False
        self._refused_rows = ERROR_ROWS
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

    # ------------------------------------------------------------ answering

    def deliver(self, answer: R) -> None:
        """Answer: at once, or once what was answered has been done."""
        if self.carry is None:
            self.dismiss(answer)
        elif not self._carrying:
            self._carrying = True
            self._report(f"{self.carrying}...", busy=True)
            begin: Callable[[], Awaitable[None]] = partial(self._carried, self.carry, answer)
            self.app.run_worker(begin, group="campaign", name="answer")

    def refuse(self, why: str) -> None:
        """Say what is wrong; the dialog stays."""
        self._report(why, busy=False)

    def _report(self, words: str, *, busy: bool) -> None:
        for error in self.query("#error").results(Static):
            error.display = bool(words)
            error.set_class(busy, "busy")
            error.update(clean(words))
            self._refused_rows = len(wrap(clean(words), max(20, self.query_one("#box").content_size.width))) or 1
        self._share(self.size.height)
        self.set_timer(0.05, self._tell_more)  # once what scrolls has its new height

    async def _carried(self, carry: Callable[[R], Awaitable[Trouble | None]], answer: R) -> None:
        trouble = await carry(answer)
        self._carrying = False
        if not self.is_running or self.app.screen is not self:
            return  # the person left meanwhile
        if trouble is None:
            self.dismiss(answer)
        else:
            self.refuse(refusal_words(trouble))

    # ------------------------------------------------------------ what scrolls

    def on_resize(self, event: events.Resize) -> None:
        """What scrolls gets what the rest leaves."""
        self._share(event.size.height)
        for content in self.query("#content").results(VerticalScroll):
            self.watch(content, "scroll_y", self._tell_more, init=False)
        self.set_timer(0.05, self._tell_more)  # once what scrolls has its new height

    def _share(self, height: int) -> None:
        refused = max(self._refused_rows, ERROR_ROWS) if any(one.display for one in self.query("#error")) else 0
        for content in self.query("#content").results(VerticalScroll):
            content.styles.max_height = max(2, height * 9 // 10 - self.foot_rows - refused)

    @property
    def foot_rows(self) -> int:
        """How many rows of the dialog never scroll."""
        return FOOT_ROWS

    def action_page(self, step: int) -> None:
        """Scroll the content by some lines."""
        for content in self.query("#content").results(VerticalScroll):
            content.scroll_relative(y=step, animate=False)

    def _tell_more(self) -> None:
        """Say in the lower edge that more stands below."""
        for content in self.query("#content").results(VerticalScroll):
            more = content.scroll_y < content.max_scroll_y
            words = "more below: PgDn shows it | Esc leaves" if more else self._footing
            self.query_one("#box").border_subtitle = words.replace("[", "\\[")
