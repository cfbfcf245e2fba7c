"""The smallest set of stale items that must be looked at again."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from console.checklist.pack import Item
from console.checklist.states import ItemState

_PREFERRED = ("sensed", "measured", "confirmed", "witnessed")


def recheck(states: Iterable[ItemState]) -> tuple[str, ...]:
    """Ids, in the checklist's order, of the stale items to look at again so that none is stale any more.

    What is n/a, overridden or deferred is not among them. Of a group whose members are stale one is enough, best one that a
    probe settles. Items with the same probe, parameters and hold are one look: the first of them stands for all.
    """
    stale = [state.item for state in states if state.state == "stale"]
    alone = [item for item in stale if item.one_of is None]
    looks = {_look(item): item.id for item in reversed(alone)}  # of one look the first item
    for group in dict.fromkeys(item.one_of for item in stale if item.one_of is not None):
        members = [item for item in stale if item.one_of == group]
        if not any(_look(item) in looks for item in members):
            best = min(members, key=lambda item: _PREFERRED.index(item.kind))
            looks[_look(best)] = best.id
    chosen = set(looks.values())
    return tuple(item.id for item in stale if item.id in chosen)


def settled_with(states: Iterable[ItemState], ids: Iterable[str]) -> frozenset[str]:
    """`ids` and the stale items that stand behind them in `recheck`: the same look settles those too."""
    every = tuple(states)
    wanted = frozenset(ids)
    looks = {_look(state.item) for state in every if state.item.id in wanted}
    return wanted | {state.item.id for state in every if state.state == "stale" and _look(state.item) in looks}


def _look(item: Item) -> bytes:
    """The same for items that one look settles; what a person does is done for each."""
    if item.kind != "sensed" or item.probe is None or item.act is not None:
        return item.id.encode()
    return msgspec.json.encode((item.probe.name, item.probe.parameters, item.hold), order="deterministic")
