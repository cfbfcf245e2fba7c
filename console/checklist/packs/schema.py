"""The JSON Schema (2020-12) of packs and overlays, with which editors complete, explain and check while one types.

It knows what types know, and each probe's parameters. What only the whole pack shows (references, units, roles) is lint's.
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from console.checklist.pack import Pack
from console.checklist.packs.keys import MEANINGS
from console.checklist.packs.overlays import OverlayFile
from console.checklist.probes import PROBES, parameters_type
from console.checklist.states import State
from console.record.entries import FINGERPRINTS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/{name}"
_NEEDED = {"sensed": "probe", "measured": "criterion", "confirmed": "statement", "witnessed": "statement"}
_OF_CHANGES = {
    "OverlayFile": "Overlay",
    "ItemChange": "Item",
    "CriterionChange": "Criterion",
    "ProbeChange": "Probe",
    "PhaseChange": "Phase",
    "QuestionChange": "Question",
    "PlanChange": "Plan",
    "HoldingChange": "Holding",
    "StopChange": "Stop",
}


def pack_schema() -> dict[str, Any]:
    """The schema of a pack."""
    kinds = {name: parameters_type(name) for name in PROBES}
    (top, *_), parts = msgspec.json.schema_components([Pack, *kinds.values()], ref_template=_REF)
    _describe(parts)
    parts["Probe"] |= {"allOf": [_parameters(name, kind.__name__) for name, kind in kinds.items()]}
    parts["Probe"]["properties"]["name"] = {"enum": list(PROBES), "description": MEANINGS["Probe"]["name"]}
    parts["Item"] |= {"allOf": [_needs(kind, key) for kind, key in _NEEDED.items()]}
    _widen(parts["Item"]["properties"]["rests_on"], FINGERPRINTS)
    _widen(parts["When"]["properties"]["states"], get_args(State))
    return _document("A checklist pack of fieldgate", top, parts)


def overlay_schema() -> dict[str, Any]:
    """The schema of an overlay."""
    (top,), parts = msgspec.json.schema_components([OverlayFile], ref_template=_REF)
    _describe(parts)
    return _document("An overlay on a checklist pack of fieldgate", top, parts)


def schema_text(schema: dict[str, Any]) -> str:
    """A schema as the text of its file."""
    import json

    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _document(title: str, top: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    return {"$schema": DIALECT, "title": title, **top, "$defs": parts}


def _describe(parts: dict[str, Any]) -> None:
    """Each key's meaning where an editor shows it; Python's own indentation out of what comes from docstrings."""
    for name, part in parts.items():
        if "description" in part:
            part["description"] = "\n".join(line.strip() for line in part["description"].splitlines())
        meanings = MEANINGS.get(_OF_CHANGES.get(name, name), {})
        for key, schema in part.get("properties", {}).items():
            if key in meanings:
                schema["description"] = meanings[key]


def _parameters(name: str, kind: str) -> dict[str, Any]:
    """The parameters of one probe; where it can do without any, so may the pack."""
    then: dict[str, Any] = {"properties": {"parameters": {"$ref": _REF.format(name=kind)}}}
    if any(field.required for field in msgspec.structs.fields(parameters_type(name))):
        then["required"] = ["parameters"]
    return {"if": {"properties": {"name": {"const": name}}, "required": ["name"]}, "then": then}


def _needs(kind: str, key: str) -> dict[str, Any]:
    return {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": {"required": [key]}}


def _widen(array: dict[str, Any], words: Any) -> None:
    array["items"] = {"enum": list(words)}
