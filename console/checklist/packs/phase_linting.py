"""What of a pack's phases is allowed, but seldom meant."""

from __future__ import annotations

from collections.abc import Iterator

from console.checklist.pack import Pack
from console.checklist.packs.sources import Problem
from console.fieldtest.measures import MEASURES
from console.phases.schema import Question
from remote.strict_yaml import Step


def phase_warnings(pack: Pack) -> Iterator[Problem]:
    """Phases that no gate waits for, and plans that promise more than their n can keep."""
    wanted = {id for stage in pack.stages for id in stage.gate.phases}
    needed = {entry.phase for phase in pack.phases for entry in phase.entry}
    for number, phase in enumerate(pack.phases):
        if phase.id not in wanted | needed:
            said = f"no gate and no phase waits for `{phase.id}`"
            yield Problem(("phases", number), said, "Name it in a gate's `phases`, or remove it", "id")
        for place, question in enumerate(phase.questions):
            yield from _of_power(question, ("phases", number, "questions", place))


def _of_power(question: Question, steps: tuple[Step, ...]) -> Iterator[Problem]:
    plan, least = question.plan, least_n(question)
    if plan is not None and (least is None or plan.n < least):
        said = f"`{question.id}`: n {plan.n} is too few for a power of {plan.power:g} at {plan.expected:g} %"
        cure = f"Plan {least} at least, or hope for more" if least else "Hope for a rate further from the threshold"
        yield Problem((*steps, "plan"), said, cure, "n")


def least_n(question: Question) -> int | None:
    """The fewest trials or frames that have the power which the plan states; None where no number has.

    Frames count as single trials: how objects gather in frames is not known before. 0 for what has no plan and for comparisons
    with simulation, whose power hangs on what was measured there.
    """
    from console.fieldtest.planning import power_of
    from console.fieldtest.stopping import sequential_n

    plan, criterion = question.plan, question.criterion
    if plan is None or MEASURES[criterion.metric].unit != "%" or question.baseline is not None:
        return 0
    share, hoped = criterion.threshold / 100, plan.expected / 100
    try:
        if plan.look == "sequential":
            return sequential_n(share, hoped, plan.power, criterion.confidence, criterion.comparison)
        powers = (power_of(n, share, hoped, criterion.confidence, criterion.comparison) for n in range(plan.n, 4001))
        return next(n for n, power in enumerate(powers, plan.n) if power >= plan.power)
    except (ValueError, StopIteration):
        return None
