"""A changed fingerprint in words."""

from __future__ import annotations

FILE = "file:"
"""What the fingerprint of a file begins with."""
_SHORTEST, _LONGEST_WORD = 4, 40
_HEX = frozenset("0123456789abcdef")


def difference(name: str, old: str, new: str) -> str:
    """What changed: `bundle 3f2a -> 91bc`, `power mode 15W -> MAXN`, `results.csv 3f2a -> gone`."""
    said = name[len(FILE) :] if name.startswith(FILE) else name.replace("_", " ")
    before, after = _pair(old, new)
    return f"{said} {before} -> {after}"


def _pair(old: str, new: str) -> tuple[str, str]:
    """Both as short as tells them apart: digests by their first characters, words whole up to a length."""
    if _is_digest(old) and _is_digest(new):
        size = next((n for n in range(_SHORTEST, len(old) + 1) if old[:n] != new[:n]), len(old))
        return old[:size], new[:size]
    return _short(old), _short(new)


def _short(value: str) -> str:
    if _is_digest(value):
        return value[:_SHORTEST]
    return (value[: _LONGEST_WORD - 3] + "..." if len(value) > _LONGEST_WORD else value) or "unknown"


def _is_digest(value: str) -> bool:
    return len(value) >= 16 and _HEX.issuperset(value)
