"""What an overlay may change of a phase: limits and plans, never what a trial is or which questions are asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Union, cast

import msgspec

from console.fieldtest.criteria import Criterion
from console.fieldtest.parts import Part
from console.phases.schema import Holding, Phase, Plan, Question, Stop

LISTS = ("questions", "holding", "stop")
"""The keys of a phase whose entries an overlay names by their ids."""


def changeable(name: str, kind: type[msgspec.Struct], keys: Sequence[str], **types: Any) -> Any:
    """A struct with those keys of `kind`, in its order, each of which may be missing; `types` take the place of a key's own."""
    given = [
        (
            field.name,
            Union[types.get(field.name, field.type), msgspec.UnsetType],
            msgspec.field(default=msgspec.UNSET, name=field.encode_name),
        )
        for field in msgspec.structs.fields(kind)
        if field.encode_name in keys
    ]
    return cast("Any", msgspec.defstruct(name, given, bases=(Part,), frozen=True, kw_only=True, module=__name__))


CriterionChange = changeable("CriterionChange", Criterion, Criterion.__struct_encode_fields__)
_PlanChange = changeable("PlanChange", Plan, Plan.__struct_encode_fields__)
_QuestionChange = changeable(
    "QuestionChange", Question, ("criterion", "plan"), criterion=CriterionChange, plan=_PlanChange
)
_HoldingChange = changeable("HoldingChange", Holding, ("criterion", "for", "cure"), criterion=CriterionChange)
_StopChange = changeable("StopChange", Stop, ("at", "cure"))
PhaseChange = changeable(
    "PhaseChange",
    Phase,
    (*LISTS, "planned_n", "min_running"),
    questions=dict[str, _QuestionChange],  # type: ignore[valid-type]
    holding=dict[str, _HoldingChange],  # type: ignore[valid-type]
    stop=dict[str, _StopChange],  # type: ignore[valid-type]
)


def phase_with(phase: Phase, change: dict[str, Any]) -> dict[str, Any]:
    """The phase's keys with the change's: entries of the lists by their ids, their criterion and plan merged."""
    plain: dict[str, Any] = msgspec.to_builtins(phase)
    merged = {**plain, **change}
    for key in LISTS:
        given = change.get(key, {})
        merged[key] = [_with(one, given.get(one["id"], {})) for one in plain[key]]
    return merged


def _with(one: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    merged = [key for key in ("criterion", "plan") if isinstance(change.get(key), dict)]
    inside: dict[str, Any] = {key: {**(one.get(key) or {}), **change[key]} for key in merged}
    return {**one, **change, **inside}
