"""What a checklist pack says, as msgspec structs. docs/checklists.md explains it to people who write packs.

A pack is read by console.checklist.packs.loading, which also checks what types can't: probes, roles, references, cycles.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from console.fieldtest.criteria import Criterion
from console.fieldtest.parts import Id, Line, Part, Reference, Span, Text
from console.phases.schema import Phase
from console.record.entries import Meaning

Kind = Literal["sensed", "measured", "confirmed", "witnessed"]
Inspection = Literal["photo", "file"]


class Probe(Part, frozen=True, kw_only=True):
    """Which probe looks (a name of console.checklist.probes) and its parameters, which the probe itself types."""

    name: Id
    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


class Act(Part, frozen=True, kw_only=True):
    """A command that a person lets run on the robot before the probe verifies its effect. `argv` is run without a shell."""

    says: Line
    argv: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    expect_exit: int = 0


class When(Part, frozen=True, kw_only=True):
    """The item applies only where item `item` is in one of `states`; elsewhere it is n/a."""

    item: Id
    states: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class Item(Part, frozen=True, kw_only=True):
    """One item.

    kind: `sensed` (a probe decides), `measured` (a person enters a value that the criterion judges), `confirmed` (a person
        vouches for `statement`), `witnessed` (a second person vouches too).
    critical: to confirm it, the robot's last four serial digits or the value itself must be typed.
    hold: the probe must go on passing for that long. latched: a fail stays until a fix is recorded against it.
    act: command-and-verify. inspect: a photo or a file must be attached.
    rests_on: names of console.record.entries.FINGERPRINTS; a change of one makes the item stale. A probe adds `file:NAME`
    itself.
    valid_for: how long a pass counts. None: until something that it rests on changes.
    one_of: of the items that name the same group, one that passes is enough; the others are n/a then.
    override_by, defer_by: roles that may; nobody else can.
    hazard, requirement: ids as in your own hazard list and requirements.
    cure: what to do when it fails.
    """

    id: Id
    title: Line
    kind: Kind
    why: Text = ""
    how: Text = ""
    statement: Text = ""
    criterion: Criterion | None = None
    probe: Probe | None = None
    critical: bool = False
    hold: Span | None = None
    latched: bool = False
    act: Act | None = None
    inspect: Inspection | None = None
    rests_on: tuple[str, ...] = ()
    valid_for: Span | None = None
    when: When | None = None
    one_of: Id | None = None
    override_by: tuple[Id, ...] = ()
    defer_by: tuple[Id, ...] = ()
    hazard: Reference | None = None
    requirement: Reference | None = None
    cure: Text = ""
    not_applicable: Line | None = None


class Signing(Part, frozen=True, kw_only=True):
    """A signature that a gate needs: its meaning and the roles that may give it (any one of them)."""

    meaning: Meaning
    roles: Annotated[tuple[Id, ...], msgspec.Meta(min_length=1)]


class Gate(Part, frozen=True, kw_only=True):
    """What opens the way to the next stage beside its items: go/no-go of these roles, and these signatures.

    `overrides_allowed: false` blocks the gate while an item of this or an earlier stage is overridden. `phases` names the
    phases of field testing that must be passed, by trials of this bundle on this robot.
    """

    phases: tuple[Id, ...] = ()
    poll: tuple[Id, ...] = ()
    signatures: tuple[Signing, ...] = ()
    overrides_allowed: bool = True


class Stage(Part, frozen=True, kw_only=True):
    """Items that belong together and the gate behind them."""

    id: Id
    title: Line
    purpose: Text = ""
    items: Annotated[tuple[Item, ...], msgspec.Meta(min_length=1)]
    gate: Gate = Gate()


class Pack(Part, frozen=True, kw_only=True):
    """A whole pack. `roles` maps each role's id to what it is; `version` is the author's own word for this revision."""

    format: Literal[1]
    name: Id
    title: Line
    version: Line
    description: Text = ""
    roles: dict[Id, Line]
    stages: Annotated[tuple[Stage, ...], msgspec.Meta(min_length=1)]
    phases: tuple[Phase, ...] = ()

    def items(self) -> tuple[Item, ...]:
        """Every item in order."""
        return tuple(item for stage in self.stages for item in stage.items)


class Overlay(Part, frozen=True, kw_only=True):
    """Changes of one robot or site to one pack. `items` maps an item's id to the keys that replace its own.

    Only these keys of an item may be given: criterion, probe (parameters are merged), hold, valid_for, override_by,
    defer_by, how, cure, hazard, requirement, not_applicable. `phases` maps a phase's id to planned_n, min_running, and
    questions, holding and stop by their own ids (docs/phases.md).
    """

    format: Literal[1]
    overlay: Id
    pack: Id
    reason: Line
    items: dict[Id, dict[str, Any]] = msgspec.field(default_factory=dict)
    phases: dict[Id, dict[str, Any]] = msgspec.field(default_factory=dict)


class Checklist(msgspec.Struct, frozen=True):
    """A pack with its overlays applied, ready to be used.

    `revision` is the SHA-256 over the canonical form of `pack` (overlays applied). `rules` maps each item's id to the
    SHA-256 over the canonical form of the parts of the item that decide (not its title, texts or who may override);
    `phase_rules` does so for each phase.
    `sources` are the very texts it was made from: the pack first, then the overlays, each with its file name.
    """

    pack: Pack
    revision: str
    rules: dict[str, str]
    sources: tuple[tuple[str, str], ...]
    phase_rules: dict[str, str] = {}
