"""How one question stands: its measurement judged by its criterion, or by the plan that was stated before the first trial."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from console.fieldtest.criteria import Criterion, Estimate, Judgement, Measurement, Rate, Verdict, holds
from console.fieldtest.judging import judge, limit_words, measured_words, number_words, percent_words
from console.fieldtest.measures import MEASURES
from console.fieldtest.mtbf import is_clean
from console.fieldtest.spans import span_s
from console.phases.counting import Counted
from console.phases.schema import Phase, Plan, Question
from console.phases.states import QuestionState

if TYPE_CHECKING:
    from console.fieldtest.sequential import Direction, SequentialTest

UNDECIDED: Verdict = "inconclusive"


def question_state(question: Question, phase: Phase, counted: Counted, running_s: float) -> QuestionState:
    """The question's verdict, its words and how many more would decide. `running_s`: how long sessions ran, as far as known."""
    if counted.measurement is None:
        judgement = Judgement(verdict=UNDECIDED, why=counted.why)
        return _state(question, counted, judgement, counted.why)
    if question.plan is not None:
        return _planned(question, question.plan, counted)
    judgement = judge(question.criterion, counted.measurement)
    waits = _waits(question, phase, judgement, running_s)
    if waits:
        judgement = msgspec.structs.replace(judgement, verdict=UNDECIDED, more=None)
    return _state(question, counted, judgement, waits)


def _state(question: Question, counted: Counted, judgement: Judgement, tail: str) -> QuestionState:
    words = _words(question.criterion, counted.measurement, judgement, tail)
    why = counted.why if counted.measurement is None else judgement.why
    judged = msgspec.structs.replace(judgement, why=words)
    return QuestionState(
        question=question,
        measurement=counted.measurement,
        judgement=judged,
        words="; ".join(part for part in (words, counted.why if counted.measurement is not None else "") if part),
        why=why,
        more=judgement.more if judgement.verdict == UNDECIDED else None,
    )


def _waits(question: Question, phase: Phase, judgement: Judgement, running_s: float) -> str:
    """Why a figure of the running is not judged yet: what grows with time is too short, not wrong."""
    criterion = question.criterion
    known = MEASURES.get(criterion.metric)
    if known is None or known.home != "running":
        return ""
    if criterion.metric == "running_hours" and judgement.verdict == "fail" and criterion.comparison in (">", ">="):
        return f"{number_words(criterion.threshold - (judgement.value or 0.0), 'h')} more"
    if known.shape == "number" and phase.min_running is not None and running_s < span_s(phase.min_running):
        return f"judged after {phase.min_running} of running"
    return ""


# ------------------------------------------------------------ plans


def _planned(question: Question, plan: Plan, counted: Counted) -> QuestionState:
    assert counted.measurement is not None
    if isinstance(counted.measurement, Rate):
        sequential = plan.look == "sequential"
        judgement = (_sequential if sequential else _fixed)(question.criterion, plan, counted.outcomes)
        if sequential and judgement.verdict != UNDECIDED:
            return _decided(question, plan, counted, judgement)
    else:
        judgement = judge(question.criterion, counted.measurement)
        if judgement.n < plan.n:
            judgement = msgspec.structs.replace(judgement, verdict=UNDECIDED, more=plan.n - judgement.n)
    n = len(counted.outcomes) or judgement.n
    return _state(question, counted, judgement, _tail(question, plan, judgement, n))


def _decided(question: Question, plan: Plan, counted: Counted, judgement: Judgement) -> QuestionState:
    """What the first crossing decided, and by what; how it went on since decides nothing, and is shown."""
    looked = _looked_by(question.criterion, plan, counted.outcomes)
    n, home = looked.n, MEASURES[question.criterion.metric].home
    at = Rate(sum(counted.outcomes[:n]), n)
    share = msgspec.structs.replace(judgement, value=100 * at.successes / n)
    head = f"{measured_words(at, share, '%')}, {looked.side}, against {limit_words(_bare(question.criterion))}"
    words = f"{head}: {judgement.verdict}, decided after {home.removesuffix('s')} {n}"
    if len(counted.outcomes) > n:
        words += f"; by now {sum(counted.outcomes)} of {len(counted.outcomes)}"
    return QuestionState(
        question=question,
        measurement=counted.measurement,
        judgement=msgspec.structs.replace(judgement, why=words),
        words="; ".join(part for part in (words, counted.why) if part),
        why=judgement.why,
    )


def _tail(question: Question, plan: Plan, judgement: Judgement, n: int) -> str:
    if judgement.verdict != UNDECIDED:
        return ""
    home = MEASURES[question.criterion.metric].home
    if n >= plan.n:
        return f"given up as undecided after the {plan.n} {home} that were planned"
    if plan.look == "fixed":
        return f"judged at {plan.n}, {_number(plan.n - n, home)}"
    if not judgement.more:
        return f"{_number(plan.n - n, home)} are planned"
    about = f"about {_number(judgement.more, home)}"
    return about if judgement.more <= plan.n - n else f"{about} at this rate, the plan has {plan.n - n}"


