"""What to do next in a campaign, as the command that does it."""

from __future__ import annotations

from console.checklist.folding.gate_fold import unsigned
from console.checklist.pack import Item
from console.checklist.states import ChecklistState, ItemState, StageState
from console.phases.states import PASSED, FieldState, PhaseState


def next_step(state: ChecklistState) -> str:
    """The next command, `fieldgate campaign poll NAME --role engineer --go`; in capitals what a person fills in."""
    stage = next(one for one in state.stages if one.stage.id == state.stage)
    if stage.gate.open:
        return f"fieldgate report {state.campaign}"
    if state.next_item is not None:
        return _for_item(state, state.item(state.next_item))
    return _for_gate(state, stage)


def _for_item(state: ChecklistState, one: ItemState) -> str:
    item, on = one.item, f"fieldgate campaign {{}} {state.campaign} {one.item.id}"
    if one.need == "probe":
        return f"fieldgate check {state.robot} --campaign {state.campaign} --item {item.id}"
    if one.need == "command":
        return on.format("act")
    if one.need == "fix":
        return f"{on.format('fix')} TEXT"
    if one.need == "witness":
        return f"{on.format('witness')}{_answer(item)} --as PERSON"
    if item.kind == "measured":
        rate = item.criterion is not None and item.criterion.statistic == "rate"
        return on.format("measure") + (" --successes K --n N" if rate else " VALUE") + _file(item)
    if item.kind in ("confirmed", "witnessed"):
        return f"{on.format('confirm')}{_answer(item)}{_file(item)}"
    return f"fieldgate check {state.robot} --campaign {state.campaign} --item {item.id}"


def _answer(item: Item) -> str:
    return " --answer SERIAL-END" if item.critical else ""


def _file(item: Item) -> str:
    return f" --file {item.inspect.upper()}" if item.inspect is not None else ""


def _for_gate(state: ChecklistState, stage: StageState) -> str:
    phase = next((state.field.phase(id) for id in stage.stage.gate.phases if _is_open(state.field, id)), None)
    if phase is not None:
        return _for_phase(state, phase)
    forbidden = _forbidden(state, stage)
    if forbidden is not None:  # its entry's number, for `fieldgate campaign withdraw`
        return f"fieldgate campaign log {state.campaign} --item {forbidden.item.id}"
    silent = [one.role for one in stage.gate.poll if not one.go]
    if silent:
        return f"fieldgate campaign poll {state.campaign} --role {silent[0]} --go"
    missing = unsigned(stage.stage, stage.gate.signatures)
    if missing:
        return f"fieldgate sign {state.campaign} --meaning {missing[0].meaning}"
    return f"fieldgate campaign pass {state.campaign}"


def _is_open(field: FieldState, id: str) -> bool:
    return any(one.phase.id == id and one.status not in PASSED for one in field.phases)


def _for_phase(state: ChecklistState, phase: PhaseState) -> str:
    """A phase that the gate waits for: begin it, sit down to it, or see why it does not go on."""
    name, session = state.campaign, state.field.session
    if phase.status == "ready":
        return f"fieldgate phase begin {name} {phase.phase.id}"
    if phase.status == "stopped":
        stop = next(one.id for one in phase.stops if one.reached)
        return f"fieldgate phase lift {name} {stop} --phase {phase.phase.id} --reason TEXT"
    if phase.status in ("testing", "stale") and phase.phase.id == state.field.current:
        return f"fieldgate session begin {name}" if session is None else f"fieldgate trial log {name} OUTCOME"
    return f"fieldgate phase show {name} --phase {phase.phase.id}"


def _forbidden(state: ChecklistState, stage: StageState) -> ItemState | None:
    """The first override up to this stage, where its gate allows none."""
    if stage.stage.gate.overrides_allowed:
        return None
    until = state.stages[: state.stages.index(stage) + 1]
    return next((item for one in until for item in one.items if item.state == "overridden"), None)
