"""The stop rules of a phase and how far each count is."""

from __future__ import annotations

from collections.abc import Iterator

from console.phases.states import StopState
from console.testing.view import FieldView
from console.widgets.cells import Span, clean, fit, width_of
from console.widgets.drawing import bar
from console.widgets.field_panel import FieldPanel
from console.widgets.item_words import wrapped

METER_CELLS = 10


class StopsPanel(FieldPanel):
    """One row a rule, more where it was reached."""

    TITLE = "Stop rules"
    HELP = (
        "When to stop trying. A rule that is reached ends the session; testing goes on only after somebody wrote down what was "
        "found and done (l lifts the stop). Its count then begins anew."
    )

    def lines(self, view: FieldView, width: int, height: int) -> list[list[Span]]:
        """All rules."""
        phase = view.phase
        if phase is None or not phase.stops:
            return [[("none in this phase", "muted")]]
        return [row for stop in phase.stops for row in _stop(view, stop, width)]


def _stop(view: FieldView, stop: StopState, width: int) -> Iterator[list[Span]]:
    near = stop.count + 1 >= stop.at
    role = "critical" if stop.reached else "warning" if near and stop.count else "text"
    count = f" {stop.count} of {stop.at}"
    title = clean(stop.title)
    meter = _meter(view, stop, width - 2 - len(count) - width_of(title))
    taken = 2 + len(count) + sum(len(text) for text, _ in meter)
    name = "stopped" if stop.reached else "unmet" if role == "warning" else "met"
    yield [(f"{view.charset.glyph(name)} ", role), (fit(title, max(8, width - taken)), role), (count, role), *meter]
    if stop.reached:
        words = "REACHED: l lifts it with what was found and done" + (f"; {clean(stop.cure)}" if stop.cure else "")
        for line in wrapped(words, width - 2):
            yield [("  ", role), (line, role)]


def _meter(view: FieldView, stop: StopState, room: int) -> list[Span]:
    cells = min(METER_CELLS, room - 1)
    if cells < 4:
        return []
    role = "critical" if stop.reached else "trace"
    return [(" ", "text"), *bar(min(1.0, stop.count / stop.at), cells, view.charset, role)]
