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
from console.fieldtest.criteria import Criterion, Rate, Verdict
from console.fieldtest.judging import limit_words
from console.fieldtest.sequential import SequentialTest
from console.fieldtest.spans import time_words
from console.fieldwork.figures import Figure
from console.phases.states import FieldState, PhaseState, QuestionState, SessionState, Status, TrialState
from console.report.plots import Bar, Crossing, Path, bar_plot, path_plot
from console.report.trial_rows import TrialTable, trial_table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from console.fieldtest.sequential import Direction
    from console.phases.schema import Plan

MOST_POINTS = 400
"""A longer row of trials is thinned for its plot: more than its pixels."""
MOST_LOOKS = 2000
"""After so many trials at most the band is computed, a third of a second."""
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
    trials: TrialTable
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
    """The whole field test. `kpis` are those with a measurement, failed ones first; `not_measured` names the others."""

    phases: tuple[PhaseSheet, ...]
    sessions: tuple[SessionSheet, ...]
    kpis: tuple[QuestionSheet, ...]
    not_measured: tuple[str, ...] = ()


def field_sheet(field: FieldState, figures: Sequence[Figure]) -> FieldSheet | None:
    """Gather it; None where the pack has no phases and nothing was measured."""
    if not field.phases and not any(one.state.measurement is not None for one in figures):
        return None
    return FieldSheet(
        phases=tuple(_phase(one, field.trials) for one in field.phases),
        sessions=tuple(_session(one) for one in field.sessions),
        kpis=tuple(_kpi(one) for one in sorted(figures, key=_place) if one.state.measurement is not None),
        not_measured=tuple(_not_measured(figures)),
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
        trials=trial_table(trials, phase.id),
        cautions=state.cautions,
    )


def _counted(state: PhaseState) -> str:
    out = [f"{n} left out ({reason})" for reason, n in state.left_out.items()]
    hours = [f"{time_words(state.running_s)} of running"] if state.running_s else []
    return "; ".join([f"{state.trials} of {state.phase.planned_n} planned trials", *hours, *out])


def _question(state: QuestionState, trials: Sequence[TrialState], aborted: Any) -> QuestionSheet:
    question, criterion = state.question, state.question.criterion
    glyph, word, role = _VERDICTS[state.judgement.verdict]
    plot = ""
    alt = f"{question.title} over the trials, with its bounds"
    if criterion.metric == "success_rate" and isinstance(state.measurement, Rate):
        outcomes = _outcomes(trials, question.where, aborted)
        plot, words = _path(outcomes, criterion, question.plan)
        alt += words
    return QuestionSheet(
        title=question.title,
        glyph=glyph,
        word=word,
        role=role,
        words=state.words,
        asked=limit_words(criterion),
        denominator=question.denominator,
        plot=plot,
        alt=alt,
    )


def _outcomes(trials: Sequence[TrialState], where: Mapping[str, str], aborted: str) -> list[bool]:
    chosen = [one for one in trials if all(one.conditions.get(name) == value for name, value in where.items())]
    return [one.outcome == "success" for one in chosen if not (aborted == "excluded" and one.outcome == "aborted")]


def _path(outcomes: Sequence[bool], criterion: Criterion, plan: Plan | None) -> tuple[str, str]:
    """The plot and what its caption says of the decision. What was refuted once stays refuted: the band never widens."""
    import numpy as np

    if len(outcomes) < 2:
        return "", ""
    direction: Direction = "<" if criterion.comparison.startswith("<") else ">"
    share = min(max(criterion.threshold / 100, 0.001), 0.999)
    test = SequentialTest(share, round(1 - criterion.confidence, 12), direction)
    looks = _spread_out(len(outcomes), MOST_LOOKS)
    successes = np.cumsum(outcomes)[looks - 1]
    lower, upper = test.bounds_of(successes, looks)
    running = np.maximum.accumulate(lower), np.minimum.accumulate(upper)
    shown = _spread_out(len(looks), MOST_POINTS) - 1
    values, low, high = ((100 * each[shown]).tolist() for each in (successes / looks, *running))
    decided = test.decided_at(outcomes[: plan.n]) if plan is not None and plan.look == "sequential" else None
    crossing = Crossing(decided.n, decided.verdict) if decided else None
    words = f"; {decided.verdict} after trial {decided.n}" if decided else ""
    path = Path(values, low, high, looks[shown].tolist(), crossing)
    return _uri(path_plot(path, criterion.threshold, "success so far")), words


def _spread_out(n: int, most: int) -> np.ndarray:
    """1 to `n`, evenly thinned to `most`, both ends kept."""
    import numpy as np

    return np.unique(np.linspace(1, n, min(n, most)).round().astype(int))


# ------------------------------------------------------------ conditions


def _varies(trials: Iterable[TrialState], condition: str) -> bool:
    return len({one.conditions.get(condition, "") for one in trials}) > 1


def _by_condition(trials: Sequence[TrialState], id: str, title: str, aborted: Any) -> ConditionSheet:
    groups = success_by(trials, id, aborted=aborted)
    bars = [
        Bar(one.value or "not said", one.share, one.lower, one.upper, f"{one.rate.successes} of {one.rate.n}")
        for one in groups
    ]
    plot = bar_plot(bars, f"success by {title.lower()}, %", span=(0.0, 100.0))
    return ConditionSheet(f"Success by {title.lower()}", _uri(plot), tuple(_notes(groups)))


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
        running = f"{time_words(found.known_s)}{share}"
        named = ("crashes", "hangs", "reboots", "agent_restarts", "camera_faults")
        trouble = [f"{getattr(found, name)} {name.replace('_', ' ')}" for name in named if getattr(found, name)]
        trouble += [f"{time_words(found.unknown_s)} unknown"] if found.unknown_s >= 60 else []
        trouble += [f"throttled {time_words(found.throttled_s)}"] if found.throttled_s else []
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


def _place(figure: Figure) -> int:
    """Where a figure stands in the table: what failed is not to be looked for."""
    return ("fail", "inconclusive", "marginal", "pass").index(figure.state.judgement.verdict)


def _not_measured(figures: Iterable[Figure]) -> Iterable[str]:
    """The figures without a measurement, those of one reason together."""
    reasons: dict[str, list[str]] = {}
    for one in figures:
        if one.state.measurement is None:
            reasons.setdefault(one.state.words, []).append(one.kpi.title)
    for reason, titles in reasons.items():
        yield ", ".join(titles) + (f" ({reason})" if reason else "")


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
