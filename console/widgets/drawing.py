"""Histories, bars and numbers as spans of text."""

from __future__ import annotations

from collections.abc import Sequence

from console.marks import Charset
from console.widgets.cells import Span, fit


def history(values: Sequence[float | None], width: int, charset: Charset, *, top: float, low: float = 0.0) -> str:
    """The newest `width` values as one character each, newest at the right, blank where there was none.

    `low` and `top` are the values of the lowest and the highest character.
    """
    levels, last = charset.levels, len(charset.levels) - 1
    scale = last / (top - low) if top > low else 0.0
    chars = [
        " " if value is None else levels[min(last, max(0, round((value - low) * scale)))] for value in values[-width:]
    ]
    return "".join(chars).rjust(width)


def bar(share: float, width: int, charset: Charset, role: str, limit: float | None = None) -> tuple[Span, ...]:
    """A horizontal bar: `share` of `width` filled, a mark at the share `limit` where it is not yet reached."""
    full, half, track, mark = tuple(charset.bar)
    halves = round(min(1.0, max(0.0, share)) * width * 2)
    filled = full * (halves // 2) + (half if halves % 2 else "")
    rest = track * (width - len(filled))
    at = width if limit is None else min(width - 1, int(limit * width))
    if len(filled) <= at < width:
        cut = at - len(filled)
        return ((filled, role), (rest[:cut], "track"), (mark, "muted"), (rest[cut + 1 :], "track"))
    return ((filled, role), (rest, "track"))


def number(value: float | None, width: int, digits: int = 1) -> str:
    """A number right-aligned; fewer digits where it gets long; a dash where there is none."""
    if value is None:
        return fit("-", width, right=True)
    for places in range(digits, -1, -1):
        text = f"{value:.{places}f}"
        if len(text) < width:
            return text.rjust(width)
    return fit(f"{value:.0f}", width, right=True)


def duration(seconds: float, *, whole: bool = False) -> str:
    """A time span for people: 0.4 s, 12 s, 3 min, 5 h; `whole` leaves out tenths."""
    if seconds < 10 and not whole:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


def clock_time(wall_ns: int) -> str:
    """Local time of day, HH:MM:SS."""
    import time

    return time.strftime("%H:%M:%S", time.localtime(wall_ns // 1_000_000_000))
