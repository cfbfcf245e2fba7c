"""How a stage's gate stands: what its poll and its signatures were given on, whether that still holds, what blocks it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import msgspec

from console.checklist.folding.gate_changes import changed_since, named, void_reason
from console.checklist.folding.ground import Ground
from console.checklist.pack import Signing, Stage
from console.checklist.signatories import same_name
from console.checklist.states import SETTLED, GateState, ItemState, PollState, SignatureState
from console.phases.states import PASSED as TESTED
from console.record.entries import GatePassed, Poll, Signature
from console.record.ledger import Kept


def fold_gate(ground: Ground, place: int, earlier: Sequence[GateState]) -> GateState:
    """The gate of stage number `place`; `earlier` are the gates before it, in order."""
    stage = ground.stages[place]
    basis = basis_of(ground, place)
    poll = _poll(ground, stage, basis)
    signatures = _signatures(ground, stage)
    blocked_by = (
        *_earlier(ground, earlier),
        *_unsettled(ground, stage),
        *_due(ground, place),
        *_overridden(ground, place),
        *_untested(ground, stage),
        *_unpolled(poll),
        *_unsigned(stage, signatures),
    )
    passed = ground.ledger.last(GatePassed, stage.id)
    return GateState(
        poll=poll,
        signatures=signatures,
        blocked_by=blocked_by,
        basis=basis,
        passed_wall_ns=passed.entry.wall_ns if passed else None,
        open=passed is not None and not blocked_by and _stands(ground, passed, signatures),
    )


def basis_of(ground: Ground, place: int) -> str:
    """SHA-256 over what a go or a signature is given on.

    That is each item's state and the entry it rests on, the fingerprints that the stage's evidence rests on, bundle and
    revision, the overrides in force here and before, and what its phases' verdicts rest on.
    """
    stage = ground.stages[place]
    items = [(one.item.id, one.state, one.basis.digest if one.basis else "") for one in ground.of(stage)]
    overrides = [(one, ground.words.overrides[one].digest) for one in _overrides(ground, place)]
    deferrals = [
        (id, kept.digest) for id, kept in sorted(ground.words.deferrals.items()) if id in dict.fromkeys(ids(stage))
    ]
    seen = {name: value for name, value in ground.present.fingerprints().items() if name in ground.rests_on(stage)}
    held = [stage.id, ground.bundle, ground.revision, items, sorted(seen.items()), overrides, deferrals]
    if stage.gate.phases:
        held.append([(id, ground.field.basis.get(id, "")) for id in stage.gate.phases])
    return hashlib.sha256(msgspec.json.encode(held)).hexdigest()


def ids(stage: Stage) -> tuple[str, ...]:
    """The ids of the stage's items."""
    return tuple(item.id for item in stage.items)


def is_due(ground: Ground, state: ItemState, place: int) -> bool:
    """Whether an item that is deferred holds up the gate of stage number `place`. To an unknown stage it is due at once."""
    deferral = ground.words.deferrals.get(state.item.id)
    if state.state != "deferred" or deferral is None:
        return False
    places = {stage.id: number for number, stage in enumerate(ground.stages)}
    return places.get(deferral.body.until_stage, 0) <= place


# ------------------------------------------------------------ poll and signatures


def _poll(ground: Ground, stage: Stage, basis: str) -> tuple[PollState, ...]:
    answers: dict[str, Kept[Poll]] = {}
    for kept in ground.ledger.newest(Poll, stage.id, withdrawn_too=True):
        answers.setdefault(kept.body.role, kept)
        if len(answers.keys() & set(stage.gate.poll)) == len(set(stage.gate.poll)):
            break
    return tuple(_answer(ground, stage, role, answers.get(role), basis) for role in stage.gate.poll)


def _answer(ground: Ground, stage: Stage, role: str, kept: Kept[Poll] | None, basis: str) -> PollState:
    if kept is None:
        return PollState(role=role)
    reset = _taken_back(ground, kept)  # what was said before it does not come back: a no-go taken back is no go
    if not reset and kept.body.basis != basis:
        reset = changed_since(ground, stage, kept.seq, kept.entry.wall_ns)
    return PollState(
        role=role,
        go=None if reset else kept.body.go,
        person=kept.entry.person,
        wall_ns=kept.entry.wall_ns,
        note=kept.body.note,
        reset=reset,
    )


def _taken_back(ground: Ground, kept: Kept[Poll]) -> str:
    gone = ground.ledger.withdrawn.get(kept.seq)
    return f"withdrawn by {gone.entry.person}: {gone.body.reason}" if gone is not None else ""


def _signatures(ground: Ground, stage: Stage) -> tuple[SignatureState, ...]:
    given = tuple(
        SignatureState(
            seq=kept.seq, wall_ns=kept.entry.wall_ns, signature=kept.body, void=void_reason(ground, stage, kept)
        )
        for kept in ground.ledger.all(Signature, stage.id)
    )
    return tuple(msgspec.structs.replace(one, history=_history(ground, stage, one, given)) for one in given)


def _history(ground: Ground, stage: Stage, void: SignatureState, given: Sequence[SignatureState]) -> str:
    """Why nothing hangs on a void signature any more: taken back, or another one that counts was given in its place."""
    if not void.void:
        return ""
    if void.seq in ground.ledger.withdrawn:
        return "withdrawn"
    later = (one for one in given if one.seq > void.seq and not one.void and _in_place_of(stage, void, one))
    newer = next(later, None)
    return f"replaced by entry {newer.seq}" if newer is not None else ""


