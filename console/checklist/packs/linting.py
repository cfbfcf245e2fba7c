"""Lint: what is wrong with a pack, and what is allowed but seldom meant."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from console.checklist.pack import Item, Pack
from console.checklist.packs.differences import difference
from console.checklist.packs.loading import layers, pack_path, read_pack, read_source, shipped_packs, type_troubles
from console.checklist.packs.overlays import Laid, OverlayFile
from console.checklist.packs.phase_linting import phase_warnings
from console.checklist.packs.sources import CODE, Problem, Source, Sources
from console.checklist.packs.validity import problems
from console.checklist.probes import PROBES
from remote import strict_yaml
from remote.errors import Trouble
from remote.strict_yaml import Step

Rule = Callable[[Item], Iterator[tuple[str, str]]]


class Remark(msgspec.Struct, frozen=True, kw_only=True):
    """One finding of lint. An error keeps the pack from being used; a warning does not."""

    level: Literal["error", "warning"]
    what: str
    cure: str


def lint_file(file: Path | str, overlays: Sequence[Path] = ()) -> list[Remark]:
    """Lint of a pack by name or file, or of an overlay's file laid over the shipped pack that it belongs to."""
    try:
        source = read_source(pack_path(file))
        owner = _owner(source)
        files = [source] if owner is None else [_shipped(owner, file), source]
        pack, *over = [*files, *(read_source(path) for path in overlays)]
    except Trouble as trouble:
        return [_refusal(trouble)]
    return lint(pack, over)


def _owner(source: Source) -> str | None:
    """The pack that an overlay belongs to; None for a file that is no overlay."""
    data = strict_yaml.plain(source.text, where=source.name, code=CODE)
    if not isinstance(data, dict) or "overlay" not in data or "stages" in data:
        return None
    return str(data.get("pack", ""))


def _shipped(owner: str, overlay: Path | str) -> Source:
    """The shipped pack that an overlay names. Raises Trouble that says how to name another one."""
    if owner not in shipped_packs():
        what = f"{overlay} is an overlay of the pack `{owner}`, which does not come with fieldgate"
        near = difflib.get_close_matches(owner, shipped_packs(), n=1)
        meant = f"Did you mean `{near[0]}`? Else " if near else ""
        raise Trouble(
            what, cure=f"{meant}name its file: `fieldgate checklist lint PACK --overlay {overlay}`", code=CODE
        )
    return read_source(pack_path(owner))


def _refusal(trouble: Trouble) -> Remark:
    return Remark(level="error", what=trouble.what, cure=trouble.cure)


def lint(source: Source, overlays: Sequence[Source] = ()) -> list[Remark]:
    """Everything to say about a pack with these overlays: all errors, then warnings (none while it can't be read)."""
    try:
        untyped = [trouble for file, kind in _typed(source, overlays) for trouble in type_troubles(file, kind)]
        if untyped:
            return [_refusal(trouble) for trouble in untyped]
        laid = layers(source, overlays)
        pack = laid[-1].after if laid else read_pack(source)
    except Trouble as trouble:
        return [_refusal(trouble)]
    known = Sources(source, overlays)
    errors = [_remark("error", problem, known, pack) for problem in problems(pack)]
    if errors:
        return errors
    warnings = [_remark("warning", problem, known, pack) for problem in _warnings(pack)]
    return [*warnings, *_of_overlays(laid, overlays)]


def _typed(source: Source, overlays: Sequence[Source]) -> list[tuple[Source, Any]]:
    return [(source, Pack), *((overlay, OverlayFile) for overlay in overlays)]


def _remark(level: Literal["error", "warning"], problem: Problem, known: Sources, pack: Pack) -> Remark:
    return Remark(level=level, what=f"{known.place(problem, pack)}: {problem.said}", cure=problem.cure)


# ------------------------------------------------------------ allowed, but seldom meant


def _warnings(pack: Pack) -> Iterator[Problem]:
    for number, stage in enumerate(pack.stages):
        for place, item in enumerate(stage.items):
            steps: tuple[Step, ...] = ("stages", number, "items", place)
            yield from (Problem(steps, said, cure) for rule in _RULES for said, cure in rule(item))
    yield from _of_last_stage(pack)
    yield from _of_idle_roles(pack)
    yield from phase_warnings(pack)


def _of_hazard(item: Item) -> Iterator[tuple[str, str]]:
    if item.critical and item.hazard is None:
        yield f"the critical item `{item.id}` names no hazard", "Give `hazard`: the id from your hazard list"


def _of_override(item: Item) -> Iterator[tuple[str, str]]:
    for key in ("override_by", "defer_by"):
        if item.critical and getattr(item, key):
            yield f"the critical item `{item.id}` can be got round ({key})", f"Remove `{key}`, or say why in `why`"


def _of_cure(item: Item) -> Iterator[tuple[str, str]]:
    if item.kind in ("sensed", "measured") and not item.cure:
        yield f"`{item.id}` says nothing about what to do when it fails", "Give `cure`"


def _of_validity(item: Item) -> Iterator[tuple[str, str]]:
    """What rests on nothing and never ends stays green for ever."""
    fingerprints = PROBES[item.probe.name].rests_on if item.probe else ()
    on_file = item.probe is not None and not PROBES[item.probe.name].needs_robot
    if not (item.rests_on or item.valid_for or fingerprints or on_file or item.not_applicable):
        yield f"`{item.id}` can never go stale", "Give `rests_on` or `valid_for`"


