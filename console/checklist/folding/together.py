"""How items stand together: what does not apply, what is excused by another, what is overridden or deferred.

The order decides: not applicable, `when`, `one_of`, then an override in force, then a deferral, then the item's own state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from console.checklist.folding.item_fold import Own
from console.checklist.pack import Item
from console.checklist.states import PASSED, ItemState
from console.record.entries import Deferral, Override
from console.record.ledger import Kept


class Words(NamedTuple):
    """What people have laid over items: overrides and deferrals that count, by item."""

    overrides: Mapping[str, Kept[Override]]
    deferrals: Mapping[str, Kept[Deferral]]


class Together:
    """The items of one checklist with their own states. Call `state` for how each stands among the others."""

    def __init__(
        self, stages: Mapping[str, str], items: Mapping[str, Item], own: Mapping[str, Own], words: Words
    ) -> None:
        self._stages = stages
        self._items = items
        self._own = own
        self._words = words
        self._alone: dict[str, ItemState] = {}
        self._asked: set[str] = set()

    def state(self, id: str) -> ItemState:
        """The item's state. Of a group one that passes excuses those that don't."""
        alone = self.alone(id)
        if alone.state == "n/a" or alone.state in PASSED:
            return alone
        excuse = self._excuse(id)
        return self._not_applicable(id, f"not needed: {excuse} passes") if excuse else alone

    def alone(self, id: str) -> ItemState:
        """The item's state as if it were in no group."""
        if id not in self._alone:
            found = self._found(id)
            self._alone.setdefault(id, found)  # in a circle the answer that was given first stays
        return self._alone[id]

    def _found(self, id: str) -> ItemState:
        item = self._items[id]
        if item.not_applicable is not None:
            return self._not_applicable(id, item.not_applicable)
        why_not = self._condition(item)
        return self._not_applicable(id, why_not) if why_not else self._laid_over(id)

    def _condition(self, item: Item) -> str:
        """Why the item's `when` does not hold; empty where it does. In a circle one applies."""
        when = item.when
        if when is None or when.item not in self._items or item.id in self._asked:
            return ""
        self._asked.add(item.id)
        try:
            # within a group the other's own state counts: what excuses it would else depend on what it excuses
            grouped = item.one_of is not None and item.one_of == self._items[when.item].one_of
            other = self.alone(when.item) if grouped else self.state(when.item)
        finally:
            self._asked.discard(item.id)
        wanted = " or ".join(when.states)
        return "" if other.state in when.states else f"only where {when.item} is {wanted}; it is {other.state}"

    def _excuse(self, id: str) -> str:
        group = self._items[id].one_of
        others = (one for one in self._items.values() if group is not None and one.one_of == group and one.id != id)
        return next((one.id for one in others if self.alone(one.id).state in PASSED), "")

    def _laid_over(self, id: str) -> ItemState:
        own, base = self._own[id], self._base(id)
        override = self._words.overrides.get(id)
        if override is not None:
            given = override.body
            return msgspec.structs.replace(
                base,
                state="overridden",
                below=own.state,
                reason=f"{override.entry.person} ({given.role}): {given.reason}",
                need="nothing",
                cure="",
                override=given,
                since_wall_ns=override.entry.wall_ns,
                expires_wall_ns=given.expires_wall_ns,
            )
        deferral = self._words.deferrals.get(id)
        if deferral is None or own.state in PASSED:  # a pass is what a deferral waits for: it ends it
            return base
        return msgspec.structs.replace(
            base,
            state="deferred",
            below=own.state,
            reason=f"deferred to {deferral.body.until_stage}: {deferral.body.reason}",
            owner=deferral.body.owner,
            since_wall_ns=deferral.entry.wall_ns,
            expires_wall_ns=None,
        )

    def _base(self, id: str) -> ItemState:
        own = self._own[id]
        return ItemState(
            item=self._items[id],
            stage=self._stages[id],
            state=own.state,
            reason=own.reason,
            cure=own.cure,
            need=own.need,
            since_wall_ns=own.since_wall_ns,
            basis=own.basis,
            expires_wall_ns=own.expires_wall_ns,
            attempts=own.attempts,
            failures=own.failures,
            last_failure_seq=own.last_failure_seq,
            performers=own.performers,
            flags=own.flags,
        )

    def _not_applicable(self, id: str, why: str) -> ItemState:
        own = self._own[id]
        return ItemState(
            item=self._items[id],
            stage=self._stages[id],
            state="n/a",
            reason=why,
            attempts=own.attempts,
            failures=own.failures,
            last_failure_seq=own.last_failure_seq,
        )