def _in_place_of(stage: Stage, old: SignatureState, new: SignatureState) -> bool:
    """Whether `new` answers what `old` did: the same meaning, and the same role or the same thing that the gate wants."""
    one, other = old.signature, new.signature
    same = one.role == other.role or any(fits(one, wanted) and fits(other, wanted) for wanted in stage.gate.signatures)
    return one.meaning == other.meaning and same


def _stands(ground: Ground, passed: Kept[GatePassed], signatures: Sequence[SignatureState]) -> bool:
    """Whether it was passed under what is in force now, by signatures that all still count."""
    counting = {one.seq for one in signatures if not one.void}
    return set(passed.body.signatures) <= counting and not ground.revised_after(passed.seq)


# ------------------------------------------------------------ what blocks


def _earlier(ground: Ground, earlier: Sequence[GateState]) -> tuple[str, ...]:
    shut = [ground.stages[place].id for place, gate in enumerate(earlier) if not gate.open]
    return (f"an earlier gate is not open: {named(shut)}",) if shut else ()


def _unsettled(ground: Ground, stage: Stage) -> tuple[str, ...]:
    open_ones = [f"{one.item.id} ({one.state})" for one in ground.of(stage) if one.state not in (*SETTLED, "deferred")]
    return (f"not settled: {named(open_ones)}",) if open_ones else ()


def _due(ground: Ground, place: int) -> tuple[str, ...]:
    found = (one for stage in ground.stages[: place + 1] for one in ground.of(stage) if is_due(ground, one, place))
    words = [f"{one.item.id} ({one.owner} answers for it)" for one in found]
    return (f"deferred until here: {named(words)}",) if words else ()


def _overrides(ground: Ground, place: int) -> list[str]:
    """The items of this and earlier stages that are overridden, in order."""
    found = (one for stage in ground.stages[: place + 1] for one in ground.of(stage))
    return [one.item.id for one in found if one.state == "overridden"]


def _overridden(ground: Ground, place: int) -> tuple[str, ...]:
    overridden = _overrides(ground, place)
    if ground.stages[place].gate.overrides_allowed or not overridden:
        return ()
    return (f"no override may stand here: {named(overridden)}",)


def _untested(ground: Ground, stage: Stage) -> tuple[str, ...]:
    """The phases of field testing that the gate wants and that are not passed, with how they stand."""
    states = {one.phase.id: one for one in ground.field.phases}
    wanted = [(id, states.get(id)) for id in stage.gate.phases]
    words = [
        f"{id} ({state.status}: {state.reason})" if state is not None else f"{id} (unknown)"
        for id, state in wanted
        if state is None or state.status not in TESTED
    ]
    return (f"phase not passed: {named(words)}",) if words else ()


def _unpolled(poll: Sequence[PollState]) -> tuple[str, ...]:
    silent = [f"{one.role} ({one.reset})" if one.reset else one.role for one in poll if one.go is None]
    against = [f"{one.role} ({one.person})" for one in poll if one.go is False]
    asked = (f"no go yet from: {named(silent)}",) if silent else ()
    return (*asked, f"no-go from: {named(against)}") if against else asked


def _unsigned(stage: Stage, signatures: Sequence[SignatureState]) -> tuple[str, ...]:
    return tuple(_asked(one, signatures) for one in unsigned(stage, signatures))


def _asked(wanted: Signing, signatures: Sequence[SignatureState]) -> str:
    asked = f"signature missing: {wanted.meaning} by {' or '.join(wanted.roles)}"
    void = [one for one in signatures if one.void and not one.history and fits(one.signature, wanted)]
    return f"{asked} (that of {void[-1].signature.name} is void: {void[-1].void})" if void else asked


def unsigned(stage: Stage, signatures: Sequence[SignatureState]) -> tuple[Signing, ...]:
    """What the stage's gate wants signed and is not, by signatures that count."""
    counting = [one.signature for one in signatures if not one.void]
    return missing_signatures(stage.gate.signatures, list(_signers(counting).values()))


def missing_signatures(wanted: Sequence[Signing], given: Sequence[Signature]) -> tuple[Signing, ...]:
    """The fewest that stay missing when each wanted one comes from another person with another key."""
    if not wanted:
        return ()
    first, rest = wanted[0], wanted[1:]
    best = (first, *missing_signatures(rest, given))
    for one in given:
        if fits(one, first) and best:
            others = [other for other in given if not _same_signer(one, other)]
            best = min(best, missing_signatures(rest, others), key=len)
    return best


def fits(signature: Signature, wanted: Signing) -> bool:
    """Whether the signature is of that meaning and given in one of those roles."""
    return signature.meaning == wanted.meaning and signature.role in wanted.roles


def _same_signer(one: Signature, other: Signature) -> bool:
    return one.principal == other.principal or one.key == other.key or same_name(one.name, other.name)


def _signers(given: Sequence[Signature]) -> Mapping[tuple[str, ...], Signature]:
    """The last signature of each person in each meaning and role."""
    return {(one.principal, one.key, one.name, one.meaning, one.role): one for one in given}
