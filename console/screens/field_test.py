"""The field test screen: phases, questions, the session, trials, conditions. It shows views and knows no record."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message

from console.screens.field_layout import FieldLayout
from console.screens.front_screen import FrontScreen, bindings_of
from console.testing.view import FieldView
from console.widgets.field_banner import FieldBanner
from console.widgets.field_conditions import ConditionsPanel
from console.widgets.field_head import FieldHead
from console.widgets.field_panel import FieldPanel
from console.widgets.field_questions import QuestionsPanel, rows_of
from console.widgets.field_stops import StopsPanel
from console.widgets.inked import Inked
from console.widgets.trial_list import TrialList
from console.widgets.trial_trend import TrendPanel


class FieldScreen(FrontScreen):
    """One campaign's field test."""

    AUTO_FOCUS = "#questions"
    HINT = "left, right: another phase; Tab: next pane; ? explains, : lists all"
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings_of("field"),
        Binding("left", "other_phase(-1)", "phase before", show=False),
        Binding("right", "other_phase(1)", "next phase", show=False),
    ]
    _plan: FieldLayout

    class Wanted(Message):
        """Another phase is to be looked at: `step` to the right."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    def __init__(self, ink: dict[str, Style]) -> None:
        super().__init__(ink, FieldLayout(), id="field")
        self._view: FieldView | None = None
        self.head = FieldHead(id="head")
        self.banner = FieldBanner(id="banner")
        self.panels: tuple[FieldPanel, ...] = (
            QuestionsPanel(id="questions"),
            TrialList(id="trials"),
            ConditionsPanel(id="conditions"),
            StopsPanel(id="stops"),
            TrendPanel(id="trend"),
        )

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

    def action_other_phase(self, step: int) -> None:
        """Say that another phase is to be looked at."""
        self.post_message(self.Wanted(step))

    def _parts(self) -> tuple[Inked, ...]:
        return (self.head, self.banner, *self.panels)

    def _display(self, size: Size) -> None:
        named = self._plan.regions(size)
        for panel in self.panels:
            panel.display = panel.id in named

    def _want(self, size: Size) -> None:
        super()._want(size)
        plan, view = self._plan, self._view
        plan.head = 2 + bool(view and view.state.warnings)
        phase = view.phase if view is not None else None
        if phase is not None:
            rows = sum(rows_of(one, size.width - 4) for one in phase.questions)
            plan.questions = 2 + rows + (2 if size.height >= plan.TALL_ROWS else 0)
            plan.stops = 2 + max(1, sum(3 if stop.reached else 1 for stop in phase.stops))
