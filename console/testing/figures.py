"""What the field test screen draws and says beside the fold: the success rate trial by trial, and what each plan is worth.

Both need scipy and take a while, so they are worked out in a thread, and only when their trials or rules have changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.phases.schema import Phase, Question
from console.phases.states import PhaseState, TrialState
from console.testing.reports import Figures
from console.testing.view import FieldView, Trend

if TYPE_CHECKING:
    from console.fieldtest.sequential import Direction, SequentialTest

MOST_POINTS = 120
METRIC = "success_rate"
CONFIDENCE = 0.95
"""Where the phase asks no question about its success rate."""


def figures_key(view: FieldView) -> object:
    """Changes when the figures must be worked out anew."""
    state = view.phase
    if state is None:
        return None
    return state.phase, tuple((one.seq, one.counts) for one in view.trials)


def figures_of(view: FieldView, key: object) -> Figures:
    """Trend and plans of the phase that `view` shows. Takes up to some tenths of a second, so call it in a thread."""
    state = view.phase
    if state is None:
        return Figures(key, None, ())
    power = [(question.id, power_words(question)) for question in state.phase.questions if question.plan is not None]
    return Figures(key, _trend(state, view.trials), tuple((id, words) for id, words in power if words))


def _trend(state: PhaseState, trials: tuple[TrialState, ...]) -> Trend | None:
    from console.fieldtest.sequential import SequentialTest

    question = next((one for one in state.phase.questions if one.criterion.metric == METRIC), None)
    outcomes = _outcomes(state.phase, question, trials)
    confidence = question.criterion.confidence if question is not None else CONFIDENCE
    threshold = question.criterion.threshold / 100 if question is not None else None
    test = SequentialTest(threshold if threshold is not None and 0 < threshold < 1 else 0.5, round(1 - confidence, 12))
    words = f"success rate and the {100 * confidence:.0f} % band of its trials"
    points = _points(test, outcomes) if outcomes else ()
    return Trend(question.id if question is not None else "", points, threshold, words) if points else None


def _points(test: SequentialTest, outcomes: list[bool]) -> tuple[tuple[int, float, float, float], ...]:
    """What was once refuted stays refuted, so the band never widens."""
    import numpy as np

    trials = np.array(_chosen(len(outcomes)))
    hits = np.cumsum(outcomes)[trials - 1]
    lower, upper = test.bounds_of(hits, trials)
    band = zip(np.maximum.accumulate(lower), np.minimum.accumulate(upper), strict=True)
    return tuple((int(n), float(k / n), float(a), float(b)) for n, k, (a, b) in zip(trials, hits, band, strict=True))


def _outcomes(phase: Phase, question: Question | None, trials: tuple[TrialState, ...]) -> list[bool]:
    where = question.where if question is not None else {}
    return [
        one.outcome == "success"
        for one in trials
        if one.counts
        and not (one.outcome == "aborted" and phase.aborted == "excluded")
        and all(one.conditions.get(name) == value for name, value in where.items())
    ]


def _chosen(n: int) -> list[int]:
    """1..n, or so many of them as are drawn, evenly, the last one among them."""
    if n <= MOST_POINTS:
        return list(range(1, n + 1))
    return [1 + round(at * (n - 1) / (MOST_POINTS - 1)) for at in range(MOST_POINTS)]


def power_words(question: Question) -> str:
    """`plan: 83 % to pass by 60 if it is 97 %`; empty where nothing can be said of it."""
    plan, criterion = question.plan, question.criterion
    if plan is None or criterion.unit != "%" or criterion.comparison == "==":
        return ""
    try:
        power = _power(question)
    except ValueError:  # an expected rate on the wrong side: the pack's lint says so
        return ""
    return f"plan: {100 * power:.0f} % to pass by {plan.n} if it is {plan.expected:g} %"


def _power(question: Question) -> float:
    from console.fieldtest.planning import power_of

    plan, criterion = question.plan, question.criterion
    assert plan is not None
    threshold, expected = criterion.threshold / 100, plan.expected / 100
    if plan.look == "fixed":
        return power_of(plan.n, threshold, expected, criterion.confidence, criterion.comparison)
    from console.fieldtest.sequential import SequentialTest
    from console.fieldtest.stopping import chances_of

    direction: Direction = ">" if criterion.comparison in (">", ">=") else "<"
    test = SequentialTest(threshold, round(1 - criterion.confidence, 12), direction)
    return float(chances_of(test, expected, plan.n).passed[-1])
