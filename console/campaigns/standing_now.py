"""What of a checklist does not count now, and until when the rest does: a sentence each, for `verify`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from console.checklist.folding.gate_fold import unsigned
from console.checklist.states import PASSED, ChecklistState, GateState, ItemState, StageState
from console.checklist.wording import utc_words
from console.record.entries import Meaning


class NowItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item that is stale, failed, overridden or otherwise not passed, or whose pass ends."""

    item: str
    stage: str
    state: str
    reason: str
    since_wall_ns: int | None
    expires_wall_ns: int | None


class NowSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature, and why it no longer counts (`void`, empty while it does)."""

    seq: int
    stage: str
    meaning: Meaning
    principal: str
    void: str


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """How a record's checklist stands now.

    `counts`: every item passes or does not apply, no signature is void, every gate has its signatures, and clock and checklist
    can be trusted. `items` are those that don't pass, or whose pass ends one day; `unsigned` says which signatures are missing.
    """

    counts: bool
    sentences: tuple[str, ...] = ()
    items: tuple[NowItem, ...] = ()
    signatures: tuple[NowSignature, ...] = ()
    unsigned: tuple[str, ...] = ()
    recheck: tuple[str, ...] = ()


def now_of(state: ChecklistState) -> Now:
    """What does not count in this state, and what ends."""
    signatures = tuple(
        NowSignature(
            seq=one.seq,
            stage=one.signature.stage,
            meaning=one.signature.meaning,
            principal=one.signature.principal,
            void=one.void,
        )
        for stage in state.stages
        for one in stage.gate.signatures
    )
    missing = tuple(words for stage in state.stages for words in _missing(stage))
    troubling = [item for item in state.items() if item.state not in (*PASSED, "n/a")]
    void = any(one.void for one in signatures)
    return Now(
        counts=not (troubling or missing or void or state.distrust),
        sentences=tuple(_sentences(state, missing)),
        items=tuple(_item(item) for item in state.items() if item in troubling or item.expires_wall_ns is not None),
        signatures=signatures,
        unsigned=missing,
        recheck=state.recheck,
    )


def _item(item: ItemState) -> NowItem:
    return NowItem(
        item=item.item.id,
        stage=item.stage,
        state=item.state,
        reason=item.reason,
        since_wall_ns=item.since_wall_ns,
        expires_wall_ns=item.expires_wall_ns,
    )


def _sentences(state: ChecklistState, missing: tuple[str, ...]) -> Iterator[str]:
    for item in state.items():
        since = f" since {_when(item.since_wall_ns)}" if item.since_wall_ns is not None else ""
        if item.state == "overridden" and item.override is not None:
            ends = _when(item.override.expires_wall_ns)
            yield f"{item.item.id} is overridden until {ends} as {item.override.role}: {item.override.reason}"
        elif item.state not in (*PASSED, "n/a"):
            yield f"{item.item.id} is {item.state}{since}: {item.reason}"
    if state.recheck:
        yield f"to be looked at again: {', '.join(state.recheck)}"
    for stage in state.stages:
        yield from _void(stage.gate)
    yield from missing
    yield from _ends(state)
    yield from state.warnings


def _void(gate: GateState) -> Iterator[str]:
    for one in gate.signatures:
        if one.void:
            yield f"the signature in entry {one.seq} ({one.signature.meaning} by {one.signature.name}) is void: {one.void}"


def _missing(stage: StageState) -> Iterator[str]:
    """The signatures that the gate wants and has not, by the gate's own rule: each of another person with another key."""
    for signing in unsigned(stage.stage, stage.gate.signatures):
        yield f"the gate of '{stage.stage.id}' is not signed '{signing.meaning}' by {' or '.join(signing.roles)}"


def _ends(state: ChecklistState) -> Iterator[str]:
    ending = [item for item in state.items() if item.state in PASSED and item.expires_wall_ns is not None]
    for item in sorted(ending, key=lambda one: one.expires_wall_ns or 0):
        yield f"{item.item.id} counts until {_when(item.expires_wall_ns or 0)}"


def _when(wall_ns: int) -> str:
    """A record that somebody else wrote may name a time that no calendar has."""
    try:
        return utc_words(wall_ns)
    except (ValueError, OverflowError, OSError):
        return "a time beyond the calendar"
