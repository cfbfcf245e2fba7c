"""A comparison as text for people, as wide as their terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from remote.models.comparing.compare import Comparison, Row
from remote.models.comparing.latency import LEAST_ROUNDS, Latency
from remote.models.comparing.parity import decibels
from remote.verdict_text import wrapped

_EMPTY = "-"
_FIRST_TO_GO = ("packed", "zeros", "digest", "size", "time")
"""Columns that stand in a second table where the terminal is too narrow, one after the other."""
_INDENT = 15
Table = dict[str, list[str]]
"""Cells by the column's head."""


def comparison_text(found: Comparison, width: int) -> str:
    """The table, what it rests on, then each bundle's checks; lines of at most `width` where words allow it."""
    lines = table_lines(_columns(found.rows), width)
    notes = f"rests on {found.rested_on}; each is compared with the first"
    if any(row.accuracy for row in found.rows):
        notes += "; AP is AP@[.50:.95]"
    lines += wrapped(notes, width)
    timed = [row.latency for row in found.rows if row.latency is not None]
    if timed:
        engines = ", ".join(sorted({one.engine for one in timed}))
        about = f"time: the median of {timed[0].n} runs of the engine alone on this machine, in turns; {engines}"
        lines += wrapped(about, width)
    for row in found.rows[1:]:
        lines += [f"{' '.join(filter(None, (row.name, row.digest[:8])))}: {row.verdict}", *checks_text(row, width)]
        if row.latency is not None:
            lines += wrapped(f"  {'told':<13}time: {time_text(row.latency)}", width, indent=_INDENT)
    return "\n".join(lines)


def checks_text(row: Row, width: int) -> Iterable[str]:
    """Each check, wrapped."""
    for check in row.checks:
        yield from wrapped(f"  {check.verdict:<13}{check.name}: {check.text}", width, indent=_INDENT)


def time_text(one: Latency) -> str:
    """How its median time stands to the first one's, where enough runs say so."""
    ratio = f"{milliseconds(one.p50_ms)}, {one.ratio:.2f} times the first's"
    if one.n < LEAST_ROUNDS:
        return f"{ratio}; {one.n} runs decide nothing, {LEAST_ROUNDS} are needed"
    word = "faster" if one.ratio_high < 1 else "slower" if one.ratio_low > 1 else "neither faster nor slower"
    return f"{word} here: {ratio} (95 %: {one.ratio_low:.2f} to {one.ratio_high:.2f})"


def milliseconds(time_ms: float) -> str:
    """In microseconds below a tenth of a millisecond."""
    return f"{time_ms * 1000:.1f} us" if time_ms < 0.1 else f"{time_ms:.2f} ms"


def size_text(size_bytes: int) -> str:
    """In kilobytes below a tenth of a megabyte."""
    return f"{size_bytes / 1e3:.1f} kB" if size_bytes < 100_000 else f"{size_bytes / 1e6:.3f} MB"


def table_lines(columns: Table, width: int) -> list[str]:
    """The columns that hold anything; those that do not fit stand in a table of their own below, by the first column."""
    told = {head: cells for head, cells in columns.items() if any(cell != _EMPTY for cell in cells)}
    below: Table = {}
    for head in _FIRST_TO_GO:
        if _wide(told) > width and head in told:
            below[head] = told.pop(head)
    first = next(iter(told))
    return _lines(told) + (_lines({first: told[first], **below}) if below else [])


def _columns(rows: Sequence[Row]) -> Table:
    zeros = [f"{row.size.zero_share:.0%}".replace("%", " %") for row in rows]
    return {
        "bundle": [row.name for row in rows],
        "digest": [row.digest[:8] or _EMPTY for row in rows],
        "size": [size_text(row.size.model_bytes) for row in rows],
        "packed": [size_text(row.size.packed_bytes) for row in rows],
        "zeros": zeros if len(set(zeros)) > 1 else [_EMPTY] * len(rows),
        "parity": [decibels(row.parity) if row.parity else _EMPTY for row in rows],
        "boxes again": [f"{row.agreement.value * 100:.1f} %" if row.agreement else _EMPTY for row in rows],
        "AP": [f"{row.accuracy.map:.4f}" if row.accuracy else _EMPTY for row in rows],
        "time": [milliseconds(row.latency.p50_ms) if row.latency else _EMPTY for row in rows],
        "verdict": [row.verdict if row.checks else "(first)" for row in rows],
    }


def _widths(columns: Table) -> list[int]:
    return [max(map(len, (head, *cells))) for head, cells in columns.items()]


def _wide(columns: Table) -> int:
    return sum(_widths(columns)) + 2 * (len(columns) - 1)


def _lines(columns: Table) -> list[str]:
    rows = [tuple(columns), *zip(*columns.values(), strict=True)]
    widths = _widths(columns)
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
