"""What of the checklist a phase of field testing waits for, and the rates that reality is compared with."""

from __future__ import annotations

from collections.abc import Sequence

from console.checklist.folding.gate_changes import named
from console.checklist.folding.ground import Ground
from console.checklist.states import PASSED, SETTLED, GateState, ItemState
from console.fieldtest.criteria import Rate
from console.phases.schema import Entry
from console.phases.states import PASSED as PHASE_PASSED
from console.record.entries import ConditionSeen

_YET = ("locked", "ready", "testing")
"""How a phase stands that was neither passed nor failed."""
_LAID_DOWN = (*SETTLED, "deferred")
"""The states in which an item holds up nothing; a gate that it is due at says so itself."""


class Conditions:
    """How the entry conditions of phases stand: `seen` tells of one."""

    def __init__(self, ground: Ground, gates: Sequence[GateState]) -> None:
        self._ground = ground
        self._open = {stage.id: gate.open for stage, gate in zip(ground.stages, gates, strict=True)}

    def seen(self, entry: Entry) -> ConditionSeen:
        """Whether it is met, in words. What the pack does not know is not met."""
        if entry.stage is not None:
            is_open = self._open.get(entry.stage, False)
            words = f"the gate of {entry.stage} is {'open' if is_open else 'not open'}"
            return ConditionSeen(id=f"stage:{entry.stage}", met=is_open, words=words)
        if entry.items_of is not None:
            return self._items(entry.items_of)
        if entry.item is not None:
            return self._item(entry.item)
        return self._phase(entry.phase or "")

    def _items(self, id: str) -> ConditionSeen:
        stage = next((stage for stage in self._ground.stages if stage.id == id), None)
        states = self._ground.of(stage) if stage is not None else []
        waiting = [f"{one.item.id} ({one.state})" for one in states if one.state not in _LAID_DOWN]
        words = f"not settled in {id}: {named(waiting)}" if waiting else f"every item of {id} is settled"
        return ConditionSeen(id=f"items_of:{id}", met=stage is not None and not waiting, words=words)

    def _item(self, id: str) -> ConditionSeen:
        state = self._ground.states.get(id)
        said = state.state if state is not None else "unknown"
        return ConditionSeen(id=f"item:{id}", met=said in SETTLED, words=f"{id} is {said}")

    def _phase(self, id: str) -> ConditionSeen:
        state = next((one for one in self._ground.field.phases if one.phase.id == id), None)
        said = state.status if state is not None else "unknown"
        words = f"the phase {id} is {'not passed yet' if said in _YET else said}"
        return ConditionSeen(id=f"phase:{id}", met=said in PHASE_PASSED, words=words)


def measured_rate(state: ItemState | None) -> Rate | None:
    """The rate that an item measured and that still counts."""
    if state is None or state.state not in PASSED or state.basis is None or state.basis.evidence is None:
        return None
    measurement = state.basis.evidence.measurement
    return measurement if isinstance(measurement, Rate) else None
