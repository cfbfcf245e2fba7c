"""What is known of one failure, as lines; under them what was measured around it."""

from __future__ import annotations

import textwrap

from console.failures.around import SPAN_S, Around, Series
from console.failures.telling import facts_of, title_of, when
from console.marks import Charset
from console.reviewing.view import DetailView
from console.widgets.canvas import Canvas
from console.widgets.cells import Span, clean, fit, row_of
from console.widgets.drawing import history

NAME, NUMBERS = 16, 30
MOST_LINES = 60
"""Lines of one text; the whole one is in the store."""
_BESIDE_TELEMETRY = ("when", "labels", "light", "conditions", "mark")
"""Facts that stay where telemetry needs the room."""


class FailureFacts(Canvas):
    """Facts and notes, wrapped; with telemetry where that was asked for."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: DetailView | None = None
        self._edge: Span = ("", "text")
        self._top = 0

    def lines_for(self, view: DetailView, width: int) -> list[list[Span]]:
        """Everything, one list of spans a line."""
        lines: list[list[Span]] = [[(part, "strong")] for part in _wrapped(title_of(view.row), width, MOST_LINES)]
        for note in reversed(view.row.notes):
            lines += _fact("said", f"{note.text} ({note.person}, {when(note.wall_ns)})", width)
        for name, value in facts_of(view.row):
            if view.around is None or name in _BESIDE_TELEMETRY:
                lines += _fact(name, value, width)
        if view.around is not None:
            lines += [[], *telemetry_lines(view.around, view.charset, width)]
        return lines

    def show(self, view: DetailView | None, edge: Span = ("", "text")) -> None:
        """Show a failure; None: nothing is selected. `edge` stands at the left of each line."""
        before = self._shown
        if view is None or before is None or before.row.id != view.row.id:
            self._top = 0
        self._shown, self._edge = view, edge
        width, height = self.size
        if width < 10 or not height:
            return
        lines = self.lines_for(view, width - 3) if view is not None else [[("nothing is selected", "muted")]]
        rows = [row_of([edge, *line], width) for line in self._in_sight(lines, height)]
        self.paint(rows + [row_of([edge], width)] * (height - len(rows)))

    def scroll_lines(self, by: int) -> None:
        """Show so many lines further down; less than 0: up."""
        self._top = max(0, self._top + by)
        self.show(self._shown, self._edge)

    def _in_sight(self, lines: list[list[Span]], height: int) -> list[list[Span]]:
        """The lines from the top on; where more stands above or below, the last row says so."""
        if len(lines) <= height:
            self._top = 0
            return lines
        room = max(1, height - 1)
        self._top = min(self._top, len(lines) - room)
        below = len(lines) - self._top - room
        more = f"{below} more lines below: down" if below else "the end; up shows the lines above"
        seen = lines[self._top : self._top + room]
        return [*seen, [(more, "muted")]] if height > 1 else seen

    def on_resize(self) -> None:
        """Fill the new size."""
        self.show(self._shown, self._edge)


def telemetry_lines(around: Around, charset: Charset, width: int) -> list[list[Span]]:
    """A table with a history of each metric, the failure in the middle; or why there is none."""
    if not around.series:
        return [[(f"around it: {around.reason}", "muted")]]
    plot = max(0, min(2 * SPAN_S + 1, width - NAME - NUMBERS - 1))
    middle = " " * (plot // 2) + charset.glyph("next")
    head: list[Span] = [(fit("around it", NAME), "muted"), (fit("before / at / after", NUMBERS), "muted")]
    lines: list[list[Span]] = [[*head, (middle if plot else "", "critical")]]
    lines += [_series(one, charset, plot) for one in around.series]
    if plot:
        feet = f"-{SPAN_S} s".ljust(plot // 2) + f"+{SPAN_S} s".rjust(plot - plot // 2)
        lines.append([(" " * (NAME + NUMBERS), "text"), (feet, "muted")])
    return lines


def _series(one: Series, charset: Charset, plot: int) -> list[Span]:
    before = [value for at, value in one.points if at < -1]
    after = [value for at, value in one.points if at > 1]
    near = min(one.points, key=lambda point: abs(point[0]))[1]
    words = " / ".join(_number(value, one.digits) for value in (_middle(before), near, _middle(after)))
    values = [value for _, value in one.points]
    low, top = min(values), max(values)
    cells: list[float | None] = [None] * plot
    for at, value in one.points:
        place = round((at + SPAN_S) / (2 * SPAN_S) * (plot - 1)) if plot > 1 else 0
        if plot:
            cells[place] = value
    drawn = history(cells, plot, charset, top=top if top > low else low + 1, low=min(low, 0.6 * low)) if plot else ""
    return [(fit(one.name, NAME), "text"), (fit(f"{words} {one.unit}", NUMBERS), "text"), (drawn, "trace")]


def _middle(values: list[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _fact(name: str, value: str, width: int) -> list[list[Span]]:
    if len(name) > 10:
        name, value = "", f"{name}: {value}"
    first, *rest = _wrapped(value, width - 11, MOST_LINES) or [""]
    return [[(f"{fit(name, 10)} ", "muted"), (first, "text")], *[[(" " * 11, "text"), (part, "text")] for part in rest]]


def _wrapped(text: str, width: int, most: int) -> list[str]:
    return textwrap.wrap(clean(text), max(10, width), max_lines=most, placeholder="…")
