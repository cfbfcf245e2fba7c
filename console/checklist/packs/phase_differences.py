"""What differs between the phases of two packs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from console.checklist.packs.directions import (
    FEWER_IS_LOOSER,
    LESS_IS_LOOSER,
    Change,
    Judge,
    change,
    held_longer,
    of_criterion,
    plain,
    side,
)
from console.phases.schema import Phase

_LISTS = ("questions", "holding", "stop", "conditions")
"""The keys whose entries have ids of their own."""
_OF_PHASE: dict[str, Judge] = {
    "aborted": side(lambda _, new: new == "excluded", lambda _, new: new == "failure"),
    "entry": FEWER_IS_LOOSER,
    "planned_n": LESS_IS_LOOSER,
    "min_running": side(lambda old, new: held_longer(new, old), held_longer),
}
_OF_PART: dict[str, Judge] = {
    "at": side(lambda old, new: new > old, lambda old, new: new < old),
    "for_": side(held_longer, lambda old, new: held_longer(new, old)),
    "required": side(lambda old, _: old, lambda _, new: new),
}


def of_phases(before: Sequence[Phase], after: Sequence[Phase], reason: str) -> Iterator[Change]:
    """The order of the phases, and each key that differs in those that both packs have."""
    old, new = ({phase.id: phase for phase in phases} for phases in (before, after))
    if [id for id in old if id in new] != [id for id in new if id in old]:
        yield change("phases", tuple(old), tuple(new), plain, reason)
    for id in (id for id in new if id in old):
        yield from _of_phase(old[id], new[id], reason)


def _of_phase(old: Phase, new: Phase, reason: str) -> Iterator[Change]:
    place = f"phases.{new.id}"
    for key in Phase.__struct_fields__:
        before, after = getattr(old, key), getattr(new, key)
        if before != after and key in _LISTS:
            yield from _of_list(f"{place}.{key}", before, after, reason)
        elif before != after:
            yield change(f"{place}.{key}", before, after, _OF_PHASE.get(key, plain), reason)


def _of_list(place: str, before: Sequence[Any], after: Sequence[Any], reason: str) -> Iterator[Change]:
    """Entries that came or went, then what differs in the others. To ask, to hold or to stop less lets more through."""
    old, new = ({one.id: one for one in given} for given in (before, after))
    if list(old) != list(new):
        yield change(place, tuple(old), tuple(new), FEWER_IS_LOOSER, reason)
    for id in (id for id in new if id in old):
        for key in type(new[id]).__struct_fields__:
            one, other = getattr(old[id], key), getattr(new[id], key)
            inside = f"{place}.{id}"
            if one == other:
                continue
            if key == "criterion" and one is not None and other is not None:
                yield from of_criterion(inside, one, other, reason)
            elif key == "plan" and one is not None and other is not None:
                yield from _of_plan(inside, one, other, reason)
            else:
                yield change(f"{inside}.{key.rstrip('_')}", one, other, _OF_PART.get(key, plain), reason)


def _of_plan(place: str, before: Any, after: Any, reason: str) -> Iterator[Change]:
    """A plan says when it is decided, not how strictly: none of it is looser."""
    for key in before.__struct_fields__:
        one, other = getattr(before, key), getattr(after, key)
        if one != other:
            yield change(f"{place}.plan.{key}", one, other, plain, reason)
