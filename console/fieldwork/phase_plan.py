"""Whether what a phase plans is enough, worked out before the first trial: for `fieldgate phase plan`."""

from __future__ import annotations

from typing import Literal

import msgspec

from console.fieldtest.criteria import Criterion
from console.fieldtest.measures import MEASURES
from console.phases.schema import Phase, Plan, Question

MOST = 5000
"""The exact chances of a sequential plan are worked out up to so many trials."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """One question's plan.

    `power`: the chance to pass within the planned `n` if the true rate is `expected` (a share); None where it can't be told,
    and `why` says so. `at_threshold`: the chance to pass all the same where the rate is only the threshold. `needed`: the
    smallest n with the wanted power, looked at once.
    """

    question: str
    of: Literal["trials", "frames"]
    look: Literal["fixed", "sequential"]
    n: int
    expected: float
    wanted_power: float
    power: float | None = None
    at_threshold: float | None = None
    needed: int | None = None
    why: str = ""

    @property
    def is_enough(self) -> bool:
        """Whether the plan has the power that it wants."""
        return self.power is not None and self.power >= self.wanted_power


def planned(phase: Phase) -> tuple[Planned, ...]:
    """Every question of the phase that has a plan."""
    return tuple(_planned(question, question.plan) for question in phase.questions if question.plan is not None)


def _planned(question: Question, plan: Plan) -> Planned:
    from console.fieldtest.planning import plan as fixed_plan

    criterion = question.criterion
    made = Planned(
        question=question.id,
        of="frames" if _is_of_frames(question) else "trials",
        look=plan.look,
        n=plan.n,
        expected=plan.expected / 100,
        wanted_power=plan.power,
    )
    if criterion.statistic != "rate" or criterion.judge != "bound" or not 0 < criterion.threshold < 100:
        what = f"{criterion.metric} has an interval of its own kind: its power can't be told beforehand"
        return msgspec.structs.replace(made, why=what)
    threshold = criterion.threshold / 100
    try:
        needed = fixed_plan(threshold, made.expected, plan.power, criterion.confidence, criterion.comparison).first_n
    except ValueError as error:
        return msgspec.structs.replace(made, why=str(error))
    chance = _fixed if plan.look == "fixed" else _sequential
    if plan.look == "sequential" and plan.n > MOST:
        return msgspec.structs.replace(made, needed=needed, why=f"more than {MOST} trials are not worked out")
    return msgspec.structs.replace(
        made,
        needed=needed,
        power=chance(criterion, plan.n, made.expected),
        at_threshold=chance(criterion, plan.n, threshold),
    )


def _is_of_frames(question: Question) -> bool:
    measure = MEASURES.get(question.criterion.metric)
    return measure is not None and measure.home == "frames"


def _fixed(criterion: Criterion, n: int, rate: float) -> float:
    from console.fieldtest.planning import power_of

    return power_of(n, criterion.threshold / 100, rate, criterion.confidence, criterion.comparison)


def _sequential(criterion: Criterion, n: int, rate: float) -> float:
    from console.fieldtest.sequential import SequentialTest
    from console.fieldtest.stopping import chances, walls

    up = criterion.comparison.startswith(">")
    test = SequentialTest(criterion.threshold / 100, round(1 - criterion.confidence, 12), ">" if up else "<")
    found = chances(rate, *walls(test, 0, n))
    return float((found.passed if up else found.failed)[-1])


def plan_lines(plan: Planned) -> list[str]:
    """The plan in words."""
    how = "looked at after every trial" if plan.look == "sequential" else "looked at once"
    head = f"{plan.question}: {plan.n} {plan.of}, {how}"
    if plan.power is None or plan.at_threshold is None:
        return [head, f"  {plan.why}"]
    enough = "enough" if plan.is_enough else f"NOT ENOUGH, wanted are {plan.wanted_power:.0%}"
    return [
        head,
        f"  passes in {plan.power:.0%} of cases if the true rate is {100 * plan.expected:g} %: {enough}",
        f"  passes in {plan.at_threshold:.1%} of cases where it is only the threshold",
        f"  looked at once, {plan.needed} {plan.of} would do for {plan.wanted_power:.0%}",
    ]
