"""The field test's own status rows: campaign and person, and all phases in a strip."""

from __future__ import annotations

from collections.abc import Iterator

from console.checklist.wording import short
from console.marks import FIELD_MARKS
from console.phases.states import PhaseState
from console.testing.view import FieldView
from console.widgets.cells import Span, clean, row_of, width_of
from console.widgets.view_canvas import ViewCanvas


class FieldHead(ViewCanvas[FieldView]):
    """Two rows, and a third while a warning of the record stands."""

    def show(self, view: FieldView) -> None:
        """Show `view`."""
        self._shown = view
        width, height = self.size
        rows = [row_of(_campaign(view), width), row_of(_strip(view, width), width)]
        if view.state.warnings:
            rows.append(row_of([(f" {clean(' · '.join(view.state.warnings))}".ljust(width), "notice")], width))
        self.paint(rows[:height])


def _campaign(view: FieldView) -> list[Span]:
    state = view.state
    spans: list[Span] = [(f" {clean(state.campaign)}", "strong")]
    spans += _part("as", clean(view.person), "accent")
    spans += _part("bundle", f"{clean(state.bundle_name)} {short(state.bundle)}".strip(), "text")
    if view.other_bundle:
        spans.append((f" {view.charset.glyph('unmet')} {clean(view.other_bundle.partition(',')[0])}", "critical"))
    spans += _part("trials", str(sum(one.counts for one in state.field.trials)), "text")
    spans += _part("sessions", str(len(state.field.sessions)), "text")
    return [*spans, *_part("entries", str(state.entries), "muted")]


def _part(name: str, text: str, role: str) -> Iterator[Span]:
    yield from ((" │ ", "line"), (f"{name} ", "muted"), (text, role))


def _strip(view: FieldView, width: int) -> list[Span]:
    """All phases with their states; where they don't fit, only the shown one keeps its word."""
    long = _phases(view, words=True)
    return long if sum(width_of(text) for text, _ in long) <= width else _phases(view, words=False)


def _phases(view: FieldView, *, words: bool) -> list[Span]:
    spans: list[Span] = []
    for phase in view.field.phases:
        if spans:
            spans.append((" ─ ", "line"))
        spans += _phase(view, phase, words=words)
    return spans or [(" no phases in this checklist", "muted")]


def _phase(view: FieldView, phase: PhaseState, *, words: bool) -> Iterator[Span]:
    shown = phase.phase.id == view.shown
    mark = FIELD_MARKS[phase.status]
    name = clean(phase.phase.id)
    word = f" {mark.word}" if words or shown else ""
    text = f"{view.charset.glyph(phase.status)} {name}{word}"
    yield (f"[{text}]", "cursor") if shown else (f" {text} ", mark.role)
