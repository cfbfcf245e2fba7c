"""What has changed since a poll answer or a signature was given, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from console.checklist.folding.ground import Ground, value_at
from console.checklist.pack import Stage
from console.checklist.signatories import SECOND, same_person
from console.checklist.states import PASSED, SETTLED, ItemState
from console.phases.states import PASSED as TESTED
from console.record.changes import difference
from console.record.entries import Deferral, Override, Signature
from console.record.ledger import Kept

_NAMED = 3


def named(words: Sequence[str]) -> str:
    """The first three, then how many more: `a, b, c and 4 more`."""
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return ", ".join(words[:_NAMED]) + more


def changed_since(ground: Ground, stage: Stage, seq: int, wall_ns: int) -> str:
    """What has changed for this stage since entry `seq`, which was written at `wall_ns`; never empty."""
    causes = [*_revised(ground, seq), *_seen(ground, stage, seq)]
    words = [
        *causes,
        *_fallen(ground, stage, ground.field.basis),
        *(said for one in ground.of(stage) for said in _moved(one, seq, wall_ns, causes)),
        *(said for one in ground.until(stage) for said in _laid(ground, one, seq, wall_ns)),
    ]
    return named(list(dict.fromkeys(words))) or "what it was given on has changed"


def void_reason(ground: Ground, stage: Stage, kept: Kept[Signature]) -> str:
    """Why a signature does not count any more, one sentence; empty while it does."""
    withdrawn = ground.ledger.withdrawn.get(kept.seq)
    if withdrawn is not None:
        return f"withdrawn by {withdrawn.entry.person}: {withdrawn.body.reason}"
    signature = kept.body
    words = [*_revised(ground, signature.head), *_uncovered(ground, stage, signature)]
    words += _fallen(ground, stage, signature.phases)
    words += _laid(ground, stage, signature.head, kept.entry.wall_ns)
    if signature.meaning in SECOND:
        done = [one.item.id for one in ground.of(stage) if any(_is(signature, who) for who in one.performers)]
        words += [f"given by one who performed {named(done)}"] if done else []
    return named(list(dict.fromkeys(words)))


# ------------------------------------------------------------ parts


def _is(signature: Signature, performer: str) -> bool:
    return same_person(signature.principal, performer) or same_person(signature.name, performer)


def _revised(ground: Ground, seq: int) -> Iterator[str]:
    for name, changes in (("bundle", ground.present.bundle), ("checklist", ground.revisions)):
        old, new = value_at(changes, seq), value_at(changes)
        if old != new:
            yield difference(name, old, new)
        elif changes and changes[-1].seq > seq:
            yield f"another {name} was in force meanwhile"


def _seen(ground: Ground, stage: Stage, seq: int) -> Iterator[str]:
    for name in sorted(ground.rests_on(stage) & ground.present.seen.keys()):
        changes = ground.present.seen[name]
        old, new = value_at(changes, seq), value_at(changes)
        if old != new:
            yield difference(name, old, new)


def _moved(state: ItemState, seq: int, wall_ns: int, causes: Collection[str]) -> Iterator[str]:
    """That the item moved, and why, where that is not said among the causes already."""
    later = state.basis is not None and state.basis.seq > seq
    went = state.since_wall_ns is not None and state.since_wall_ns > wall_ns and state.state == "stale"
    if later or went:
        told = state.state in PASSED or all(why in causes for why in state.reason.split("; "))
        why = f": {state.reason}" if state.reason and not told else ""
        yield (
            f"{state.item.id} is {state.state}{why}"
            if state.state not in PASSED
            else f"{state.item.id} was looked at again"
        )


def _uncovered(ground: Ground, stage: Stage, signature: Signature) -> Iterator[str]:
    for one in ground.of(stage):
        if one.state not in (*SETTLED, "deferred"):
            yield f"{one.item.id} is {one.state}: {one.reason}" if one.reason else f"{one.item.id} is {one.state}"
        elif signature.covers.get(one.item.id, "") != (one.basis.digest if one.basis else ""):
            yield f"{one.item.id} rests on other evidence now"


def _fallen(ground: Ground, stage: Stage, given: Mapping[str, str]) -> Iterator[str]:
    """Phases that the gate wants and that are not passed, or were passed anew; `given` is what they rested on then."""
    states = {one.phase.id: one for one in ground.field.phases}
    for id in stage.gate.phases:
        state = states.get(id)
        if state is None or state.status not in TESTED:
            yield f"phase {id} is {state.status if state else 'unknown'}"
        elif given.get(id, "") != ground.field.basis.get(id, ""):
            yield f"phase {id} rests on other trials now"


def _laid(ground: Ground, stage: Stage, seq: int, wall_ns: int) -> list[str]:
    """Overrides and deferrals of the stage's items that came, were withdrawn or ended since."""
    words: list[str] = []
    for item in stage.items:
        override = ground.ledger.then(Override, item.id, seq)
        in_force = override is not None and override.body.expires_wall_ns > wall_ns
        words += _compared(item.id, "override", override if in_force else None, ground.words.overrides.get(item.id))
        deferral = ground.ledger.then(Deferral, item.id, seq)
        words += _compared(item.id, "deferral", deferral, ground.words.deferrals.get(item.id))
    return words


def _compared(
    id: str, what: str, old: Kept[Override] | Kept[Deferral] | None, now: Kept[Override] | Kept[Deferral] | None
) -> list[str]:
    if (old.seq if old else None) == (now.seq if now else None):
        return []
    return [f"{id} has another {what}" if now else f"the {what} of {id} ended"]
