"""What differs between two packs: items, limits tightened or loosened, and which evidence goes stale by it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from console.checklist.pack import Item, Pack, Stage
from console.checklist.packs.digests import phase_rule_of, rule_of
from console.checklist.packs.directions import (
    FEWER_IS_LOOSER,
    GOING_IS_LOOSER,
    MORE_IS_LOOSER,
    Change,
    Judge,
    change,
    gone,
    held_longer,
    longer,
    of_criterion,
    plain,
    side,
)
from console.checklist.packs.phase_differences import of_phases


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What B does differently from A. `stale` are the items in both whose rule differs: their evidence no longer counts.

    Items are named by their ids, phases as `phase lab`; the trials of a stale one no longer count.
    """

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changes: tuple[Change, ...]
    stale: tuple[str, ...]

    def loosened(self) -> tuple[Change, ...]:
        """The changes that let more through."""
        return tuple(change for change in self.changes if change.direction == "loosened")


def difference(before: Pack, after: Pack, reason: str = "") -> Difference:
    """What `after` does differently; `reason` is put to every change."""
    old, new = ({item.id: item for item in pack.items()} for pack in (before, after))
    both = [id for id in new if id in old]
    changes = [one for id in both for one in _of_item(old[id], new[id], reason)]
    rules = [
        {
            **{id: rule_of(item) for id, item in items.items()},
            **{f"phase {p.id}": phase_rule_of(p) for p in pack.phases},
        }
        for items, pack in ((old, before), (new, after))
    ]
    return Difference(
        added=tuple(name for name in rules[1] if name not in rules[0]),
        removed=tuple(name for name in rules[0] if name not in rules[1]),
        changes=(*changes, *_of_stages(before, after, reason), *of_phases(before.phases, after.phases, reason)),
        stale=tuple(name for name, rule in rules[1].items() if rules[0].get(name, rule) != rule),
    )


_STRENGTH: dict[str, int] = {"sensed": 2, "witnessed": 2, "measured": 1, "confirmed": 0}

_OF_ITEM: dict[str, Judge] = {
    "kind": side(lambda old, new: _STRENGTH[new] < _STRENGTH[old], lambda old, new: _STRENGTH[new] > _STRENGTH[old]),
    "critical": GOING_IS_LOOSER,
    "hold": side(lambda old, new: held_longer(new, old), held_longer),
    "latched": GOING_IS_LOOSER,
    "act": GOING_IS_LOOSER,
    "inspect": GOING_IS_LOOSER,
    "rests_on": FEWER_IS_LOOSER,
    "valid_for": side(longer, lambda old, new: longer(new, old)),
    "when": side(lambda old, new: gone(new, old), gone),
    "one_of": side(lambda old, new: gone(new, old), gone),
    "override_by": MORE_IS_LOOSER,
    "defer_by": MORE_IS_LOOSER,
    "not_applicable": side(lambda old, new: gone(new, old), gone),
}
# ------------------------------------------------------------ walking


def _of_item(old: Item, new: Item, reason: str) -> Iterator[Change]:
    for key in Item.__struct_fields__:
        before, after = getattr(old, key), getattr(new, key)
        if before == after:
            continue
        if key == "criterion" and before is not None and after is not None:
            yield from of_criterion(old.id, before, after, reason)
        elif key == "probe" and before is not None and after is not None and before.name == after.name:
            yield from _of_parameters(old.id, before.parameters, after.parameters, reason)
        else:
            judge = GOING_IS_LOOSER if key in ("criterion", "probe") else _OF_ITEM.get(key, plain)
            yield change(f"{old.id}.{key}", before, after, judge, reason)


def _of_parameters(id: str, before: dict[str, Any], after: dict[str, Any], reason: str) -> Iterator[Change]:
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield change(f"{id}.probe.parameters.{key}", before.get(key), after.get(key), plain, reason)


def _of_stages(before: Pack, after: Pack, reason: str) -> Iterator[Change]:
    """The stages' order, gates, and items that moved from one stage to another."""
    old, new = ({stage.id: stage for stage in pack.stages} for pack in (before, after))
    if list(old) != list(new):
        yield change("stages", tuple(old), tuple(new), plain, reason)
    for id in (id for id in new if id in old):
        yield from _of_gate(old[id], new[id], reason)
    stage_of = {item.id: stage.id for stage in before.stages for item in stage.items}
    for stage in after.stages:
        for item in stage.items:
            if stage_of.get(item.id, stage.id) != stage.id:
                yield change(f"{item.id}.stage", stage_of[item.id], stage.id, plain, reason)


def _of_gate(old: Stage, new: Stage, reason: str) -> Iterator[Change]:
    judges: dict[str, Judge] = {
        "phases": FEWER_IS_LOOSER,
        "poll": FEWER_IS_LOOSER,
        "signatures": FEWER_IS_LOOSER,
        "overrides_allowed": side(lambda _, after: bool(after), lambda _, after: not after),
    }
    for key, judge in judges.items():
        before, after = getattr(old.gate, key), getattr(new.gate, key)
        if before != after:
            yield change(f"{new.id}.gate.{key}", before, after, judge, reason)
