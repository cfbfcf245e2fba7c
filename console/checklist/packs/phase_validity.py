"""What the phases of a pack must fulfil beyond their types, so that none waits for something that can't happen."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from console.checklist.pack import Pack
from console.checklist.packs.sources import Problem
from console.fieldtest.criteria import Criterion
from console.fieldtest.measures import MEASURES, Measure
from console.phases.schema import Entry, Phase, Question
from remote.metrics import METRICS
from remote.strict_yaml import Step, nearest_of

Steps = tuple[Step, ...]
_COMPARED = ("transfer_ratio", "success_drop")
_PLANNED = ("trials", "frames")
_LIVE: dict[str, tuple[str, ...]] = {
    "histogram": ("p50", "p95", "p99", "max", "min", "mean"),
    "value": ("value", "mean", "max"),
}
_COUNTED: dict[str, tuple[str, ...]] = {"rate": ("rate",), "estimate": ("value",), "number": ("value",)}


def phase_problems(pack: Pack) -> Iterator[Problem]:
    """Everything that is wrong with the pack's phases, and with what its gates say of them."""
    ids = [phase.id for phase in pack.phases]
    yield from _twice(ids, ("phases",), "phase")
    for number, phase in enumerate(pack.phases):
        steps: Steps = ("phases", number)
        for rule in _RULES:
            yield from rule(phase, steps)
        for place, entry in enumerate(phase.entry):
            yield from _of_entry(pack, number, entry, (*steps, "entry", place))
        for place, question in enumerate(phase.questions):
            yield from _of_baseline(pack, question, (*steps, "questions", place))
    for number, stage in enumerate(pack.stages):
        for place, id in enumerate(stage.gate.phases):
            inside: Steps = ("stages", number, "gate", "phases", place)
            if id not in ids:
                yield Problem(inside, f"the pack has no phase `{id}`", nearest_of(id, ids, "phases"))
            else:
                yield from _of_waiting(pack, number, id, inside)


def _twice(ids: Sequence[str], steps: Steps, what: str) -> Iterator[Problem]:
    for place, id in enumerate(ids):
        if id in ids[:place]:
            yield Problem((*steps, place), f"the {what} id `{id}` is given twice", f"Give each {what} its own", "id")


# ------------------------------------------------------------ one phase


def _of_ids(phase: Phase, steps: Steps) -> Iterator[Problem]:
    for key, what in (
        ("questions", "question"),
        ("holding", "condition"),
        ("stop", "rule"),
        ("conditions", "condition"),
    ):
        yield from _twice([one.id for one in getattr(phase, key)], (*steps, key), what)


def _of_questions(phase: Phase, steps: Steps) -> Iterator[Problem]:
    for place, question in enumerate(phase.questions):
        inside: Steps = (*steps, "questions", place)
        yield from _of_metric(question, (*inside, "criterion"))
        yield from _of_plan(phase, question, inside)
        yield from _of_where(phase, question, inside)


def _of_metric(question: Question, steps: Steps) -> Iterator[Problem]:
    criterion = question.criterion
    yield from _of_numbers(criterion, steps)
    measure = MEASURES.get(criterion.metric)
    if measure is None:
        yield from _of_live(criterion, steps, [*MEASURES, *METRICS], "figures")
        return
    yield from _of_unit(criterion, measure.unit, steps)
    yield from _of_statistic(criterion, _COUNTED[measure.shape], steps)
    if measure.unit == "%" and not 0 <= criterion.threshold <= 100 and math.isfinite(criterion.threshold):
        said = f"{criterion.metric} can't be {criterion.threshold:g} %"
        yield Problem(steps, said, "Give 0 to 100 per cent", "threshold")


def _of_live(criterion: Criterion, steps: Steps, known: Sequence[str], what: str) -> Iterator[Problem]:
    metric = METRICS.get(criterion.metric)
    if metric is None:
        cure = nearest_of(criterion.metric, known, what)
        yield Problem(steps, f"nothing is measured as `{criterion.metric}`", cure, "metric")
        return
    yield from _of_unit(criterion, metric.unit, steps)
    yield from _of_statistic(criterion, _LIVE.get(metric.shape, ()), steps)


