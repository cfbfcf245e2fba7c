"""What lets a phase begin and what must go on holding: each condition with its sign, its word and what was seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from console.marks import FIELD_MARKS
from console.phases.states import PhaseState
from console.record.entries import ConditionSeen
from console.testing.view import FieldView
from console.testing.wording import entry_words
from console.widgets.cells import Span, clean
from console.widgets.drawing import duration
from console.widgets.field_panel import FieldPanel
from console.widgets.item_words import wrapped

MOST_ROWS = 3


class ConditionsPanel(FieldPanel):
    """Entry conditions until the phase is begun, then only those that are not met; holding conditions always."""

    TITLE = "Conditions"
    HELP = (
        "Entry: what must be so before the phase may begin. Hold: what must go on being so during a session; it is looked at "
        "each second. When a condition is broken, or can't be known, for its time, the session is paused, and only a person "
        "resumes it (p). An old look is marked STALE and is not the present."
    )

    def age(self, view: FieldView) -> Span:
        """When the holding conditions were looked at."""
        phase = view.phase
        if phase is None or not phase.phase.holding:
            return ("", "muted")
        age = view.held_age_s
        if age is None:
            return ("not looked at yet", "muted")
        text = f"{duration(age, whole=True)} ago"
        return (f"{view.charset.glyph('stale')} STALE {text}", "warning") if view.held_is_stale else (text, "muted")

    def caption(self, view: FieldView) -> str:
        """How many entry conditions are met."""
        entry = view.phase.entry if view.phase is not None else ()
        return f"entry {sum(one.met is True for one in entry)} of {len(entry)} met" if entry else ""

    def lines(self, view: FieldView, width: int, height: int) -> list[list[Span]]:
        """Entry first, then what must hold."""
        phase = view.phase
        if phase is None:
            return [[("no phase", "muted")]]
        rows = [*_entry(view, phase, width), *_holding(view, phase, width, brief=False)]
        if len(rows) > height:  # the sign and the beginning of all of them say more than all of some
            rows = [*_entry(view, phase, width), *_holding(view, phase, width, brief=True)]
        return rows or [[("none in this phase", "muted")]]


def _entry(view: FieldView, phase: PhaseState, width: int) -> Iterator[list[Span]]:
    """All of them until the phase is begun, then those that are not met."""
    pairs = zip_longest(phase.phase.entry[: len(phase.entry)], phase.entry, fillvalue=None)
    shown = [(rule, one) for rule, one in pairs if one and (phase.begun_wall_ns is None or one.met is not True)]
    if shown:
        yield [("To begin", "strong")]
    for rule, one in shown:
        words = entry_words(rule, one) if rule is not None else one.words
        yield from _condition(view, one, words, width, stale=False)


def _holding(view: FieldView, phase: PhaseState, width: int, *, brief: bool) -> Iterator[list[Span]]:
    """What is broken comes first; `brief`: one row each."""
    holdings = phase.phase.holding
    other = view.other_bundle if all(one.check != "bundle" for one in holdings) else ""
    if not holdings and not other:
        return
    if any(phase.begun_wall_ns is None or one.met is not True for one in phase.entry):
        yield [("Must hold", "strong")]
    if other:
        unwanted = ConditionSeen(id="bundle", met=False, words=other)
        yield from _condition(view, unwanted, other, width, stale=False, most=1 if brief else MOST_ROWS)
    seen = {one.id: one for one in view.held.seen} if view.held is not None and view.held.phase == view.shown else {}
    unseen = [seen.get(one.id) or ConditionSeen(id=one.id, met=None, words="not looked at yet") for one in holdings]
    for holding, found in sorted(zip(holdings, unseen, strict=True), key=lambda pair: pair[1].met is True):
        text = f"{holding.title}: {found.words}"
        yield from _condition(view, found, text, width, stale=view.held_is_stale, most=1 if brief else MOST_ROWS)


def _condition(
    view: FieldView, seen: ConditionSeen, text: str, width: int, *, stale: bool, most: int = MOST_ROWS
) -> Iterator[list[Span]]:
    name = "unknown" if seen.met is None else "met" if seen.met else "unmet"
    mark = FIELD_MARKS[name]
    role = "stale" if stale else mark.role
    word = "" if name == "met" else f"{mark.word}: "
    for n, line in enumerate(wrapped(word + clean(text), width - 2, most)):
        yield [
            (f"{view.charset.glyph(name)} " if n == 0 else "  ", role),
            (line, "text" if name == "met" and not stale else role),
        ]
