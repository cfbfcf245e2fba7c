"""The one table that every benchmark prints."""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """One goal: what was measured, what it is measured against in the same run, the goal, and whether it was met."""

    what: str
    measured: str
    peer: str
    goal: str
    met: bool | None
    """None where there is no goal, or nothing was measured (`measured` says why)."""


_WORDS = {True: "met", False: "MISSED", None: "-"}


def show(title: str, lines: list[Line]) -> None:
    """Print the table to stdout, columns as wide as their widest cell."""
    rows = [("what", "measured", "peer", "goal", "verdict")]
    rows += [(line.what, line.measured, line.peer, line.goal, _WORDS[line.met]) for line in lines]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    print(f"\n{title}")
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
