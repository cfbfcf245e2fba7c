"""What identifies a pack and each of its rules: SHA-256 over a canonical form.

Keys that hold their default are left out of it, so that a pack keeps its digest when a later fieldgate knows more keys.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from console.checklist.pack import Item, Pack

DECIDING = (
    "kind", "criterion", "probe", "hold", "latched", "act", "inspect", "statement", "critical", "when", "one_of",
    "rests_on", "valid_for",
)  # fmt: skip
"""The keys of an item that decide how it is judged. Titles, texts and who may override do not."""


def revision_of(pack: Pack) -> str:
    """The digest of the whole pack (hex)."""
    return _digest(_plain(pack))


def rule_of(item: Item) -> str:
    """The digest of what decides about an item (hex): a change of it makes earlier evidence stale."""
    return _digest({key: value for key, value in _plain(item).items() if key in DECIDING})


def _digest(plain: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(plain, order="deterministic")).hexdigest()


def _plain(value: Any) -> Any:
    """Structs as dicts without the keys that hold their default."""
    if isinstance(value, msgspec.Struct):
        pairs = ((field, getattr(value, field.name)) for field in msgspec.structs.fields(value))
        return {field.encode_name: _plain(held) for field, held in pairs if not _is_default(field, held)}
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(held) for held in value]
    return value


def _is_default(field: msgspec.structs.FieldInfo, held: Any) -> bool:
    if field.default_factory is not msgspec.NODEFAULT:
        return bool(held == field.default_factory())
    return field.default is not msgspec.NODEFAULT and bool(held == field.default)
