"""Failures that belong together as one example: what happened once and was recorded many times.

A failure belongs to an example of its robot and kind if it lies within AT_ONCE_NS of it; or within ALIKE_NS and their pictures
look alike; or within QUIET_NS where one of them has no picture here. An entry that only tells of repeats belongs to the failure
that it repeats. Counts of failures are not touched by this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from console.failures.near_duplicates import Look, alike
from console.failures.rows import FailureRow

AT_ONCE_NS = 2_000_000_000
QUIET_NS = 10_000_000_000
ALIKE_NS = 300_000_000_000
_OPEN = 16
"""So many scenes of one robot and kind are compared with at a time."""
LookOf = Callable[[str], "Look | None"]
"""The look of a picture by digest; None where it is not on this laptop."""


class _Open:
    """An example that may go on."""

    __slots__ = ("example", "look", "wall_ns")

    def __init__(self, example: int, wall_ns: int, look: Look | None) -> None:
        self.example, self.wall_ns, self.look = example, wall_ns, look


class Folded(msgspec.Struct, frozen=True):
    """A failure and the number of its example, from 0; `first` where it is the first one met of it."""

    row: FailureRow
    example: int
    first: bool


def folded(rows: Iterable[FailureRow], look_of: LookOf) -> Iterator[Folded]:
    """Each row once, with its example. The rows must come in order of time, forwards or backwards.

    A row without a time (`wall_ns` 0) is an example of its own.
    """
    open_ones: dict[tuple[str, str, str], list[_Open]] = {}
    count = 0
    for row in rows:
        look = look_of(row.at) if row.at else None
        here = open_ones.setdefault((row.robot, row.kind, row.imported_from.rpartition(":")[0]), [])
        found = _same(here, row, look) if row.wall_ns else None
        if found is not None:
            found.wall_ns, found.look = row.wall_ns, look or found.look
            yield Folded(row, found.example, first=False)
            continue
        here[:] = [_Open(count, row.wall_ns, look), *(one for one in here if _near(one, row, ALIKE_NS))][:_OPEN]
        yield Folded(row, count, first=True)
        count += 1


def _same(here: list[_Open], row: FailureRow, look: Look | None) -> _Open | None:
    if row.only_repeats and here and _near(here[0], row, ALIKE_NS):
        return here[0]
    for one in here:
        if _near(one, row, AT_ONCE_NS):
            return one
        if look is None or one.look is None:
            if _near(one, row, QUIET_NS):
                return one
        elif _near(one, row, ALIKE_NS) and alike(one.look, look):
            return one
    return None


def _near(one: _Open, row: FailureRow, within_ns: int) -> bool:
    return abs(one.wall_ns - row.wall_ns) <= within_ns
