"""What every file that people write is made of: parts without unknown keys, and how names, lines and spans look."""

from __future__ import annotations

from typing import Annotated

import msgspec

_NAME = "name: a small letter, then small letters, digits and _, 48 at most"
_REFERENCE = "reference: capitals, a dash and a number, like HAZ-01"
_SPAN = "time span: a whole number and its unit, like 30 s, 5 min, 8 h or 7 d"
"""What a pattern asks for, in words: lint and editors say them."""
Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]{0,47}$", description=_NAME)]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=2000)]
Reference = Annotated[str, msgspec.Meta(pattern=r"^[A-Z][A-Z0-9]*-[A-Z0-9.-]{1,24}$", description=_REFERENCE)]
Span = Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,4} ?(s|min|h|d)$", description=_SPAN)]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The base of everything in such a file: unknown keys are refused."""
