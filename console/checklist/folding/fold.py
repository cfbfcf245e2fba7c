"""A record's entries become the state of a checklist: the one place that decides. Pure: no clock, no files.

How an item is decided stands in item_fold, what makes it stale in staleness, how items stand together in together, how a gate
stands in gate_fold.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from console.checklist.folding.entering import Conditions, measured_rate
from console.checklist.folding.gate_fold import fold_gate, is_due
from console.checklist.folding.ground import Ground, value_at
from console.checklist.folding.item_fold import own_state
from console.checklist.folding.recheck import recheck
from console.checklist.folding.staleness import Change, Present
from console.checklist.folding.together import Together, Words
from console.checklist.pack import Checklist
from console.checklist.states import SETTLED, ChecklistState, GateState, ItemState, StageState
from console.checklist.wording import age_words
from console.phases.fold import fold_phases, with_entry
from console.record.changes import difference
from console.record.entries import Deferral, Opened, Override, Revised, Seen
from console.record.ledger import Kept, Ledger
from console.record.rows import RecordLike

APART_NS = 300 * 1_000_000_000
"""So far may the clocks of two laptops be apart: a record from further ahead was written by a wrong one."""


def fold(record: RecordLike, checklist: Checklist, wall_ns: int, running: Collection[str] = ()) -> ChecklistState:
    """How everything stands at `wall_ns`.

    Args:
        record: the campaign's record. An empty one gives a checklist on which nothing was done.
        checklist: the one in force; where the record says another revision, a warning tells.
        wall_ns: now, nanoseconds since the Unix epoch. Before the last entry's time (a clock that was set back) that time
            counts instead, and what depends on time is flagged.
        running: ids of the items that are being looked at. They show as running; gates don't look at that.

    Raises:
        Trouble: `record_damaged` or `record_newer` where an entry that decides can't be read.
    """
    ledger = Ledger(record.rows())
    opened, revised = ledger.last(Opened), list(ledger.all(Revised))
    ground = _ground(ledger, checklist, opened, revised, wall_ns)
    gates: list[GateState] = []
    for place in range(len(ground.stages)):
        gates.append(fold_gate(ground, place, gates))
    field = with_entry(ground.field, Conditions(ground, gates).seen)
    here = next((place for place, gate in enumerate(gates) if not gate.open), len(gates) - 1)
    states = list(ground.states.values())
    distrust = tuple(_distrust(ground, checklist, opened, wall_ns))
    return ChecklistState(
        campaign=opened.body.campaign if opened else "",
        robot=opened.body.robot if opened else "",
        bundle=ground.bundle,
        bundle_name=_bundle_name(opened, revised),
        revision=ground.revision,
        wall_ns=ground.present.wall_ns,
        stages=tuple(
            StageState(stage=stage, items=tuple(_shown(one, running) for one in ground.of(stage)), gate=gate)
            for stage, gate in zip(ground.stages, gates, strict=True)
        ),
        stage=ground.stages[here].id,
        next_item=_next(ground, here),
        recheck=recheck(states),
        overrides=sum(one.state == "overridden" for one in states),
        deferrals=sum(one.state == "deferred" for one in states),
        fingerprints=ground.present.fingerprints(),
        entries=ledger.entries,
        head=ledger.head,
        warnings=tuple(dict.fromkeys((*_warnings(ground, wall_ns), *distrust))),
        distrust=distrust,
        pack=checklist.pack.name,
        field=field,
    )


def _ground(
    ledger: Ledger, checklist: Checklist, opened: Kept[Opened] | None, revised: Sequence[Kept[Revised]], wall_ns: int
) -> Ground:
    pack, now_ns = checklist.pack, max(wall_ns, ledger.last_wall_ns)
    bundle = _changes(opened.body.bundle if opened else None, opened, ((one, one.body.bundle) for one in revised))
    revisions = _changes(
        opened.body.revision if opened else None, opened, ((one, one.body.revision) for one in revised)
    )
    present = Present(
        seen=_seen(ledger),
        bundle=bundle,
        revised_wall_ns=revisions[-1].wall_ns if revisions else 0,
        wall_ns=now_ns,
    )
    items = {item.id: item for item in pack.items()}
    own = {id: own_state(ledger, item, checklist.rules[id], present) for id, item in items.items()}
    words = _words(ledger, checklist, now_ns)
    together = Together({item.id: stage.id for stage in pack.stages for item in stage.items}, items, own, words)
    states = {id: together.state(id) for id in items}
    if wall_ns < now_ns:
        states = {id: _untrusted(state) for id, state in states.items()}
    field = fold_phases(
        ledger,
        pack.phases,
        checklist.phase_rules,
        bundle=value_at(bundle),
        robot=value_at(present.seen.get("robot", ())),
        baseline=lambda id: measured_rate(states.get(id)),
    )
    return Ground(ledger, pack.stages, present, revisions, words, states, field)


def _changes(
    first: str | None, opened: Kept[Opened] | None, later: Iterable[tuple[Kept[Revised], str | None]]
) -> tuple[Change, ...]:
    """A campaign's own value and each that took its place."""
    found = [Change(opened.seq, opened.entry.wall_ns, first)] if opened is not None and first is not None else []
    for kept, value in later:
        if value is not None and (not found or found[-1].value != value):
            found.append(Change(kept.seq, kept.entry.wall_ns, value))
    return tuple(found)


