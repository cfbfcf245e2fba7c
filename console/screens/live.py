"""The live screen: status line, panes, message line, key line. It shows views and knows no session."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from rich.style import Style
from textual.binding import BindingType
from textual.geometry import Size
from textual.widget import Widget

from console.screens.board import BoardLayout, plan_for
from console.screens.front_screen import FrontScreen, bindings_of
from console.view import View
from console.widgets.alarms import AlarmsPanel
from console.widgets.camera import CameraPanel
from console.widgets.detections import DetectionsPanel
from console.widgets.events import EventsPanel
from console.widgets.failures import FailuresPanel
from console.widgets.inked import Inked
from console.widgets.latency import LatencyPanel
from console.widgets.list_panel import ListPanel
from console.widgets.load import LoadPanel
from console.widgets.panel import Panel
from console.widgets.rate import RatePanel
from console.widgets.thermal import ThermalPanel


class LiveScreen(FrontScreen):
    """One robot, live."""

    AUTO_FOCUS = "#latency"
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("live", "app.{}")
    _plan: BoardLayout

    def __init__(self, ink: dict[str, Style]) -> None:
        super().__init__(ink, BoardLayout(), id="live")
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
        """Everything; what the plan for the terminal's size leaves out is not even in the first paint."""
        self._display(self.app.size)
        yield from super().compose()

    @property
    def plan_name(self) -> str:
        """The name of the plan in use."""
        return self._plan.plan.name

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
        self.show_link(view)
        for panel in self.panels:
            if panel.display:
                panel.show(view)

    @property
    def panes(self) -> frozenset[str]:
        """The ids of the panes that are displayed."""
        return self._plan.plan.panes

    def _resized(self, size: Size) -> None:
        super()._resized(size)
        if self._link is not None:
            self.show(self._link)

    def _parts(self) -> tuple[Inked, ...]:
        return self.panels

    def _display(self, size: Size) -> None:
        self._plan.plan = plan_for(size)
        for panel in self.panels:
            panel.display = panel.id in self._plan.plan.panes
