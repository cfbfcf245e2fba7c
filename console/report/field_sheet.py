"""What the report shows of the field test: phases with what they prove, sessions, KPIs. Gathered here, drawn by the
template.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from console.checklist.wording import utc_words
from console.fieldtest.by_condition import Group, success_by
from console.fieldtest.criteria import Rate, Verdict
from console.fieldtest.judging import limit_words
from console.fieldtest.sequential import SequentialTest
from console.fieldwork.figures import Figure
from console.phases.states import FieldState, PhaseState, QuestionState, SessionState, Status, TrialState
from console.report.plots import Bar, Path, bar_plot, path_plot

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_POINTS = 400
"""A longer row of trials is thinned for its plot: more than its pixels."""
_VERDICTS: dict[Verdict, tuple[str, str, str]] = {
    "pass": ("✔", "pass", "ok"),
    "marginal": ("✔", "marginal", "warning"),
    "fail": ("✖", "fail", "critical"),
    "inconclusive": ("?", "not yet decided", "muted"),
}
_STATUSES: dict[Status, tuple[str, str]] = {
    "locked": ("·", "muted"),
    "ready": ("○", "muted"),
    "testing": ("◔", "info"),
    "pass": ("✔", "ok"),
    "marginal": ("✔", "warning"),
    "fail": ("✖", "critical"),
    "stopped": ("■", "critical"),
    "stale": ("↻", "warning"),
}


class QuestionSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One question, or one KPI, with its verdict; `plot` is an SVG as a data: address, empty for none."""

    title: str
    glyph: str
    word: str
    role: str
    words: str
    asked: str
    denominator: str
    plot: str = ""
    alt: str = ""


class ConditionSheet(msgspec.Struct, frozen=True):
    """Success by one condition: its plot, and a sentence for each value that differs beyond chance."""

    title: str
    plot: str
    notes: tuple[str, ...]


class PhaseSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One phase."""

    title: str
    glyph: str
    word: str
    role: str
    reason: str
    purpose: str
    trial: str
    success: str
    counted: str
    questions: tuple[QuestionSheet, ...]
    conditions: tuple[ConditionSheet, ...]
    stops: tuple[str, ...]
    cautions: tuple[str, ...] = ()


class SessionSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One session as a row: what was tried, how long it ran, what went wrong."""

    seq: int
    phase: str
    when: str
    person: str
    trials: str
    running: str
    trouble: str
    why_not: str


class FieldSheet(msgspec.Struct, frozen=True, kw_only=True):
    """The whole field test."""

    phases: tuple[PhaseSheet, ...]
    sessions: tuple[SessionSheet, ...]
    kpis: tuple[QuestionSheet, ...]


def field_sheet(field: FieldState, figures: Sequence[Figure]) -> FieldSheet | None:
    """Gather it; None where the pack has no phases and nothing was measured."""
    if not field.phases and not any(one.state.measurement is not None for one in figures):
        return None
    return FieldSheet(
        phases=tuple(_phase(one, field.trials) for one in field.phases),
        sessions=tuple(_session(one) for one in field.sessions),
        kpis=tuple(_kpi(one) for one in figures),
    )


# ------------------------------------------------------------ phases


def _phase(state: PhaseState, trials: Sequence[TrialState]) -> PhaseSheet:
    phase, (glyph, role) = state.phase, _STATUSES[state.status]
    own = [one for one in trials if one.phase == phase.id and one.counts]
    return PhaseSheet(
        title=phase.title,
        glyph=glyph,
        word=state.status,
        role=role,
        reason=state.reason,
        purpose=phase.purpose,
        trial=phase.trial,
        success=phase.success,
        counted=_counted(state),
        questions=tuple(_question(one, own, phase.aborted) for one in state.questions),
        conditions=tuple(
            _by_condition(own, one.id, one.title, phase.aborted) for one in phase.conditions if _varies(own, one.id)
        ),
        stops=tuple(
            f"{one.title}: {one.count} of {one.at}" + (", reached" if one.reached else "") for one in state.stops
        ),
        cautions=state.cautions,
    )


def _counted(state: PhaseState) -> str:
    out = [f"{n} left out ({reason})" for reason, n in state.left_out.items()]
    hours = [f"{state.running_s / 3600:.1f} h of running"] if state.running_s else []
    return "; ".join([f"{state.trials} of {state.phase.planned_n} planned trials", *hours, *out])