def _of_numbers(criterion: Criterion, steps: Steps) -> Iterator[Problem]:
    for key in ("threshold", "margin"):
        if not math.isfinite(getattr(criterion, key)):
            yield Problem(steps, f"`{key}` must be a finite number", "Give a number", key)


def _of_unit(criterion: Criterion, unit: str, steps: Steps) -> Iterator[Problem]:
    if criterion.unit != unit:
        said = (
            f"{criterion.metric} is in `{unit}`, not `{criterion.unit}`" if unit else f"{criterion.metric} has no unit"
        )
        yield Problem(steps, said, "Give threshold and margin in that unit", "unit" if criterion.unit else None)


def _of_statistic(criterion: Criterion, allowed: Sequence[str], steps: Steps) -> Iterator[Problem]:
    if criterion.statistic not in allowed:
        said = f"`{criterion.statistic}` can't be taken of {criterion.metric}"
        yield Problem(steps, said, f"It allows: {', '.join(allowed) or 'nothing'}", "statistic")


def _of_plan(phase: Phase, question: Question, steps: Steps) -> Iterator[Problem]:
    measure, plan, criterion = MEASURES.get(question.criterion.metric), question.plan, question.criterion
    if measure is None or measure.home not in _PLANNED:
        if plan is not None:
            said = f"{criterion.metric} is not of single trials or frames: it can have no plan"
            yield Problem(steps, said, "Remove `plan`", "plan")
        if measure is not None and measure.home == "running" and phase.min_running is None:
            said = f"`{question.id}` would be judged after the first minute of running"
            yield Problem(steps[:2], said, "Give `min_running`: how long sessions must have run together")
        return
    if plan is None:
        said = f"`{question.id}` has no plan: it says how many {measure.home} decide, before the first one"
        yield Problem(
            steps, said, "Give `plan: {look: sequential, n: ..., expected: ...}`; `fieldgate phase plan` helps"
        )
        return
    yield from _of_look(question, measure, (*steps, "plan"))
    if criterion.n_min > 1:
        said = f"`{question.id}` has a plan, which says how many decide"
        yield Problem((*steps, "criterion"), said, "Remove `n_min`", "n_min")
    if criterion.comparison == "==":
        said = f"no number of {measure.home} shows that {criterion.metric} is equal to something"
        yield Problem((*steps, "criterion"), said, "Use `>=` or `<=`", "comparison")
    if measure.home == "trials" and plan.n > phase.planned_n:
        said = f"`{question.id}` plans {plan.n} trials, the phase {phase.planned_n}"
        yield Problem(steps[:2], said, f"Set planned_n to {plan.n} at least", "planned_n")


def _of_look(question: Question, measure: Measure, steps: Steps) -> Iterator[Problem]:
    plan, criterion = question.plan, question.criterion
    assert plan is not None
    if plan.look == "sequential" and measure.shape != "rate":
        said = f"{criterion.metric} is no rate of single {measure.home}: it can't be looked at after each"
        yield Problem(steps, said, "Say `look: fixed`: it is judged once, by the first n", "look")
    elif plan.look == "sequential" and (criterion.margin or criterion.judge == "point"):
        key = "margin" if criterion.margin else "judge"
        said = f"`{key}` means nothing where the first crossing decides"
        yield Problem((*steps[:-1], "criterion"), said, f"Remove `{key}`, or say `look: fixed`", key)
    if measure.unit == "%" and measure.name not in _COMPARED:
        if plan.look == "sequential" and not 0.01 <= criterion.threshold <= 99.99:
            said = f"no trial shows that a rate is {criterion.comparison} {criterion.threshold:g} %"
            yield Problem((*steps[:-1], "criterion"), said, "Give a threshold between 0.01 and 99.99", "threshold")
        upwards = criterion.comparison in (">", ">=")
        if plan.expected == criterion.threshold or (plan.expected > criterion.threshold) != upwards:
            said = f"{plan.expected:g} % is hoped for, which is not {criterion.comparison} {criterion.threshold:g} %"
            yield Problem(steps, said, "Give a rate on the right side of the threshold", "expected")


def _of_where(phase: Phase, question: Question, steps: Steps) -> Iterator[Problem]:
    known = {one.id: one.values for one in phase.conditions}
    for name, value in question.where.items():
        if name not in known:
            cure = nearest_of(name, list(known), "conditions")
            yield Problem((*steps, "where"), f"the phase has no condition `{name}`", cure, name)
        elif known[name] and value not in known[name]:
            said = f"`{name}` is never `{value}` in this phase"
            yield Problem((*steps, "where"), said, nearest_of(value, known[name], "values"), name)


