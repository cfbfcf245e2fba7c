"""Which actions apply to what is selected: the key line shows these, and no other key does anything."""

from __future__ import annotations

from console.checklist.states import PASSED, SETTLED, ChecklistState, ItemState, Need, StageState
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


_FIRST: dict[Need, str] = {
    "probe": "recheck",
    "value": "measure",
    "confirmation": "confirm",
    "witness": "witness",
    "command": "act",
    "photo": "confirm",
    "file": "confirm",
    "fix": "fix",
}
_ITEM = ("recheck", "act", "measure", "confirm", "fix", "override", "defer")
_STAGE = ("poll", "sign", "pass_gate")
_REST = ("next_open", "check_all", "note", "person", "withdraw", "export", "from_paper", "reconnect")


def offered_for(state: ChecklistState, entry: Entry | None) -> tuple[str, ...]:
    """Those of `applicable_to` that the key line offers, what the row needs first; settled items ask for no more words."""
    able = applicable_to(state, entry)
    item = entry.item if entry is not None else None
    first = _FIRST.get(item.need, "") if item is not None else ""
    own = [first, *_ITEM] if item is not None else []
    if item is not None and item.state in SETTLED:
        own = [name for name in own if name not in ("confirm", "witness")]
    names = [*own, *_REST, *_STAGE] if item is not None else [*_STAGE, "recheck", *_REST]
    return tuple(name for name in dict.fromkeys(names) if name in able)


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
    names |= {"witness"} if asked.kind == "witnessed" and item.performers else set()
    names |= {"fix"} if item.last_failure_seq is not None else set()
    if item.state not in PASSED:
        names |= {"override"} if asked.override_by else set()
        names |= {"defer"} if asked.defer_by else set()
    return names