def _seen(ledger: Ledger) -> dict[str, tuple[Change, ...]]:
    """The values that each fingerprint was seen to have. One that a look leaves out is as it was."""
    found: dict[str, list[Change]] = {}
    for kept in ledger.all(Seen):
        for name, value in kept.body.fingerprints.items():
            changes = found.setdefault(name, [])
            if not changes or changes[-1].value != value:
                changes.append(Change(kept.seq, kept.entry.wall_ns, value))
    return {name: tuple(changes) for name, changes in found.items()}


def _words(ledger: Ledger, checklist: Checklist, now_ns: int) -> Words:
    """The overrides and deferrals in force: the last of each item, by a role that the checklist lets do it."""
    overrides, deferrals = {}, {}
    for item in checklist.pack.items():
        override, deferral = ledger.last(Override, item.id), ledger.last(Deferral, item.id)
        if override is not None and override.body.role in item.override_by and override.body.expires_wall_ns > now_ns:
            overrides[item.id] = override
        if deferral is not None and deferral.body.role in item.defer_by:
            deferrals[item.id] = deferral
    return Words(overrides, deferrals)


def _bundle_name(opened: Kept[Opened] | None, revised: Sequence[Kept[Revised]]) -> str:
    names = [one.body.bundle_name for one in revised if one.body.bundle_name is not None]
    return names[-1] if names else opened.body.bundle_name if opened else ""


def _untrusted(state: ItemState) -> ItemState:
    if state.expires_wall_ns is None:
        return state
    flags = tuple(dict.fromkeys((*state.flags, "time untrusted")))
    return msgspec.structs.replace(state, flags=flags)


def _shown(state: ItemState, running: Collection[str]) -> ItemState:
    if state.item.id not in running or state.state == "n/a":
        return state
    return msgspec.structs.replace(state, state="running", below=state.state, reason="being looked at", cure="")


def _next(ground: Ground, place: int) -> str | None:
    """The first item of the stage that needs something, else the first of an earlier one that is due here."""
    here = [one for one in ground.of(ground.stages[place]) if one.state not in (*SETTLED, "deferred")]
    due = [one for one in ground.states.values() if is_due(ground, one, place)]
    return next((one.item.id for one in (*here, *due)), None)


def _warnings(ground: Ground, wall_ns: int) -> Iterable[str]:
    last_ns = ground.ledger.last_wall_ns
    if wall_ns < last_ns:
        behind = age_words((last_ns - wall_ns) / 1e9)
        yield f"time untrusted: this clock is {behind} behind the last entry; that entry's time counts instead"


def _distrust(ground: Ground, checklist: Checklist, opened: Kept[Opened] | None, wall_ns: int) -> Iterable[str]:
    if ground.ledger.last_wall_ns - wall_ns > APART_NS:  # evidence from next year would stay young for a year
        yield from _warnings(ground, wall_ns)
    if ground.revisions and ground.revision != checklist.revision:
        said = difference("checklist", ground.revision, checklist.revision)
        yield f"this is not the checklist that the record has in force ({said})"
    if opened is not None and opened.body.pack_name != checklist.pack.name:
        yield f"the record calls its pack '{opened.body.pack_name}', it is '{checklist.pack.name}'"