def _of_bound(item: Item) -> Iterator[tuple[str, str]]:
    """A least number at which even the best result decides nothing promises too much."""
    criterion = item.criterion
    if criterion is None or criterion.judge != "bound" or not _has_bound(item):
        return
    needed = _needed(item)
    if needed is None:
        yield (
            f"`{item.id}` can never pass: no number of successes proves it",
            "Lower the threshold, or say `judge: point`",
        )
    elif needed > criterion.n_min:
        said = f"`{item.id}`: n_min {criterion.n_min} can't pass at {criterion.confidence:g} confidence"
        yield said, f"Even when all goes well {needed} are needed: set n_min to that, or say `judge: point`"


def _has_bound(item: Item) -> bool:
    """A rate has one, and a percentile that a probe takes of many readings; a single number has none."""
    assert item.criterion is not None
    statistic = item.criterion.statistic
    return statistic == "rate" or (statistic.startswith("p") and item.kind == "sensed")


def _needed(item: Item) -> int | None:
    from console.fieldtest import binomial, quantiles
    from console.fieldtest.criteria import QUANTILES

    criterion = item.criterion
    assert criterion is not None
    if criterion.statistic in QUANTILES:
        return quantiles.readings_needed(QUANTILES[criterion.statistic], criterion.confidence)
    share = criterion.threshold / 100
    upwards = criterion.comparison in (">", ">=")
    further = binomial.further_successes if upwards else binomial.further_failures
    more = further(int(upwards), 1, share, criterion.confidence)
    return None if more is None else 1 + more


def _of_unused(item: Item) -> Iterator[tuple[str, str]]:
    if item.statement and item.kind in ("sensed", "measured"):
        yield f"`{item.id}` is {item.kind}: nobody vouches for its statement", "Move it to `why` or `how`"
    if item.critical and item.kind == "sensed" and item.act is None:
        yield f"`{item.id}` is sensed: nobody is asked for the critical item's digits", "Remove `critical`"


_RULES: tuple[Rule, ...] = (_of_hazard, _of_override, _of_cure, _of_validity, _of_bound, _of_unused)


def _of_last_stage(pack: Pack) -> Iterator[Problem]:
    last = pack.stages[-1]
    for place, item in enumerate(last.items):
        if item.defer_by:
            inside: tuple[Step, ...] = ("stages", len(pack.stages) - 1, "items", place)
            said = f"`{item.id}` can't be deferred: no stage comes after the last"
            yield Problem(inside, said, "Remove `defer_by`", "defer_by")
    gate = last.gate
    steps: tuple[Step, ...] = ("stages", len(pack.stages) - 1)
    if gate.overrides_allowed and any(item.override_by for item in pack.items()):
        said = "the last gate opens though items are overridden"
        yield Problem(steps, said, "Give `overrides_allowed: false` in its gate")
    if len(gate.signatures) < 2 and _is_grave(pack):
        said = "the last gate opens without the signatures of two people"
        yield Problem(steps, said, "Ask for `performed` and `reviewed` in its gate's signatures")


def _is_grave(pack: Pack) -> bool:
    """Whether somebody may be hurt, or people already sign: a pack without either needs no second person."""
    signed = any(stage.gate.signatures for stage in pack.stages)
    return signed or any(item.critical or item.kind == "witnessed" for item in pack.items())


def _of_idle_roles(pack: Pack) -> Iterator[Problem]:
    """A role left out where others are asked. Where none is, roles are but names."""
    used = {role for stage in pack.stages for role in stage.gate.poll}
    used |= {role for stage in pack.stages for signing in stage.gate.signatures for role in signing.roles}
    used |= {role for item in pack.items() for role in (*item.override_by, *item.defer_by)}
    for role in pack.roles if used else ():
        if role not in used:
            yield Problem(("roles",), f"the role `{role}` may do nothing in this pack", "Use it or remove it", role)


# ------------------------------------------------------------ overlays


def _of_overlays(laid: Sequence[Laid], sources: Sequence[Source]) -> Iterator[Remark]:
    """What the overlays loosen, and what two of them say differently."""
    said: dict[tuple[str, ...], str] = {}
    for layer, source in zip(laid, sources, strict=True):
        for place in _places(layer):
            if place in said:
                what = f"{source.name}: `{'.'.join(place)}` was given by {said[place]} already; this one counts"
                yield Remark(level="warning", what=what, cure="Give it in one overlay only")
            said[place] = source.name
        for change in difference(layer.before, layer.after, layer.overlay.reason).loosened():
            cure = "Make sure that whoever reviews the campaign agrees with the reason"
            yield Remark(level="warning", what=f"{source.name}: {change.words()}", cure=cure)


def _places(layer: Laid) -> Iterator[tuple[str, ...]]:
    """Each key that the overlay gives, with the way to it; those that are merged one level deeper."""
    for id, change in layer.overlay.items.items():
        for key, value in change.items():
            inside = value.get("parameters", {}) if key == "probe" else value if key == "criterion" else None
            if isinstance(inside, dict):
                prefix = "probe.parameters" if key == "probe" else key
                yield from ((id, f"{prefix}.{name}") for name in inside)
            else:
                yield id, key
    for id, change in layer.overlay.phases.items():
        yield from _leaves(("phases", id), change)


def _leaves(way: tuple[str, ...], value: Any) -> Iterator[tuple[str, ...]]:
    if not isinstance(value, dict):
        yield way
        return
    for key, inside in value.items():
        yield from _leaves((*way, key), inside)
