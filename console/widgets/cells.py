"""Rows of styled text: how panels keep what they show, cut it to a width and find what changed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

Span = tuple[str, str]
"""A text and its colour role."""
Row = tuple[Span, ...]
GAP_CELLS = 6
"""Changes closer than this are painted together: moving the cursor costs about as many bytes."""


# What panels draw with and most labels are made of. rich's own cell_len remembers thousands of strings, and rows with
# histories are new each second.
_NARROW = re.compile("[ -~\\u00a1-\\u00ac\\u00ae-\\u02ff\\u2010-\\u2027\\u2190-\\u21ff\\u2500-\\u25fc\\u2713-\\u2718]*")


def width_of(text: str) -> int:
    """How many cells `text` takes."""
    return len(text) if _NARROW.fullmatch(text) else cell_len(text)


def clean(text: str) -> str:
    """Text from a robot without control characters, on one line: nothing of it can steer the terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)


def fit(text: str, width: int, *, right: bool = False) -> str:
    """`text` in exactly `width` cells, padded, or cut with an ellipsis."""
    if width <= 0:
        return ""
    size = width_of(text)
    if size > width:
        return set_cell_size(text, width - 1) + "…"
    pad = " " * (width - size)
    return pad + text if right else text + pad


def row_of(spans: Sequence[Span], width: int) -> Row:
    """The spans in exactly `width` cells: cut at the end or padded with text-coloured blanks."""
    row: list[Span] = []
    left = width
    for text, role in spans:
        size = width_of(text)
        if size > left:
            if left > 0:
                row.append((fit(text, left) if text.strip() else " " * left, role))
            return tuple(row)
        row.append((text, role))
        left -= size
    if left:
        row.append((" " * left, "text"))
    return tuple(row)


def plain(row: Row) -> str:
    """The row's text."""
    return "".join(text for text, _ in row)


def changes(old: Row, new: Row) -> list[tuple[int, int]]:
    """Half-open column ranges in which two rows of one width differ; the whole row where wide characters are in it."""
    before, after = plain(old), plain(new)
    widths = width_of(before), width_of(after)
    if widths != (len(before), len(after)) or widths[0] != widths[1]:
        return [(0, max(widths))]
    roles_before, roles_after = _roles(old), _roles(new)
    found: list[tuple[int, int]] = []
    for x, (a, b, c, d) in enumerate(zip(before, after, roles_before, roles_after, strict=True)):
        if a == b and c == d:
            continue
        if found and x - found[-1][1] <= GAP_CELLS:
            found[-1] = (found[-1][0], x + 1)
        else:
            found.append((x, x + 1))
    return found


def _roles(row: Row) -> list[str]:
    roles: list[str] = []
    for text, role in row:
        roles += [role] * len(text)
    return roles
