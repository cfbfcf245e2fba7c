"""Failures as cells: glyph and word of a kind, its colour, the mark, the time."""

from __future__ import annotations

import time

from console.failures.rows import FailureRow, MarkWord
from console.marks import Charset
from console.widgets.cells import Span, clean, fit

_MILD = ("low_confidence", "class_flicker", "latency_over_budget", "constraint_hit")
_MARK_LOOK: dict[MarkWord, tuple[str, str]] = {
    "": ("", "muted"),
    "seen": ("acknowledged", "muted"),
    "real": ("error", "critical"),
    "false_alarm": ("off", "muted"),
    "to_label": ("next", "accent"),
}
TIME, KIND, LABELS, LIGHT, MARK = 14, 21, 11, 6, 9
"""Widths in cells of the columns."""
FULL = 92
"""Rows of fewer cells have no room for conditions in most lines, so their head does not name them."""
LEAST_CONDITIONS = 6
_SHORT = {"": "", "seen": "seen", "real": "real", "false_alarm": "false", "to_label": "label"}


def kind_span(kind: str, charset: Charset, width: int = KIND) -> Span:
    """Glyph and words of a kind."""
    glyph, role = ("info", "accent") if kind == "operator_mark" else ("error", "critical")
    if kind in _MILD:
        glyph, role = "warning", "warning"
    return fit(f"{charset.glyph(glyph)} {clean(kind).replace('_', ' ')}", width), role


def mark_span(mark: MarkWord, charset: Charset) -> Span:
    """Glyph and word of a mark."""
    glyph, role = _MARK_LOOK[mark]
    return fit(f"{charset.glyph(glyph)} {_SHORT[mark]}" if mark else "", MARK), role


def time_span(wall_ns: int) -> Span:
    """Day and time of day by this laptop's clock, `11-20 10:00:00`."""
    try:
        text = time.strftime("%m-%d %H:%M:%S", time.localtime(wall_ns // 1_000_000_000)) if wall_ns else "-"
    except (OverflowError, ValueError, OSError):
        text = "?"
    return fit(text, TIME), "muted"


def failure_spans(row: FailureRow, charset: Charset, width: int) -> list[Span]:
    """One failure in `width` cells: time, kind, labels, light, mark, text, conditions; the last ones as far as they fit."""
    light = "-" if row.light is None else f"{row.light:.0f}"
    spans: list[Span] = [time_span(row.wall_ns), (" ", "text"), kind_span(row.kind, charset), (" ", "text")]
    left = width - TIME - KIND - 2
    spans.append((f"{fit(light, LIGHT - 1, right=True)} ", "text"))
    spans.append((f"{fit(clean(','.join(row.labels)) or '-', LABELS - 1)} ", "text"))
    spans.append(mark_span(row.mark, charset))
    left -= LIGHT + LABELS + MARK
    conditions = clean(" ".join(word for _, word in sorted(row.conditions.items())))
    sign = f"{charset.glyph('picture')} " if row.at else "  "
    text = f"{'(noted) ' if row.notes else ''}{clean(row.text)}"
    free = left - 2 - len(text)  # the text comes first, what it leaves is the conditions'
    room = min(len(conditions) + 1, free) if free >= LEAST_CONDITIONS else 0
    spans += [(sign, "accent"), (fit(text, max(0, left - 2 - room)), "text")]
    return [*spans, (fit(f" {conditions}", room), "accent")] if room else spans


def heading(width: int) -> list[Span]:
    """The columns' names over `failure_spans`."""
    names = (("time", TIME + 1), ("kind", KIND + 1), ("light", LIGHT), ("labels", LABELS), ("mark", MARK))
    last = "  text, conditions" if width >= FULL else "  text"
    return [(fit("".join(fit(name, size) for name, size in names) + last, width), "muted")]
