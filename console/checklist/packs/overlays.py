"""Overlays: what one robot or site changes in a pack, laid over it key by key."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import msgspec

from console.checklist.pack import Item, Overlay, Pack
from console.checklist.packs.phase_overlays import LISTS, CriterionChange, PhaseChange, changeable, phase_with
from console.checklist.packs.sources import CODE, Source
from console.fieldtest.parts import Part
from console.phases.schema import Phase
from remote import strict_yaml
from remote.errors import Trouble
from remote.ready_types import ready

KEYS = (
    "criterion", "probe", "hold", "valid_for", "override_by", "defer_by", "how", "cure", "hazard", "requirement",
    "not_applicable",
)  # fmt: skip
"""The keys of an item that an overlay may change. docs/checklists.md says why no others."""


class ProbeChange(Part, frozen=True, kw_only=True):
    """An overlay changes a probe's parameters, never which probe looks."""

    parameters: dict[str, Any] = msgspec.field(default_factory=dict)


_ItemChange = changeable("ItemChange", Item, KEYS, criterion=CriterionChange, probe=ProbeChange)
_CHANGES: dict[str, Any] = {"items": dict[str, _ItemChange], "phases": dict[str, PhaseChange]}  # type: ignore[valid-type]
OverlayFile: type[Any] = msgspec.defstruct(
    "OverlayFile",
    [
        (field.name, _CHANGES[field.name], msgspec.field(default_factory=dict))
        if field.name in _CHANGES
        else (field.name, field.type)
        for field in msgspec.structs.fields(Overlay)
    ],
    bases=(Part,),
    frozen=True,
    kw_only=True,
    module=__name__,
)
"""An overlay with every key of an item typed, so that the reader refuses the others by name."""


class Laid(NamedTuple):
    """One overlay laid over a pack: the pack before and after it."""

    overlay: Overlay
    before: Pack
    after: Pack


def read_overlay(source: Source) -> Overlay:
    """The overlay in that text. Raises Trouble naming file, line, place and the nearest known key."""
    strict_yaml.parse(source.text, OverlayFile, where=source.name, code=CODE)
    return strict_yaml.parse(source.text, Overlay, where=source.name, code=CODE)


def lay(pack: Pack, source: Source) -> Laid:
    """The pack with that overlay laid over it. Raises Trouble for another pack's, an unknown item or what can't be joined."""
    overlay = read_overlay(source)
    if overlay.pack != pack.name:
        said = f"this overlay belongs to the pack `{overlay.pack}`, not to `{pack.name}`"
        raise _trouble(source, ("pack",), said, "Use it with its own pack, or write one for this pack")
    if not (overlay.items or overlay.phases):
        raise _trouble(source, ("pack",), "this overlay changes nothing", "Give `items` or `phases`")
    known = [item.id for item in pack.items()]
    for item in overlay.items:
        if item not in known:
            cure = strict_yaml.nearest_of(item, known, "items")
            raise _trouble(source, ("items",), f"the pack `{pack.name}` has no item `{item}`", cure, key=item)
    _check_phases(pack, overlay, source)
    stages = tuple(
        msgspec.structs.replace(stage, items=tuple(_changed(item, overlay, source) for item in stage.items))
        for stage in pack.stages
    )
    phases = tuple(_changed_phase(phase, overlay, source) for phase in pack.phases)
    return Laid(overlay, pack, msgspec.structs.replace(pack, stages=stages, phases=phases))


def _check_phases(pack: Pack, overlay: Overlay, source: Source) -> None:
    known = [phase.id for phase in pack.phases]
    for id in overlay.phases:
        if id not in known:
            cure = strict_yaml.nearest_of(id, known, "phases")
            raise _trouble(source, ("phases",), f"the pack `{pack.name}` has no phase `{id}`", cure, key=id)


def _changed_phase(phase: Phase, overlay: Overlay, source: Source) -> Phase:
    """The phase with what the overlay says of it: its questions, holding conditions and stop rules by their ids."""
    change = overlay.phases.get(phase.id)
    if not change:
        return phase
    steps = ("phases", phase.id)
    for key in LISTS:
        known = [one.id for one in getattr(phase, key)]
        for id in change.get(key, {}):
            if id not in known:
                cure = strict_yaml.nearest_of(id, known, key)
                raise _trouble(source, (*steps, key), f"`{phase.id}` has no `{id}` in its {key}", cure, key=id)
    merged = phase_with(phase, change)
    try:
        return msgspec.convert(copy.deepcopy(merged), ready(Phase))
    except msgspec.ValidationError as error:
        refused = strict_yaml.explain(error, merged, Phase)
        raise _trouble(source, steps, refused.said, refused.cure) from error


def _changed(item: Item, overlay: Overlay, source: Source) -> Item:
    change = overlay.items.get(item.id)
    if not change:
        return item
    merged = merge(msgspec.to_builtins(item), change)
    try:
        return msgspec.convert(copy.deepcopy(merged), ready(Item))
    except msgspec.ValidationError as error:
        refused = strict_yaml.explain(error, merged, Item)
        steps = ("items", item.id, *refused.steps)
        raise _trouble(source, steps, refused.said, refused.cure) from error


def merge(item: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """The item's keys with the change's: `criterion` and `probe.parameters` are merged, all others replaced."""
    merged = {**item, **change}
    if isinstance(change.get("criterion"), dict):
        merged["criterion"] = {**(item["criterion"] or {}), **change["criterion"]}
    if isinstance(change.get("probe"), dict):
        probe = item["probe"] or {}
        parameters = {**probe.get("parameters", {}), **change["probe"].get("parameters", {})}
        merged["probe"] = {**probe, "parameters": parameters}
    return merged


def _trouble(source: Source, steps: tuple[Any, ...], said: str, cure: str, key: str | None = None) -> Trouble:
    line = strict_yaml.line_of(source.text, steps, key)
    place = f"{source.name}, line {line} ({strict_yaml.written(steps)})"
    return Trouble(f"{place}: {said}", cure=cure, code=CODE)
