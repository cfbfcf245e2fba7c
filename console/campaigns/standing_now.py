"""What of a checklist does not count now, and until when the rest does: a sentence each, for `verify`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

import msgspec

from console.checklist.folding.gate_fold import unsigned
from console.checklist.states import PASSED, ChecklistState, GateState, ItemState, StageState
from console.checklist.wording import utc_words
from console.record.canonical import outline_of
from console.record.entries import Meaning
from console.record.rows import Row


class NowItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item that is stale, failed, overridden or otherwise not passed, or whose pass ends."""

    item: str
    stage: str
    state: str
    reason: str
    since_wall_ns: int | None
    expires_wall_ns: int | None


class NowSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature, and why it no longer counts (`void`, empty while it does).

    `history`: it was withdrawn, or replaced by one that counts, so nothing hangs on it any more; empty for all others.
    """

    seq: int
    stage: str
    meaning: Meaning
    principal: str
    void: str
    history: str = ""


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """How a record's checklist stands now.

    `counts`: every item passes or does not apply, every gate has its signatures, no signature is void (but those that were
    replaced or withdrawn), and clock and checklist can be trusted. `sentences` say what does not count, `ends` what counts for
    now and until when, `warnings` what else is to be known, `looked` what was not looked at for it.
    `items` are those that don't pass, or whose pass ends one day; `unsigned` says which signatures are missing.
    """

    counts: bool
    sentences: tuple[str, ...] = ()
    items: tuple[NowItem, ...] = ()
    signatures: tuple[NowSignature, ...] = ()
    unsigned: tuple[str, ...] = ()
    recheck: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    looked: str = ""

    def void(self) -> dict[int, str]:
        """By entry, why a signature does not count any more: the replacement first, where there is one."""
        return {one.seq: _gone(one) for one in self.signatures if one.void}


def _gone(one: NowSignature) -> str:
    return f"{one.history} ({one.void})" if one.history.startswith("replaced") else one.void


def now_of(state: ChecklistState) -> Now:
    """What does not count in this state, and what ends."""
    signatures = tuple(
        NowSignature(
            seq=one.seq,
            stage=one.signature.stage,
            meaning=one.signature.meaning,
            principal=one.signature.principal,
            void=one.void,
            history=one.history,
        )
        for stage in state.stages
        for one in stage.gate.signatures
    )
    missing = tuple(words for stage in state.stages for words in _missing(stage))
    troubling = [item for item in state.items() if item.state not in (*PASSED, "n/a")]
    void = any(one.void and not one.history for one in signatures)
    return Now(
        counts=not (troubling or missing or void or state.distrust),
        sentences=tuple(_sentences(state, missing)),
        items=tuple(_item(item) for item in state.items() if item in troubling or item.expires_wall_ns is not None),
        signatures=signatures,
        unsigned=missing,
        recheck=state.recheck,
        ends=tuple(_ends(state)),
        warnings=tuple(one for one in state.warnings if one not in state.distrust),
    )


def as_of(rows: Sequence[Row], campaign: str) -> str:
    """What a record alone can't say, one sentence: robot and files may have changed since its last entry."""
    outline = outline_of(rows[-1].line) if rows else None
    if outline is None:
        return ""
    return (
        f"robot and files were not looked at again: as of entry {outline.seq}, {_when(outline.wall_ns)}; "
        f"`fieldgate campaign show {shlex.quote(campaign)}` looks at the files"
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
    yield from state.distrust


def _void(gate: GateState) -> Iterator[str]:
    for one in gate.signatures:
        if one.void and not one.history:
            who = f"{one.signature.meaning} by {one.signature.name}"
            yield f"the signature in entry {one.seq} ({who}) no longer counts, and no other stands in its place"


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
