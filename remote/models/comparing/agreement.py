"""Whether one model finds what another one found: the share of its boxes that are there again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np

from remote.models.comparing.resampling import CONFIDENCE, Interval, Weights, resampled
from remote.models.validation.bounds import rate_lower, rate_upper

if TYPE_CHECKING:
    from remote.perception.arrays import Floats
    from remote.perception.postprocess import Boxes

LEAST_IOU = 0.5
_ONE_SIDE = (1 + CONFIDENCE) / 2


class Agreement:
    """Adds up pictures."""

    def __init__(self) -> None:
        self._found: list[int] = []
        self._of: list[int] = []
        self.more = 0

    def add(self, reference: Boxes, other: Boxes) -> None:
        """One picture's boxes of both, above their contracts' thresholds."""
        found = found_again(reference, other)
        self._found.append(found)
        self._of.append(len(reference))
        self.more += len(other) - found

    @property
    def boxes(self) -> int:
        """How many boxes the reference has."""
        return sum(self._of)

    def share(self, seed: int = 0) -> Interval | None:
        """The share of the reference's boxes that the other has too; None where the reference found nothing at all.

        The interval holds both the one of drawn pictures and Clopper and Pearson's over the boxes: where nothing was lost,
        drawing pictures can't tell how much may be lost on others.
        """
        found, of = np.array(self._found), np.array(self._of)
        if not of.sum():
            return None

        def measure(weights: Weights) -> float:
            whole = int(weights @ of)
            return float(weights @ found / whole) if whole else float("nan")

        drawn, hits, boxes = resampled(measure, len(of), seed=seed), int(found.sum()), int(of.sum())
        low, high = rate_lower(hits, boxes, _ONE_SIDE), rate_upper(hits, boxes, _ONE_SIDE)
        return msgspec.structs.replace(drawn, low=min(drawn.low, low), high=max(drawn.high, high), hits=hits, of=boxes)


def found_again(reference: Boxes, other: Boxes) -> int:
    """How many boxes of `reference` have one of the same label in `other` at IoU >= 0.5, each used once, best scores first."""
    if not len(reference) or not len(other):
        return 0
    overlaps = _ious(reference.corners, other.corners)
    overlaps[reference.labels[:, None] != other.labels[None]] = 0
    found = 0
    for row in range(len(reference)):
        best = int(overlaps[row].argmax())
        if overlaps[row, best] >= LEAST_IOU:
            overlaps[:, best] = 0
            found += 1
    return found


def _ious(ours: Floats, theirs: Floats) -> Floats:
    low = np.maximum(ours[:, None, :2], theirs[None, :, :2])
    high = np.minimum(ours[:, None, 2:], theirs[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(corners[:, 2:] - corners[:, :2], axis=1) for corners in (ours, theirs)]
    found: Floats = shared / np.maximum(areas[0][:, None] + areas[1][None] - shared, 1e-9)
    return found
