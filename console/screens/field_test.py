"""The field test screen: phases, questions, the session, trials, conditions. It shows views and knows no record."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.layout import Layout
from textual.message import Message
from textual.widget import Widget

from console.actions import ACTIONS
from console.screens.board import SMALLEST
from console.screens.field_layout import TALL_ROWS, FieldLayout
from console.screens.front_screen import FrontScreen
from console.testing.view import FieldView
from console.view import View
from console.widgets.canvas import Canvas
from console.widgets.cells import row_of
from console.widgets.field_banner import FieldBanner
from console.widgets.field_conditions import ConditionsPanel
from console.widgets.field_head import FieldHead
from console.widgets.field_panel import FieldPanel
from console.widgets.field_questions import QuestionsPanel
from console.widgets.field_stops import StopsPanel
from console.widgets.lines import KeyLine, MessageLine
from console.widgets.status_line import StatusLine, link_trouble
from console.widgets.trial_list import TrialList
from console.widgets.trial_trend import TrendPanel


class FieldScreen(FrontScreen):
    """One campaign's field test."""

    AUTO_FOCUS = "#questions"
    HINT = "left, right: another phase; Tab: next pane; ? explains, : lists all"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(action.keys, f"app.at_desk('{action.name}')", action.label, show=False)
        for action in ACTIONS
        if action.place == "field"
    ]
    BINDINGS += [
        Binding("left", "other_phase(-1)", "phase before", show=False),
        Binding("right", "other_phase(1)", "next phase", show=False),
    ]

    class Wanted(Message):
        """Another phase is to be looked at: `step` to the right."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, ink: dict[str, Style]) -> None:
        super().__init__(id="field")
        self._ink = ink
        self._plan = FieldLayout()
        self._view: FieldView | None = None
        self._link: View | None = None
        self.status = StatusLine(id="status")
        self.head = FieldHead(id="head")
        self.banner = FieldBanner(id="banner")
        self.panels: tuple[FieldPanel, ...] = (
            QuestionsPanel(id="questions"),
            TrialList(id="trials"),
            ConditionsPanel(id="conditions"),
            StopsPanel(id="stops"),
            TrendPanel(id="trend"),
        )
        self.small = Canvas(id="small")
        self.message = MessageLine(id="message", hint=self.HINT, rows=3)
        self.keys = KeyLine(id="keys")

    def compose(self) -> Iterator[Widget]:
        """Everything; the size says what has a place."""
        for canvas in self._canvases():
            canvas.set_ink(self._ink)
        self._fit(self.app.size)
        yield from self._canvases()

    @property
    def layout(self) -> Layout:
        """The screen's own layout; Textual's names know only its own."""
        return self._plan

    @property
    def pane(self) -> FieldPanel | None:
        """The pane in focus."""
        return self.focused if isinstance(self.focused, FieldPanel) else None

    def show(self, view: FieldView) -> None:
        """Show `view` in everything that is displayed."""
        self._view = view
        self._fit(self.app.size)
        self.head.show(view)
        self.banner.show(view)
        for panel in self.panels:
            if panel.display:
                panel.show(view)

    def show_link(self, view: View) -> None:
        """Show the robot's status line."""
        self._link = view
        self._fit(self.app.size)
        self.status.show(view)

    def set_ink(self, ink: dict[str, Style]) -> None:
        """Another theme's styles."""
        self._ink = ink
        for canvas in self._canvases():
            canvas.set_ink(ink)

    def say(self, text: str, role: str = "text") -> None:
        """Show in the message line what was asked, done or refused."""
        self.message.say(text, role)
        self._fit(self.app.size)

    def tell(self, story: str) -> None:
        """Show a line of narration."""
        self.message.tell(story)
        self._fit(self.app.size)

    def action_other_phase(self, step: int) -> None:
        """Say that another phase is to be looked at."""
        self.post_message(self.Wanted(step))

    def on_resize(self, event: events.Resize) -> None:
        """Another size, another plan."""
        self._fit(event.size)
        self._place(event.size)

    # ------------------------------------------------------------ fitting

    def _canvases(self) -> tuple[Canvas, ...]:
        return (self.status, self.head, self.banner, *self.panels, self.small, self.message, self.keys)

    def _fit(self, size: Size) -> None:
        """Give each part the rows that it needs now."""
        plan, view = self._plan, self._view
        before = (plan.status, plan.head, plan.foot, plan.questions, plan.stops)
        tall = 2 if size.height >= TALL_ROWS else 1
        plan.status = tall + bool(self._link and link_trouble(self._link))
        plan.head = 2 + bool(view and view.state.warnings)
        plan.foot = self.message.lines
        phase = view.phase if view is not None else None
        if phase is not None:
            plan.questions = 2 + 2 * len(phase.questions) + (2 if size.height >= TALL_ROWS else 0)
            plan.stops = 2 + max(1, sum(3 if stop.reached else 1 for stop in phase.stops))
        if (plan.status, plan.head, plan.foot, plan.questions, plan.stops) != before and self.is_mounted:
            self._place(size)

    def _place(self, size: Size) -> None:
        plan = self._plan
        plan.too_small = size.width < SMALLEST.width or size.height < SMALLEST.height
        named = plan.regions(size)
        self.small.display = plan.too_small
        for panel in self.panels:
            panel.display = panel.id in named
        self.keys.refresh(layout=True)  # a screen's own refresh does not arrange its children anew
        if plan.too_small:
            text = f" terminal too small: {size.width}x{size.height}, needs {SMALLEST.width}x{SMALLEST.height}"
            self.small.paint([row_of([(text, "warning")], size.width)])
