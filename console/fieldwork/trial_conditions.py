"""The conditions of sessions and trials as the phase names them: checked, carried over, asked for."""

from __future__ import annotations

from collections.abc import Mapping

from console.phases.schema import Condition, Phase
from remote.errors import Trouble
from remote.refusals import nearest_of

VALUE_LIMIT = 200


def checked(phase: Phase, given: Mapping[str, str]) -> dict[str, str]:
    """The conditions with the phase's own spelling; one whose value is empty stays, for it takes the old one away.

    Raises Trouble: `unknown_condition` for a name or a value that the phase does not have, with the nearest that it has.
    """
    known = {condition.id: condition for condition in phase.conditions}
    return {name: _value(_condition(known, name, phase), " ".join(value.split())) for name, value in given.items()}


def carried(before: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """What holds from now on: what held before, with what is given in its place; an empty value takes one away."""
    return {name: value for name, value in {**before, **given}.items() if value}


def missing(phase: Phase, conditions: Mapping[str, str]) -> tuple[Condition, ...]:
    """The conditions without which no trial is taken, and which are not given."""
    return tuple(one for one in phase.conditions if one.required and not conditions.get(one.id))


def check_complete(phase: Phase, conditions: Mapping[str, str]) -> None:
    """Refuse a trial that says too little. Raises Trouble: `condition_missing`."""
    lacking = missing(phase, conditions)
    if lacking:
        names = ", ".join(f"{one.id} ({one.title})" for one in lacking)
        example = lacking[0].values[0] if lacking[0].values else "..."
        cure = f"give it with the trial or for those that follow: {lacking[0].id}={example}"
        raise Trouble(f"no trial of '{phase.id}' is written down without: {names}", cure=cure, code="condition_missing")


def condition_words(conditions: Mapping[str, str]) -> str:
    """`light dim, place aisle 3`; empty where there are none."""
    return ", ".join(f"{name} {value}" for name, value in conditions.items())


def _condition(known: Mapping[str, Condition], name: str, phase: Phase) -> Condition:
    if name in known:
        return known[name]
    cure = nearest_of(name, known, "conditions") if known else "leave it out, or say it in a note"
    raise Trouble(f"the phase '{phase.id}' writes down no '{name}'", cure=cure, code="unknown_condition")


def _value(condition: Condition, value: str) -> str:
    if not value:
        return value
    if not condition.values:
        if len(value) > VALUE_LIMIT:
            what = f"'{condition.id}' has {len(value)} characters"
            raise Trouble(what, cure=f"{VALUE_LIMIT} at most; say the rest in a note", code="unknown_condition")
        return value
    same = [one for one in condition.values if one.casefold() == value.casefold()]
    if same:
        return same[0]
    what = f"this phase does not know '{value}' for '{condition.id}' ({condition.title})"
    raise Trouble(what, cure=nearest_of(value, condition.values, condition.id), code="unknown_condition")