def _of_holding(phase: Phase, steps: Steps) -> Iterator[Problem]:
    for place, holding in enumerate(phase.holding):
        inside: Steps = (*steps, "holding", place)
        if (holding.check is None) == (holding.criterion is None):
            said = f"`{holding.id}` must have exactly one of `check` and `criterion`"
            yield Problem(inside, said, "Give `check`, or `criterion` on a live metric")
        if holding.criterion is not None:
            yield from _of_numbers(holding.criterion, (*inside, "criterion"))
            yield from _of_live(holding.criterion, (*inside, "criterion"), [*METRICS], "live metrics")


_RULES: tuple[Callable[[Phase, Steps], Iterator[Problem]], ...] = (_of_ids, _of_questions, _of_holding)


# ------------------------------------------------------------ phases, stages and items together


def _of_entry(pack: Pack, number: int, entry: Entry, steps: Steps) -> Iterator[Problem]:
    given = [key for key in ("stage", "items_of", "item", "phase") if getattr(entry, key) is not None]
    if len(given) != 1:
        said = "an entry condition must have exactly one of `stage`, `items_of`, `item` and `phase`"
        yield Problem(
            steps, said, f"It has {', '.join(given)}: make them conditions of their own" if given else "Give one"
        )
        return
    key, id = given[0], str(getattr(entry, given[0]))
    stages, items, phases = [s.id for s in pack.stages], [i.id for i in pack.items()], [p.id for p in pack.phases]
    known = {"stage": stages, "items_of": stages, "item": items, "phase": phases}[key]
    if id not in known:
        what = {"items_of": "stage"}.get(key, key)
        yield Problem(steps, f"the pack has no {what} `{id}`", nearest_of(id, known, f"{what}s"), key)
    elif key == "phase" and phases.index(id) >= number:
        own = phases[number]
        said = f"`{own}` waits for itself" if id == own else f"`{own}` waits for `{id}`, which does not come before it"
        yield Problem(steps, said, "Name an earlier phase, or move this one behind it", key)


def _of_waiting(pack: Pack, number: int, id: str, steps: Steps) -> Iterator[Problem]:
    """A gate can't wait for a phase that waits for that gate, or for a later one."""
    stages = [stage.id for stage in pack.stages]
    for stage in _stages_before(pack, id):
        if stage in stages and stages.index(stage) >= number:
            said = f"the gate waits for the phase `{id}`, which begins only when the gate of `{stage}` is open"
            yield Problem(steps, said, "Let the phase wait for `items_of` that stage, or name it in a later gate")


def _stages_before(pack: Pack, id: str) -> Iterator[str]:
    """The stages whose gates must be open before that phase, or one that it builds on, may begin."""
    phases = {phase.id: (number, phase) for number, phase in enumerate(pack.phases)}
    number, phase = phases[id]
    for entry in phase.entry:
        if entry.stage is not None:
            yield entry.stage
        elif entry.phase in phases and phases[entry.phase][0] < number:
            yield from _stages_before(pack, entry.phase)


def _of_baseline(pack: Pack, question: Question, steps: Steps) -> Iterator[Problem]:
    metric, baseline = question.criterion.metric, question.baseline
    if metric not in _COMPARED:
        if baseline is not None:
            yield Problem(steps, f"{metric} is compared with nothing", "Remove `baseline`", "baseline")
        return
    if baseline is None:
        yield Problem(
            steps, f"{metric} compares with simulation", "Give `baseline: {item: ...}`: the item that measured it"
        )
        return
    items = {item.id: item for item in pack.items()}
    rates = [id for id, item in items.items() if item.criterion is not None and item.criterion.statistic == "rate"]
    inside: Steps = (*steps, "baseline")
    if baseline.item not in items:
        yield Problem(
            inside, f"the pack has no item `{baseline.item}`", nearest_of(baseline.item, rates, "items"), "item"
        )
    elif baseline.item not in rates:
        cure = nearest_of(baseline.item, rates, "items that measure a rate")
        yield Problem(inside, f"`{baseline.item}` measures no rate", cure, "item")
