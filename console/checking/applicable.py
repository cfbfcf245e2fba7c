"""Which actions apply to what is selected: the key line shows these, and no other key does anything."""

from __future__ import annotations

from console.checklist.states import PASSED, ChecklistState, ItemState, StageState
from console.widgets.checklist_rows import Entry


def applicable_to(state: ChecklistState, entry: Entry | None) -> frozenset[str]:
    """The names of the checklist's actions that can do something with `entry`."""
    if entry is None:
        return frozenset({"check_all", "export", "person"})
    stage = next(stage for stage in state.stages if stage.stage.id == entry.stage)
    names = {"check_all", "export", "from_paper", "person", "note", "next_open", "reconnect", "withdraw"}
    names |= _of_stage(stage)
    if state.recheck or (entry.item is not None and _senses(entry.item)):
        names.add("recheck")
    if entry.item is not None:
        names |= _of_item(entry.item)
    return frozenset(names)


def _senses(item: ItemState) -> bool:
    return item.item.kind == "sensed" and item.item.act is None and item.state != "n/a"


def _of_stage(stage: StageState) -> set[str]:
    names = {"poll"} if stage.stage.gate.poll else set()
    names |= {"sign"} if stage.stage.gate.signatures else set()
    return names | ({"pass_gate"} if not stage.gate.open else set())


def _of_item(item: ItemState) -> set[str]:
    asked = item.item
    if item.state == "n/a":
        return set()
    names = {"act"} if asked.act is not None else set()
    names |= {"measure"} if asked.kind == "measured" else set()
    names |= {"confirm"} if asked.kind in ("confirmed", "witnessed") else set()
    names |= {"witness"} if asked.kind == "witnessed" else set()
    names |= {"fix"} if item.last_failure_seq is not None else set()
    if item.state not in PASSED:
        names |= {"override"} if asked.override_by else set()
        names |= {"defer"} if asked.defer_by else set()
    return names
