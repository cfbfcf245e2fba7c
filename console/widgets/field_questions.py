"""What the phase must show: each question with its word, its estimate and interval against the limit, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator

from console.marks import FIELD_MARKS
from console.phases.states import PhaseState, QuestionState
from console.testing.view import FieldView
from console.testing.wording import span_words
from console.widgets.cells import Span, clean, width_of
from console.widgets.field_panel import FieldPanel
from console.widgets.item_words import wrapped

WORD_CELLS = len("not yet decided")


class QuestionsPanel(FieldPanel):
    """Two rows a question: verdict and title, then the numbers."""

    TITLE = "Must show"
    HELP = (
        "What the phase must show. A question passes by the bound of its interval, never by its estimate alone; few trials "
        "leave it undecided. `about 12 more trials` means: if they go as those so far. A sequential plan may be looked at "
        "after every trial and is decided for good at the first crossing. Only trials of this bundle on this robot count."
    )

    def caption(self, view: FieldView) -> str:
        """The phase, how many trials it has of those planned, and how many do not count."""
        phase = view.phase
        if phase is None:
            return ""
        left_out = sum(phase.left_out.values())
        out = f", {left_out} left out" if left_out else ""
        return clean(f"{phase.phase.title}: {phase.trials} of {phase.phase.planned_n} trials planned{out}")

    def lines(self, view: FieldView, width: int, height: int) -> list[list[Span]]:
        """All questions, then why trials do not count and how long the phase must run."""
        phase = view.phase
        if phase is None:
            return [
                [("This checklist has no phases of field testing; docs/phases.md shows how to write them.", "muted")]
            ]
        rows: list[list[Span]] = []
        power = dict(view.power)
        for question in phase.questions:
            rows += _question(view, question, power.get(question.question.id, ""), width)
        rows += [[(line, "muted")] for text in _also(phase) for line in wrapped(text, width)]
        return rows


def _question(view: FieldView, state: QuestionState, power: str, width: int) -> Iterator[list[Span]]:
    verdict = state.judgement.verdict
    mark = FIELD_MARKS[verdict]
    title = clean(state.question.title)
    first: list[Span] = [
        (f"{view.charset.glyph(verdict)} {mark.word:<{WORD_CELLS}} ", mark.role),
        (title, "strong"),
    ]
    rows = [first, *([("  ", "text"), (line, "text")] for line in wrapped(_numbers(state), width - 2))]
    for row in rows:  # what the plan is worth stands where there is room
        left = width - sum(width_of(text) for text, _ in row)
        if power and width_of(power) + 2 <= left:
            row.append((clean(power).rjust(left), "muted"))
            break
    yield from rows


def rows_of(state: QuestionState, width: int) -> int:
    """How many rows a question needs, so that none of its numbers is cut."""
    return 1 + max(1, len(wrapped(_numbers(state), width - 2)))


def _numbers(state: QuestionState) -> str:
    """`41 of 43 = 95.3 % [86.0, 98.9] against >= 95 %, about 12 more trials`."""
    if state.measurement is None:
        return state.why or state.words or "nothing to count yet"
    words = state.words
    for said_above in (": not yet decided", f": {state.judgement.verdict}"):
        words = words.replace(said_above, "", 1)
    return words


def _also(phase: PhaseState) -> Iterator[str]:
    for reason, count in phase.left_out.items():
        yield f"{count} trial{'' if count == 1 else 's'} left out: {clean(reason)}"
    if phase.phase.min_running:
        yield f"sessions ran {span_words(phase.running_s)} together, at least {phase.phase.min_running} wanted"
    yield f"a trial: {clean(phase.phase.trial)}; success: {clean(phase.phase.success)}"
