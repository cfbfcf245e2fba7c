"""What two bundles make of one picture, box by box. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from remote.perception.watching.boxes import Corners, overlap

MIN_IOU = 0.5


class Box(NamedTuple):
    """A detection with its label by name: two bundles may number their labels otherwise."""

    label: str
    score: float
    corners: Corners


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One picture: boxes that both gave, or only one.

    `shifts` are the new score less the old one of each box that both gave; `least_iou` is the smallest overlap among them, None
    where there is none. Times are of the whole way from picture to boxes, in milliseconds. `fault_old` and `fault_new` say why
    that bundle gave no answer; its boxes are then none, and nothing is counted as agreed or not.
    """

    agreed: int = 0
    only_old: int = 0
    only_new: int = 0
    shifts: tuple[float, ...] = ()
    least_iou: float | None = None
    old_ms: float | None = None
    new_ms: float | None = None
    fault_old: str = ""
    fault_new: str = ""

    @property
    def size(self) -> tuple[int, float]:
        """How large the difference is, for an order: first faults and boxes that only one gave, then scores that moved."""
        faults = 1000 * (bool(self.fault_old) + bool(self.fault_new))
        return faults + self.only_old + self.only_new, sum(abs(shift) for shift in self.shifts)


def pairs(old: Sequence[Box], new: Sequence[Box], min_iou: float = MIN_IOU) -> list[tuple[int, int, float]]:
    """(index in `old`, index in `new`, IoU) of boxes that are the same object: one label, the greatest overlap of at least
    `min_iou` first, each box at most once."""
    likely = [
        (iou, i, j)
        for i, one in enumerate(old)
        for j, other in enumerate(new)
        if one.label == other.label and (iou := overlap(one.corners, other.corners)) >= min_iou
    ]
    found, left, right = [], set[int](), set[int]()
    for iou, i, j in sorted(likely, key=lambda pair: (-pair[0], pair[1], pair[2])):
        if i not in left and j not in right:
            found.append((i, j, iou))
            left.add(i)
            right.add(j)
    return found


def compared(old: Sequence[Box], new: Sequence[Box], *, old_ms: float, new_ms: float) -> Difference:
    """The difference of two answers to one picture."""
    same = pairs(old, new)
    return Difference(
        agreed=len(same),
        only_old=len(old) - len(same),
        only_new=len(new) - len(same),
        shifts=tuple(round(new[j].score - old[i].score, 4) for i, j, _ in same),
        least_iou=round(min(iou for *_, iou in same), 4) if same else None,
        old_ms=old_ms,
        new_ms=new_ms,
    )
