"""The success rate over the trials with its confidence sequence, drawn in cells."""

from __future__ import annotations

from console.testing.view import FieldView, Trend
from console.widgets.cells import Span, clean
from console.widgets.field_panel import FieldPanel

AXIS_CELLS = 6
LEAST_ROWS = 5


class TrendPanel(FieldPanel):
    """A column for each trial, or for several: the rate so far, and the band of rates that are not refuted."""

    TITLE = "Trend"
    HELP = (
        "The success rate after each trial, and the band of rates that the trials so far do not refute: it may be looked at "
        "after every trial. The line is what is wanted; where the whole band lies above it, the question is decided."
    )

    def caption(self, view: FieldView) -> str:
        """What is drawn."""
        return clean(view.trend.words) if view.trend is not None else ""

    def lines(self, view: FieldView, width: int, height: int) -> list[list[Span]]:
        """The plot, or why there is none."""
        trend = view.trend
        if trend is None or not trend.points:
            return [[("no trial to draw yet", "muted")]]
        if height < LEAST_ROWS or width < AXIS_CELLS + 8:
            return [[("too small to draw", "muted")]]
        return _plot(trend, width, height, ascii=view.charset.ascii)


def _plot(trend: Trend, width: int, height: int, *, ascii: bool) -> list[list[Span]]:
    rows = height - 1
    low = max(0.0, min([1.0 if trend.threshold is None else trend.threshold, trend.points[-1][2]]) - 0.15)
    span = 1.0 - low
    chosen = _columns(trend.points, width - AXIS_CELLS)
    wanted = -1 if trend.threshold is None else _row(trend.threshold, low, span, rows)
    drawn = [_cells(chosen, y, wanted, low, span, rows, ascii) for y in range(rows)]
    axis = {0: "100 %", rows - 1: f"{100 * low:.0f} %"}
    if trend.threshold is not None:
        axis[wanted] = f"{100 * trend.threshold:.0f} %"
    lines = [[(axis.get(y, "").rjust(AXIS_CELLS - 1) + " ", "muted"), *spans] for y, spans in enumerate(drawn)]
    first, last = f"trial {chosen[0][0]}", str(chosen[-1][0])
    gap = max(1, len(chosen) - len(first) - len(last))
    return [*lines, [(" " * AXIS_CELLS + first + " " * gap + last, "muted")]]


def _columns(points: tuple[tuple[int, float, float, float], ...], width: int) -> list[tuple[int, float, float, float]]:
    """At most `width` of the points, evenly chosen, the last one always among them."""
    if len(points) <= width:
        repeat = max(1, width // len(points)) if len(points) < width // 2 else 1
        return [point for point in points for _ in range(repeat)]
    step = (len(points) - 1) / (width - 1)
    return [points[round(n * step)] for n in range(width)]


def _row(share: float, low: float, span: float, rows: int) -> int:
    return min(rows - 1, max(0, round((1 - (share - low) / span) * (rows - 1))))


def _cells(
    points: list[tuple[int, float, float, float]], y: int, wanted: int, low: float, span: float, rows: int, ascii: bool
) -> list[Span]:
    dot, band, line = ("*", ":", "-") if ascii else ("●", "░", "─")
    spans: list[Span] = []
    for _, share, lower, upper in points:
        if y == _row(share, low, span, rows):
            cell = (dot, "info")
        elif y == wanted:
            cell = (line, "warning")
        elif _row(upper, low, span, rows) <= y <= _row(lower, low, span, rows):
            cell = (band, "trace")
        else:
            cell = (" ", "text")
        if spans and spans[-1][1] == cell[1]:
            spans[-1] = (spans[-1][0] + cell[0], cell[1])
        else:
            spans.append(cell)
    return spans
