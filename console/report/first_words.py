"""What a manager reads first: what is proved, what is missing, and which figures fail, in a few short sentences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from console.fieldtest.measures import MEASURES
from console.fieldwork.figures import Figure
from console.phases.states import FieldState, PhaseState, QuestionState

_NOT_BEGUN = ("locked", "ready")


def first_words(field: FieldState, figures: Sequence[Figure]) -> tuple[str, ...]:
    """Two sentences where there is something to say: of the phases, and of the figures."""
    return tuple(words for words in (_phases(field), _figures(figures)) if words)


def _phases(field: FieldState) -> str:
    begun = [one for one in field.phases if one.status not in _NOT_BEGUN]
    if not field.phases:
        return ""
    if not begun:
        return "No phase of the field test was begun."
    left = [one.phase.title for one in field.phases if one.status in _NOT_BEGUN]
    tail = [f"Not begun: {', '.join(left)}."] if left else []
    return " ".join([*(f"{one.phase.title}: {_stands(one)}." for one in begun), *tail])


def _stands(phase: PhaseState) -> str:
    if phase.status != "testing":
        words = phase.reason if phase.status in ("fail", "stopped", "stale") else ""
        return phase.status + (f" ({words})" if words else "")
    missing = [one for one in phase.questions if one.judgement.verdict == "inconclusive"]
    return f"not yet decided, {', '.join(map(_missing, missing))}" if missing else f"not yet decided, {phase.reason}"


def _missing(question: QuestionState) -> str:
    """`about 12 more trials for Success`, and how many the plan still has where these are fewer."""
    title, metric, more = question.question.title, question.question.criterion.metric, question.more
    if not more or metric not in MEASURES:
        return f"{title} open" if question.measurement is not None else f"{title} not measured"
    home = MEASURES[metric].home
    unit = {"running": "hours"}.get(home, home)
    words = f"about {more:,} more {unit if more != 1 else unit.removesuffix('s')} for {title}"
    plan = question.question.plan
    left = plan.n - question.judgement.n if plan is not None else more
    return words if more <= left else f"{words} (the plan has {max(0, left):,})"


def _figures(figures: Sequence[Figure]) -> str:
    measured = [one for one in figures if one.state.measurement is not None]
    if not measured:
        return "No figure was measured." if figures else ""
    failed = [one.kpi.title for one in measured if one.state.judgement.verdict == "fail"]
    return _count(failed) + _rest(figures, len(measured))


def _count(failed: list[str]) -> str:
    if not failed:
        return "No figure fails"
    return f"{len(failed)} figure{'s fail' if len(failed) > 1 else ' fails'}: {', '.join(failed)}"


def _rest(figures: Iterable[Figure], measured: int) -> str:
    every = list(figures)
    open_ = sum(one.state.measurement is not None and one.state.judgement.verdict == "inconclusive" for one in every)
    parts = [f"{open_} not yet decided"] if open_ else []
    parts += [f"{len(every) - measured} not measured"] if measured < len(every) else []
    return f"; {', '.join(parts)}." if parts else "."