def _number(count: int, home: str) -> str:
    return f"{count} more {home if count != 1 else home.removesuffix('s')}"


def _fixed(criterion: Criterion, plan: Plan, outcomes: tuple[bool, ...]) -> Judgement:
    """Judged once, by the first `n`: looking again later would be a second chance."""
    rate = Rate(sum(outcomes[: plan.n]), len(outcomes[: plan.n]))
    judgement = judge(msgspec.structs.replace(criterion, n_min=plan.n), rate)
    return msgspec.structs.replace(judgement, more=max(0, plan.n - rate.n) or None)


def _sequential(criterion: Criterion, plan: Plan, outcomes: tuple[bool, ...]) -> Judgement:
    """Decided at the first crossing among the first `n`, in the order of the trials; what comes later changes nothing."""
    looked = _looked_by(criterion, plan, outcomes)
    value = 100 * sum(outcomes) / len(outcomes)
    return Judgement(
        verdict=looked.verdict or UNDECIDED,
        value=value,
        lower=100 * looked.lower,
        upper=100 * looked.upper,
        n=len(outcomes),
        more=looked.more,
        meets_letter=holds(value, criterion.comparison, criterion.threshold),
    )


class _Looked(NamedTuple):
    """`n`: after so many it was decided, by the bound that `side` says; 0 and empty where it is not."""

    verdict: Verdict | None
    lower: float
    upper: float
    more: int | None
    n: int = 0
    side: str = ""


def _looked_by(criterion: Criterion, plan: Plan, outcomes: tuple[bool, ...]) -> _Looked:
    return _looked(criterion.threshold, criterion.confidence, criterion.comparison[:1], plan.n, outcomes)


@lru_cache(maxsize=512)
def _looked(
    threshold: float, confidence: float, direction: Direction, most: int, outcomes: tuple[bool, ...]
) -> _Looked:
    """What the test says after these outcomes; kept, as a campaign is folded after every entry."""
    from console.fieldtest.sequential import SequentialTest
    from console.fieldtest.stopping import further_trials

    test = SequentialTest(threshold / 100, round(1 - confidence, 12), direction)
    successes, n = sum(outcomes), len(outcomes)
    decided = test.decided_at(outcomes[:most])
    if decided is not None:
        lower, upper = test.bounds(sum(outcomes[: decided.n]), decided.n)
        above = (decided.verdict == "pass") == (direction == ">")
        side = f"at least {number_words(100 * lower, '%')}" if above else f"at most {number_words(100 * upper, '%')}"
        return _Looked(decided.verdict, *_narrowest(test, outcomes, (lower, upper)), None, decided.n, side)
    more = further_trials(test, successes, n) if n < most else None
    return _Looked(None, *test.bounds(successes, n), more)


def _narrowest(test: SequentialTest, outcomes: tuple[bool, ...], at: tuple[float, float]) -> tuple[float, float]:
    """The bounds now, where what was refuted stays refuted: they can't run against what was decided. Where they refute
    everything, those by which it was decided."""
    now = test.running_bounds(outcomes)
    return now if now[0] <= now[1] else at


# ------------------------------------------------------------ words


def _words(criterion: Criterion, measurement: Measurement | None, judgement: Judgement, tail: str) -> str:
    """`41 of 43 = 95.3 % [86.0, 98.9] against >= 95 %: not yet decided, about 12 more`."""
    if measurement is None:
        return tail
    head = f"{_measured(criterion, measurement, judgement)} against {limit_words(_bare(criterion))}"
    if judgement.verdict != UNDECIDED:
        return f"{head}: {judgement.verdict}"
    return f"{head}: not yet decided" + (f", {tail}" if tail else "")


def _bare(criterion: Criterion) -> Criterion:
    return msgspec.structs.replace(criterion, n_min=1, judge="point")


def _measured(criterion: Criterion, measurement: Measurement, judgement: Judgement) -> str:
    words = measured_words(measurement, judgement, criterion.unit)
    if isinstance(measurement, Rate) and judgement.value is not None and judgement.n < measurement.n:
        first = round(judgement.value * judgement.n / 100)  # judged once, by the first ones: the share is theirs
        share = f"{first} of the first {judgement.n} = {number_words(judgement.value, '%')}"
        words = f"{share} ({measurement.successes} of {measurement.n} in all)"
    if judgement.lower is None and judgement.upper is None:
        return words
    if isinstance(measurement, Estimate) and is_clean(measurement):
        return f"{words}; above {number_words(judgement.lower, 'h')} at {percent_words(criterion.confidence)}"
    digits = 2 if criterion.unit == "" else 1
    return f"{words} [{_bound(judgement.lower, digits)}, {_bound(judgement.upper, digits)}]"


def _bound(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:,.{digits}f}"
