"""What a pack must fulfil beyond its types, so that no item can wait for something that can't happen."""

from __future__ import annotations

import copy
import math
from collections import Counter
from collections.abc import Callable, Iterator
from typing import get_args

import msgspec

from console.checklist.pack import Item, Pack
from console.checklist.packs.phase_validity import phase_problems
from console.checklist.packs.quantities import quantity_of, statistics_of
from console.checklist.packs.sources import Problem
from console.checklist.probes import PROBES, parameters_type
from console.checklist.states import State
from console.record.entries import FINGERPRINTS
from remote.metrics import METRICS
from remote.ready_types import ready
from remote.strict_yaml import Step, explain, nearest_of

Rule = Callable[[Item, tuple[Step, ...]], Iterator[Problem]]


def problems(pack: Pack) -> Iterator[Problem]:
    """Everything that is wrong with a pack whose types are right, in the order in which it is written."""
    yield from _of_ids(pack)
    for number, stage in enumerate(pack.stages):
        for place, item in enumerate(stage.items):
            steps: tuple[Step, ...] = ("stages", number, "items", place)
            for rule in _RULES:
                yield from rule(item, steps)
            yield from _of_roles(pack, item, steps)
            yield from _of_when(pack, item, steps)
        yield from _of_gate(pack, number)
    yield from _of_groups(pack)
    yield from phase_problems(pack)


def _of_ids(pack: Pack) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, stage in enumerate(pack.stages):
        if stage.id in [earlier.id for earlier in pack.stages[:number]]:
            yield Problem(("stages", number), f"the stage id `{stage.id}` is given twice", "Give it its own", "id")
        for place, item in enumerate(stage.items):
            if item.id in seen:
                steps: tuple[Step, ...] = ("stages", number, "items", place)
                yield Problem(steps, f"the item id `{item.id}` is given twice", "Give each item its own", "id")
            seen.add(item.id)


# ------------------------------------------------------------ one item


def _of_kind(item: Item, steps: tuple[Step, ...]) -> Iterator[Problem]:
    """The keys that an item's kind needs, and those that would be ignored."""
    name = f"{item.kind} item `{item.id}`"
    if item.kind == "sensed" and item.probe is None:
        yield Problem(steps, f"the {name} names no probe", "Give `probe`, or make it measured or confirmed")
    if item.kind != "sensed" and item.probe is not None:
        cure = "Remove `probe`, or make it sensed"
        yield Problem(steps, f"the {name} has a probe, which would never look", cure, "probe")
    if item.kind == "measured" and item.criterion is None:
        yield Problem(steps, f"the {name} has no criterion", "Give `criterion`: the value is judged by it")
    if item.kind in ("confirmed", "witnessed") and not item.statement:
        yield Problem(steps, f"the {name} has no statement", "Give `statement`: the sentence that a person vouches for")
    if item.kind in ("confirmed", "witnessed") and item.criterion is not None:
        cure = "Make it measured, or say the limit in the statement"
        yield Problem(steps, f"the {name} has a criterion, which would never judge", cure, "criterion")


def _of_modifiers(item: Item, steps: tuple[Step, ...]) -> Iterator[Problem]:
    if item.kind != "sensed":
        for key in ("hold", "act"):
            if getattr(item, key) is not None:
                said = f"`{key}` needs a probe that verifies, and `{item.id}` is {item.kind}"
                yield Problem(steps, said, f"Make it sensed, or remove `{key}`", key)
    elif item.inspect is not None:
        said = f"`inspect` asks a person for a {item.inspect}, and `{item.id}` is sensed"
        yield Problem(steps, said, "Make it confirmed, or have a file_present probe look for the file", "inspect")


def _of_criterion(item: Item, steps: tuple[Step, ...]) -> Iterator[Problem]:
    criterion = item.criterion
    if criterion is None:
        return
    inside = (*steps, "criterion")
    for key in ("threshold", "margin"):
        if not math.isfinite(getattr(criterion, key)):
            yield Problem(inside, f"`{key}` of `{item.id}` must be a finite number", "Give a number", key)
    if criterion.statistic == "rate" and criterion.unit != "%":
        said = f"a rate is in `%`, not `{criterion.unit}`"
        yield Problem(inside, said, "Give the threshold in per cent", "unit" if criterion.unit else None)
    if criterion.statistic == "rate" and not 0 <= criterion.threshold <= 100:
        yield Problem(inside, f"a rate can't be {criterion.threshold:g} %", "Give 0 to 100 per cent", "threshold")
    quantity = quantity_of(criterion.metric)
    if quantity is None or criterion.statistic == "rate" == quantity.shape:
        return
    if criterion.unit != quantity.unit:
        said = f"{criterion.metric} is in `{quantity.unit}`, not `{criterion.unit}`"
        yield Problem(inside, said, "Convert threshold and margin to that unit", "unit" if criterion.unit else None)
    allowed = statistics_of(quantity)
    if item.kind == "sensed" and criterion.statistic not in allowed:
        said = f"`{criterion.statistic}` can't be taken of {criterion.metric}"
        yield Problem(inside, said, f"It allows: {', '.join(allowed) or 'nothing'}", "statistic")


