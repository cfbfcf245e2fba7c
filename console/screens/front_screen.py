"""What every screen that a number key brings to the front has in common: lines for status, message and keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Protocol

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.layout import Layout
from textual.screen import Screen
from textual.widget import Widget

from console.actions import ACTIONS
from console.screens.front_layout import SMALLEST, FrontLayout
from console.view import View
from console.widgets.canvas import Canvas
from console.widgets.cells import row_of
from console.widgets.inked import Inked
from console.widgets.lines import HINT, KeyLine, MessageLine
from console.widgets.status_line import StatusLine, link_trouble


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


def bindings_of(place: str, action: str = "app.at_desk('{}')") -> list[BindingType]:
    """The keys of what can be done at `place`; `action` is what Textual runs, with the name in it."""
    return [Binding(one.keys, action.format(one.name), one.label, show=False) for one in ACTIONS if one.place == place]


class FrontScreen(Screen[None]):
    """A screen of its own, not a dialog. It says what its parts are, which of them are displayed, and what rows they want.

    Args:
        ink: the theme's styles by colour role.
        plan: where everything stands.
        id: the screen's name.
    """

    HINT: ClassVar[str] = HINT
    """What the message line says while there is nothing to say."""
    MESSAGE_ROWS: ClassVar[int] = 3
    """So many rows of it at most."""

    def __init__(self, ink: dict[str, Style], plan: FrontLayout, *, id: str) -> None:
        super().__init__(id=id)
        self._ink = ink
        self._plan = plan
        self._link: View | None = None
        self._focus_kept: Widget | None = None
        self.status = StatusLine(id="status")
        self.small = Canvas(id="small")
        self.message = MessageLine(id="message", hint=self.HINT, rows=self.MESSAGE_ROWS)
        self.keys = KeyLine(id="keys")

    def compose(self) -> Iterator[Widget]:
        """Everything; the size says what has a place."""
        self.set_ink(self._ink)
        self._fit(self.app.size)
        yield from self._all()

    @property
    def layout(self) -> Layout:
        """The screen's own layout; Textual's names know only its own."""
        return self._plan

    @property
    def pane(self) -> Pane | None:
        """The pane in focus."""
        raise NotImplementedError

    def show_link(self, view: View) -> None:
        """Show the robot's status line."""
        self._link = view
        self._fit(self.app.size)
        self.status.show(view)

    def set_ink(self, ink: dict[str, Style]) -> None:
        """Another theme's styles."""
        self._ink = ink
        for part in self._all():
            part.set_ink(ink)

    def say(self, text: str, role: str = "text") -> None:
        """Show in the message line what was asked, done or refused."""
        self.message.say(text, role)
        self._fit(self.app.size)

    def happened(self, text: str, role: str = "text") -> None:
        """Show what came by itself: it takes no word of a command away that is still open or went wrong."""
        self.message.happened(text, role)
        self._fit(self.app.size)

    def settle(self, open_word: str, text: str, role: str) -> bool:
        """Show a command's fate in the place of `open_word`; False where that is not shown here."""
        settled = self.message.settle(open_word, text, role)
        self._fit(self.app.size)
        return settled

    def tell(self, story: str) -> None:
        """Show a line of narration."""
        self.message.tell(story)
        self._fit(self.app.size)

    def on_resize(self, event: events.Resize) -> None:
        """Another size, another plan."""
        self._resized(event.size)

    # ------------------------------------------------------------ what a screen says of itself

    def _parts(self) -> tuple[Inked, ...]:
        """What stands between status line and message line."""
        raise NotImplementedError

    def _display(self, size: Size) -> None:
        """Say which parts are displayed in that size."""
        raise NotImplementedError

    def _want(self, size: Size) -> None:
        """Say how many rows the parts want now."""
        plan = self._plan
        trouble = link_trouble(self._link, size) if self._link is not None else []
        plan.status = (2 if size.height >= plan.TALL_ROWS else 1) + len(trouble)
        plan.foot = self.message.lines

    # ------------------------------------------------------------ fitting

    def _all(self) -> tuple[Inked, ...]:
        return (self.status, *self._parts(), self.small, self.message, self.keys)

    def _resized(self, size: Size) -> None:
        self._fit(size)
        self._place(size)

    def _fit(self, size: Size) -> None:
        """Give each part the rows that it needs now."""
        before = self._plan.rows
        self._want(size)
        if self._plan.rows != before and self.is_mounted:
            self._place(size)

    def _place(self, size: Size) -> None:
        self._plan.too_small = size.width < SMALLEST.width or size.height < SMALLEST.height
        if self._plan.too_small:
            self._focus_kept = self.focused or self._focus_kept  # what is not displayed loses it
        self.small.display = self._plan.too_small
        self._display(size)
        if not self._plan.too_small and self._focus_kept is not None:
            self._focus_kept.focus()
            self._focus_kept = None
        self.keys.refresh(layout=True)  # a screen's own refresh does not arrange its children anew
        if self._plan.too_small:
            text = f" terminal too small: {size.width}x{size.height}, needs {SMALLEST.width}x{SMALLEST.height}"
            self.small.paint([row_of([(text, "warning")], size.width)])
