"""What a person signs at a stage's gate, made from the checklist's state."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timezone

from console.checklist.signatories import role_for
from console.checklist.states import ChecklistState, ItemState, StageState
from console.phases.states import FieldState, PhaseState
from console.record.entries import Meaning
from console.record.roster import Person
from console.record.statements import BASIS, PHASE, ItemLines, Statement, entry_words, plain, write_statement
from remote.errors import Trouble

SENTENCES: dict[Meaning, str] = {
    "performed": "I have done the work of this stage, and what is recorded below is what I did and saw.",
    "witnessed": "I was there and saw that the items below were done as recorded; I did none of them myself.",
    "reviewed": "I have reviewed the evidence, overrides and deferrals of every item below; I did none of them myself.",
    "approved": "I have read this statement and approve that the robot goes on to what this gate opens.",
}
"""What each meaning says in the first person."""


def statement_of(
    state: ChecklistState,
    stage: str,
    meaning: Meaning,
    person: Person,
    key: str,
    wall_ns: int,
    local_time: str,
    *,
    pack: str = "",
) -> bytes:
    """The statement on that stage's items: readable text, the same bytes for the same arguments.

    Args:
        state: the checklist now; its head is what the statement stands on.
        stage: the stage's id.
        meaning: what the signature means.
        person: who signs, from the roster.
        key: the SHA256 fingerprint of the key to sign with.
        wall_ns: now, nanoseconds since the Unix epoch.
        local_time: the same in the signer's own time zone, ISO 8601 with its offset.
        pack: the pack's name; empty takes the state's.

    Raises:
        Trouble: `unknown_stage`, `role_not_allowed`, `bad_statement` (an empty record).
    """
    found = _stage(state, stage)
    role = role_for(found, meaning, person)
    statement = Statement(
        campaign=plain(state.campaign),
        robot=plain(state.robot),
        bundle=plain(f"{state.bundle_name}, sha256 {state.bundle}" if state.bundle_name else state.bundle),
        pack=plain(pack or state.pack),
        revision=plain(state.revision),
        stage=plain(stage),
        head=entry_words(state.entries, state.head),
        meaning=meaning,
        sentence=SENTENCES[meaning],
        name=plain(person.name),
        principal=plain(person.principal),
        role=plain(role),
        key=plain(key),
        utc=_utc(wall_ns),
        local=plain(local_time),
        counts=_counts(found),
        in_force=_in_force(state),
        warnings=plain("; ".join(state.warnings)),
        items=(*map(_item, found.items), *(_phase(state.field, id) for id in found.stage.gate.phases)),
    )
    return write_statement(statement)


def phases_of(state: ChecklistState, stage: str) -> dict[str, str]:
    """Each phase that the stage's gate wants passed, and the digest of what its verdict rests on."""
    return {id: state.field.basis.get(id, "") for id in _stage(state, stage).stage.gate.phases}


def covers_of(state: ChecklistState, stage: str) -> dict[str, str]:
    """What a signature on that stage covers: each item's id and the digest of the entry it rests on (empty: on none)."""
    return {one.item.id: one.basis.digest if one.basis else "" for one in _stage(state, stage).items}


def _stage(state: ChecklistState, stage: str) -> StageState:
    found = next((one for one in state.stages if one.stage.id == stage), None)
    if found is None:
        known = ", ".join(one.stage.id for one in state.stages)
        raise Trouble(f"the checklist has no stage '{stage}'", cure=f"its stages are: {known}", code="unknown_stage")
    return found


def _item(state: ItemState) -> ItemLines:
    evidence = state.basis.evidence if state.basis else None
    judgement = evidence.judgement if evidence else None
    return ItemLines(
        item=plain(state.item.id),
        title=plain(state.item.title),
        state=state.state + (f" (below it: {state.below})" if state.below else ""),
        because=plain(state.reason),
        found=plain(_found(state)),
        limit=plain(evidence.limit if evidence else ""),
        n=str(judgement.n) if judgement else "",
        evidence=entry_words(state.basis.seq, state.basis.digest) if state.basis else "",
        done_by=plain(", ".join(state.performers)),
        marks=plain(", ".join(state.flags)),
        override=plain(_override(state)),
        deferral=plain(_deferral(state)),
    )


def _phase(field: FieldState, id: str) -> ItemLines:
    """A phase as an item of the statement; the digest of what it rests on stands among the marks."""
    state = next((one for one in field.phases if one.phase.id == id), None)
    return ItemLines(
        item=plain(f"{PHASE}{id}"),
        title=plain(state.phase.title if state else ""),
        state=state.status if state else "unknown",
        because=plain(state.reason if state else ""),
        found=plain(_counted(state) if state else ""),
        limit="",
        n=str(state.trials) if state else "",
        evidence="",
        done_by="",
        marks=f"{BASIS}{field.basis.get(id, '')}",
        override="",
        deferral="",
    )


def _counted(state: PhaseState) -> str:
    """Every question in words, and what was left out: a signer should see how many trials were undone."""
    left_out = [f"{count} left out: {why}" for why, count in state.left_out.items()]
    return "; ".join([*(one.words for one in state.questions), *left_out])


def _found(state: ItemState) -> str:
    """The value as it was judged, or the sentence that was vouched for."""
    if state.basis is None:
        return ""
    evidence, confirmation = state.basis.evidence, state.basis.confirmation
    if evidence is not None:
        return evidence.unavailable or (evidence.judgement.why if evidence.judgement else "")
    if confirmation is None:
        return ""
    answer = "yes" if confirmation.holds else "no"
    return f"{answer}: {confirmation.statement}" + (f" ({confirmation.note})" if confirmation.note else "")


def _override(state: ItemState) -> str:
    given = state.override
    return f"as {given.role} until {_utc(given.expires_wall_ns)}: {given.reason}" if given else ""


def _deferral(state: ItemState) -> str:
    return f"{state.owner} answers for it: {state.reason}" if state.state == "deferred" else ""


def _counts(stage: StageState) -> str:
    counted = Counter(item.state for item in stage.items)
    return f"{len(stage.items)}: " + ", ".join(f"{count} {word}" for word, count in sorted(counted.items()))


def _in_force(state: ChecklistState) -> str:
    return f"overrides {state.overrides}, deferrals {state.deferrals} (whole checklist)"


def _utc(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns // 1_000_000_000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