def _of_probe(item: Item, steps: tuple[Step, ...]) -> Iterator[Problem]:
    if item.probe is None or item.kind != "sensed":  # a probe that may not be there is told once
        return
    inside = (*steps, "probe")
    if item.probe.name not in PROBES:
        cure = nearest_of(item.probe.name, PROBES, "probes")
        yield Problem(inside, f"no probe is called `{item.probe.name}`", cure, "name")
        return
    yield from _of_metric(item, steps)
    kind = parameters_type(item.probe.name)
    try:
        parameters = msgspec.convert(item.probe.parameters, ready(kind))
    except msgspec.ValidationError as error:
        refused = explain(error, copy.deepcopy(item.probe.parameters), kind)
        said = f"{refused.said}, for the probe `{item.probe.name}`"
        yield Problem((*inside, "parameters", *refused.steps), said, refused.cure, refused.key)
        return
    yield from _of_choice(item, parameters, steps)


def _of_choice(item: Item, parameters: msgspec.Struct, steps: tuple[Step, ...]) -> Iterator[Problem]:
    """A probe of several metrics must look at the one that is judged."""
    chosen = getattr(parameters, "metric", None) or getattr(parameters, "measure", None)
    if item.criterion is not None and chosen not in (None, item.criterion.metric):
        said = f"the probe measures `{chosen}`, the criterion judges `{item.criterion.metric}`"
        key = "metric" if hasattr(parameters, "metric") else "measure"
        yield Problem((*steps, "probe"), said, f"Name the criterion's metric as the probe's `{key}`")


def _of_metric(item: Item, steps: tuple[Step, ...]) -> Iterator[Problem]:
    """Whether the probe measures what the criterion judges."""
    probe, criterion = item.probe, item.criterion
    assert probe is not None
    measured = PROBES[probe.name].metrics
    answers = [metric for metric in measured if metric != "*" and quantity_of(metric) is None]
    if criterion is None:
        if not answers:
            said = f"`{item.id}` has no criterion, and `{probe.name}` gives a number"
            yield Problem(steps, said, f"Give `criterion` on {', '.join(measured).replace('*', 'a live metric')}")
        return
    inside = (*steps, "criterion")
    known = list(METRICS) if "*" in measured else list(measured)
    if criterion.metric not in known:
        said = f"the probe `{probe.name}` can't measure `{criterion.metric}`"
        yield Problem(inside, said, nearest_of(criterion.metric, known, "metrics of it"), "metric")
    elif criterion.metric in answers:
        said = f"`{criterion.metric}` is answered with yes or no; a criterion can't judge it"
        yield Problem(steps, said, "Remove `criterion`", "criterion")


def _of_fingerprints(item: Item, steps: tuple[Step, ...]) -> Iterator[Problem]:
    for place, name in enumerate(item.rests_on):
        if name not in FINGERPRINTS:
            cure = nearest_of(name, FINGERPRINTS, "fingerprints")
            yield Problem((*steps, "rests_on", place), f"nothing is known as the fingerprint `{name}`", cure)


_RULES: tuple[Rule, ...] = (_of_kind, _of_modifiers, _of_criterion, _of_probe, _of_fingerprints)


# ------------------------------------------------------------ items together


def _of_roles(pack: Pack, item: Item, steps: tuple[Step, ...]) -> Iterator[Problem]:
    for key, roles in (("override_by", item.override_by), ("defer_by", item.defer_by)):
        yield from _unknown_roles(pack, roles, (*steps, key))


def _of_gate(pack: Pack, number: int) -> Iterator[Problem]:
    gate = pack.stages[number].gate
    inside: tuple[Step, ...] = ("stages", number, "gate")
    yield from _unknown_roles(pack, gate.poll, (*inside, "poll"))
    for place, signing in enumerate(gate.signatures):
        yield from _unknown_roles(pack, signing.roles, (*inside, "signatures", place, "roles"))


def _unknown_roles(pack: Pack, roles: tuple[str, ...], steps: tuple[Step, ...]) -> Iterator[Problem]:
    for place, role in enumerate(roles):
        if role not in pack.roles:
            yield Problem((*steps, place), f"the pack has no role `{role}`", nearest_of(role, pack.roles, "roles"))


def _of_when(pack: Pack, item: Item, steps: tuple[Step, ...]) -> Iterator[Problem]:
    """A condition looks back only: then there can be no circle, and it is decided when its item comes."""
    if item.when is None:
        return
    inside = (*steps, "when")
    ids = [known.id for known in pack.items()]
    if item.when.item not in ids:
        cure = nearest_of(item.when.item, ids, "items")
        yield Problem(inside, f"the pack has no item `{item.when.item}`", cure, "item")
    elif ids.index(item.when.item) >= ids.index(item.id):
        said = f"`{item.id}` waits for `{item.when.item}`, which does not come before it"
        yield Problem(inside, said, "Name an earlier item, or move this one behind it", "item")
    for place, state in enumerate(item.when.states):
        if state not in get_args(State):
            cure = nearest_of(state, get_args(State), "states")
            yield Problem((*inside, "states", place), f"no state is called `{state}`", cure)


def _of_groups(pack: Pack) -> Iterator[Problem]:
    sizes = Counter(item.one_of for item in pack.items())
    for number, stage in enumerate(pack.stages):
        inside = Counter(item.one_of for item in stage.items)
        for place, item in enumerate(stage.items):
            steps: tuple[Step, ...] = ("stages", number, "items", place)
            if item.one_of is not None and sizes[item.one_of] == 1:
                said = f"`{item.id}` is the only item of the group `{item.one_of}`"
                yield Problem(steps, said, "Give the group a second item, or remove `one_of`", "one_of")
            elif item.one_of is not None and inside[item.one_of] != sizes[item.one_of]:
                said = f"the group `{item.one_of}` is spread over several stages"
                yield Problem(steps, said, "Put its items into one stage: a gate can't wait for a later one", "one_of")
