"""What a checklist looks like at one moment: the result of folding a record (console.checklist.folding.fold). Immutable."""

from __future__ import annotations

from typing import Literal

import msgspec

from console.checklist.pack import Item, Stage
from console.phases.states import FieldState
from console.record.entries import Attachment, Confirmation, Evidence, Override, Signature

State = Literal[
    "pending", "running", "pass", "marginal", "fail", "stale", "unavailable", "overridden", "deferred", "n/a"
]
PASSED: tuple[State, ...] = ("pass", "marginal")
"""The states that count as passed. Nothing else does."""
SETTLED: tuple[State, ...] = ("pass", "marginal", "overridden", "n/a")
"""The states that a gate can open on (a gate may forbid `overridden`)."""
Need = Literal["probe", "value", "confirmation", "witness", "command", "photo", "file", "fix", "nothing"]


class Basis(msgspec.Struct, frozen=True, kw_only=True):
    """The entry that an item's state rests on: its number, digest, time and person, and what it holds."""

    seq: int
    digest: str
    wall_ns: int
    person: str
    evidence: Evidence | None = None
    confirmation: Confirmation | None = None
    attachments: tuple[Attachment, ...] = ()


class ItemState(msgspec.Struct, frozen=True, kw_only=True):
    """One item now.

    `reason` is one sentence that says why it is in this state ("bundle 3f2a -> 91bc"); `cure` what to do about it. `need`
    is what it asks for next, `nothing` where it is settled. `since_wall_ns` is when it came into this state. `below` is the
    state that an override or a deferral covers. `attempts` counts every look and confirmation, `failures` those that
    failed. `expires_wall_ns` is when the pass, the override or the deferral ends. `performers` are the people behind it.
    """

    item: Item
    stage: str
    state: State
    reason: str = ""
    cure: str = ""
    need: Need = "nothing"
    since_wall_ns: int | None = None
    below: State | None = None
    basis: Basis | None = None
    override: Override | None = None
    owner: str = ""
    expires_wall_ns: int | None = None
    attempts: int = 0
    failures: int = 0
    last_failure_seq: int | None = None
    performers: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    """Words of warning: `too quick`, `transcribed`, `time untrusted`; of a campaign also `not in the roster`."""


class SignatureState(msgspec.Struct, frozen=True, kw_only=True):
    """A signature of the record: whether what it was given on still stands. `void` says why not; empty while it counts.

    `history` says of a void one that nothing hangs on it any more: `withdrawn`, or `replaced by entry 55`.
    """

    seq: int
    wall_ns: int
    signature: Signature
    void: str = ""
    history: str = ""


class PollState(msgspec.Struct, frozen=True, kw_only=True):
    """One role's answer: `go` None where none was given or a change has reset it (`reset` says by what)."""

    role: str
    go: bool | None = None
    person: str = ""
    wall_ns: int | None = None
    note: str = ""
    reset: str = ""


class GateState(msgspec.Struct, frozen=True, kw_only=True):
    """A stage's gate. `blocked_by` are sentences that say what is missing; the gate may be passed when there are none.

    `open` says that it was passed and everything that it was passed on still stands. `basis` is the digest of the states that a
    poll answer and a statement are given on.
    """

    poll: tuple[PollState, ...] = ()
    signatures: tuple[SignatureState, ...] = ()
    blocked_by: tuple[str, ...] = ()
    basis: str
    passed_wall_ns: int | None = None
    open: bool = False


class StageState(msgspec.Struct, frozen=True, kw_only=True):
    """A stage with its items and its gate."""

    stage: Stage
    items: tuple[ItemState, ...]
    gate: GateState


class ChecklistState(msgspec.Struct, frozen=True, kw_only=True):
    """The whole checklist at `wall_ns`; `pack` is its pack's name.

    `fingerprints` are the last ones seen, `expected_bundle` the campaign's. `stage` is the id of the first stage whose gate
    is not open (the last stage when all are); `next_item` the id of the first item there that needs something. `recheck` is
    the smallest set of stale items that must be looked at again. `overrides` and `deferrals` count those in force.
    `warnings` are sentences for the status line (clock set back, pack edited, overlay missing).
    """

    campaign: str
    robot: str
    bundle: str
    bundle_name: str
    revision: str
    wall_ns: int
    stages: tuple[StageState, ...]
    stage: str
    next_item: str | None
    recheck: tuple[str, ...]
    overrides: int
    deferrals: int
    fingerprints: dict[str, str]
    entries: int
    head: str
    warnings: tuple[str, ...] = ()
    distrust: tuple[str, ...] = ()
    """Those warnings under which nothing here can be relied on: another checklist than the record names, a wrong clock."""
    pack: str = ""
    field: FieldState = FieldState()

    def items(self) -> tuple[ItemState, ...]:
        """Every item in order."""
        return tuple(item for stage in self.stages for item in stage.items)

    def item(self, id: str) -> ItemState:
        """The item of that id; KeyError where there is none."""
        found = next((state for state in self.items() if state.item.id == id), None)
        if found is None:
            raise KeyError(id)
        return found

    def count(self, *states: State) -> int:
        """How many items are in one of these states."""
        return sum(item.state in states for item in self.items())