def _question(state: QuestionState, trials: Sequence[TrialState], aborted: Any) -> QuestionSheet:
    question, criterion = state.question, state.question.criterion
    glyph, word, role = _VERDICTS[state.judgement.verdict]
    plot = ""
    if criterion.metric == "success_rate" and isinstance(state.measurement, Rate):
        plot = _path(trials, question.where, aborted, criterion.threshold, 1 - criterion.confidence)
    return QuestionSheet(
        title=question.title,
        glyph=glyph,
        word=word,
        role=role,
        words=state.words,
        asked=limit_words(criterion),
        denominator=question.denominator,
        plot=plot,
        alt=f"{question.title} over the trials, with its bounds",
    )


def _path(trials: Sequence[TrialState], where: Mapping[str, str], aborted: str, threshold: float, alpha: float) -> str:
    import numpy as np

    chosen = [one for one in trials if all(one.conditions.get(name) == value for name, value in where.items())]
    outcomes = [one.outcome == "success" for one in chosen if not (aborted == "excluded" and one.outcome == "aborted")]
    if len(outcomes) < 2:
        return ""
    test = SequentialTest(min(max(threshold / 100, 0.001), 0.999), alpha)
    shown = np.unique(np.linspace(1, len(outcomes), min(len(outcomes), MOST_POINTS)).round().astype(int))
    successes = np.cumsum(outcomes)[shown - 1]
    lower, upper = test.bounds_of(successes, shown)
    values, low, high = ((100 * share).tolist() for share in (successes / shown, lower, upper))
    path = Path(values, low, high, shown.tolist())
    return _uri(path_plot(path, threshold, "success so far"))


# ------------------------------------------------------------ conditions


def _varies(trials: Iterable[TrialState], condition: str) -> bool:
    return len({one.conditions.get(condition, "") for one in trials}) > 1


def _by_condition(trials: Sequence[TrialState], id: str, title: str, aborted: Any) -> ConditionSheet:
    groups = success_by(trials, id, aborted=aborted)
    bars = [
        Bar(one.value or "not said", one.share, one.lower, one.upper, f"{one.rate.successes} of {one.rate.n}")
        for one in groups
    ]
    return ConditionSheet(f"Success by {title.lower()}", _uri(bar_plot(bars, "%")), tuple(_notes(groups)))


def _notes(groups: Sequence[Group]) -> Iterable[str]:
    for one in groups:
        if one.p_adjusted < 0.05:
            odds = f"p {one.p_adjusted:.2g} after looking at {len(groups)}"
            yield f"{one.value or 'not said'}: {one.rate.successes} of {one.rate.n}, unlike the others ({odds})"


# ------------------------------------------------------------ sessions and figures


def _session(state: SessionState) -> SessionSheet:
    running, when = "not measured", f"{utc_words(state.began_wall_ns)} to "
    when += utc_words(state.ended_wall_ns) if state.ended_wall_ns is not None else "now, still open"
    trouble: list[str] = []
    if state.measured is not None:
        found = state.measured.running
        share = f", up {100 * found.up_s / found.known_s:.2f} %" if found.known_s else ""
        running = f"{found.known_s / 3600:.2f} h{share}"
        named = ("crashes", "hangs", "reboots", "agent_restarts", "camera_faults")
        trouble = [f"{getattr(found, name)} {name.replace('_', ' ')}" for name in named if getattr(found, name)]
        trouble += [f"{found.unknown_s / 60:.0f} min unknown"] if found.unknown_s >= 60 else []
        trouble += [f"throttled {found.throttled_s / 60:.0f} min"] if found.throttled_s else []
    trouble += [f"{state.interventions} interventions"] if state.interventions else []
    trials = f"{state.successes} of {state.trials}" if state.trials else "none"
    return SessionSheet(
        seq=state.seq,
        phase=state.phase,
        when=when,
        person=state.person,
        trials=trials + (f", {state.frames_scored} frames scored" if state.frames_scored else ""),
        running=running,
        trouble=", ".join(trouble) or "none",
        why_not=state.why_not,
    )


def _kpi(figure: Figure) -> QuestionSheet:
    glyph, word, role = _VERDICTS[figure.state.judgement.verdict]
    return QuestionSheet(
        title=figure.kpi.title,
        glyph=glyph,
        word=word,
        role=role,
        words=figure.state.words,
        asked=limit_words(figure.kpi.criterion),
        denominator=f"{figure.kpi.formula}, of {figure.kpi.denominator}",
    )


def _uri(svg: bytes) -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"
