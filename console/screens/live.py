"""The live screen: status line, panes, message line, key line. It shows views and knows no session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.layout import Layout
from textual.widget import Widget

from console.actions import ACTIONS
from console.screens.board import SMALLEST, TINY, BoardLayout, plan_for
from console.screens.front_screen import FrontScreen
from console.view import View
from console.widgets.alarms import AlarmsPanel
from console.widgets.camera import CameraPanel
from console.widgets.canvas import Canvas
from console.widgets.cells import row_of
from console.widgets.detections import DetectionsPanel
from console.widgets.events import EventsPanel
from console.widgets.failures import FailuresPanel
from console.widgets.latency import LatencyPanel
from console.widgets.lines import KeyLine, MessageLine
from console.widgets.list_panel import ListPanel
from console.widgets.load import LoadPanel
from console.widgets.panel import Panel
from console.widgets.rate import RatePanel
from console.widgets.status_line import StatusLine, link_trouble
from console.widgets.thermal import ThermalPanel


class LiveScreen(FrontScreen):
    """One robot, live."""

    AUTO_FOCUS = "#latency"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(action.keys, f"app.{action.name}", action.label, show=False)
        for action in ACTIONS
        if action.place == "live"
    ]

    def __init__(self, ink: dict[str, Style]) -> None:
        super().__init__(id="live")
        self._ink = ink
        self._board = BoardLayout()
        self._view: View | None = None
        self.status = StatusLine(id="status")
        self.message = MessageLine(id="message")
        self.keys = KeyLine(id="keys")
        self.small = Canvas(id="small")
        self.panels: tuple[Panel, ...] = (
            LatencyPanel(id="latency"),
            RatePanel(id="rate"),
            LoadPanel(id="load"),
            DetectionsPanel(id="detections"),
            ThermalPanel(id="thermal"),
            CameraPanel(id="camera"),
            AlarmsPanel(id="alarms"),
            FailuresPanel(id="failures"),
            EventsPanel(id="events"),
        )

    def compose(self) -> Iterator[Widget]:
        """Everything; the plan for the terminal's size says what is displayed."""
        for canvas in self._canvases():
            canvas.set_ink(self._ink)
        self._follow_plan(self.app.size)
        yield from self._canvases()

    @property
    def layout(self) -> Layout:
        """The plan's layout; Textual's own names know only its own."""
        return self._board

    @property
    def plan_name(self) -> str:
        """The name of the plan in use."""
        return self._board.plan.name

    @property
    def pane(self) -> Panel | None:
        """The pane in focus."""
        return self.focused if isinstance(self.focused, Panel) else None

    @property
    def list_pane(self) -> ListPanel | None:
        """The list in focus, else the first list of happenings that is displayed."""
        if isinstance(self.pane, ListPanel):
            return self.pane
        found = (panel for panel in self.panels if panel.id in ("events", "failures") and panel.display)
        return next((panel for panel in found if isinstance(panel, ListPanel)), None)

    def show(self, view: View) -> None:
        """Show `view` in everything that is displayed."""
        self._view = view
        self._fit_lines(view)
        self.status.show(view)
        for panel in self.panels:
            if panel.display:
                panel.show(view)

    def set_ink(self, ink: dict[str, Style]) -> None:
        """Another theme's styles."""
        self._ink = ink
        for canvas in self._canvases():
            canvas.set_ink(ink)

    def say(self, text: str, role: str = "text") -> None:
        """Show a command's state in the message line."""
        self.message.say(text, role)
        self._fit_foot()

    def tell(self, story: str) -> None:
        """Show a line of narration."""
        self.message.tell(story)
        self._fit_foot()

    @property
    def panes(self) -> frozenset[str]:
        """The ids of the panes that are displayed."""
        return self._board.plan.panes

    def on_resize(self, event: events.Resize) -> None:
        """Choose the plan for the new size."""
        self._follow_plan(event.size)
        if self._view is not None:
            self.show(self._view)
        self._fit_foot()
        self._say_too_small(event.size)

    def _canvases(self) -> tuple[Canvas, ...]:
        return (self.status, *self.panels, self.small, self.message, self.keys)

    def _follow_plan(self, size: Size) -> None:
        plan = plan_for(size)
        if plan is self._board.plan and self.small.display == (plan is TINY):
            return
        self._board.plan = plan
        self.small.display = plan is TINY
        for panel in self.panels:
            panel.display = panel.id in plan.panes
        self.refresh(layout=True)

    def _say_too_small(self, size: Size) -> None:
        if self.small.display:
            text = f" terminal too small: {size.width}x{size.height}, needs {SMALLEST.width}x{SMALLEST.height}"
            rows = [row_of([(text, "warning")], size.width)]
            self.small.paint(rows)

    def _fit_lines(self, view: View) -> None:
        head = 3 if link_trouble(view) else 2
        if head != self._board.head:
            self._board.head = head
            self.status.refresh(layout=True)

    def _fit_foot(self) -> None:
        if self.message.lines != self._board.foot:
            self._board.foot = self.message.lines
            self.message.refresh(layout=True)
