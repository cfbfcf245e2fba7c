"""What identifies a pack and each of its rules: SHA-256 over a canonical form.

Keys that hold their default are left out of it, so that a pack keeps its digest when a later fieldgate knows more keys.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import msgspec

from console.checklist.pack import Item, Pack
from console.phases.schema import Phase

DECIDING = (
    "kind", "criterion", "probe", "hold", "latched", "act", "inspect", "statement", "critical", "when", "one_of",
    "rests_on", "valid_for",
)  # fmt: skip
"""The keys of an item that decide how it is judged. Titles, texts and who may override do not."""

PHASE_DECIDING = ("trial", "success", "aborted", "questions", "min_running")
"""The keys of a phase that decide what its trials prove. Conditions, entry, holding and stop rules say when one may test."""
_SAID = ("title", "denominator")
"""The keys of a question that only say what it is."""


def revision_of(pack: Pack) -> str:
    """The digest of the whole pack (hex)."""
    return _digest(_plain(pack))


def rule_of(item: Item) -> str:
    """The digest of what decides about an item (hex): a change of it makes earlier evidence stale."""
    return _digest({name: held for name, held in _plain(item).items() if name in DECIDING})


def phase_rule_of(phase: Phase) -> str:
    """The digest of what decides about a phase (hex): a change of it makes the trials before it count no more."""
    held = {name: value for name, value in _plain(phase).items() if name in PHASE_DECIDING}
    questions = [{key: value for key, value in one.items() if key not in _SAID} for one in held["questions"]]
    return _digest({**held, "questions": questions})


def _digest(plain: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(plain, order="deterministic")).hexdigest()


def _plain(value: Any) -> Any:
    """Structs as dicts without the keys that hold their default."""
    if isinstance(value, msgspec.Struct):
        pairs = [(name, default, getattr(value, name)) for name, default in _fields(type(value))]
        return {name: _plain(held) for name, default, held in pairs if held != default}
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(held) for held in value]
    return value


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[tuple[str, Any], ...]:
    """Each field's name and default, `NODEFAULT` (which equals no value) where it has none."""
    return tuple((field.name, _default(field)) for field in msgspec.structs.fields(kind))


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
