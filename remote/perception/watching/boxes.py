"""Boxes that are known to be right, and how much two boxes overlap. Pure; corners are (x1, y1, x2, y2) in pixels."""

from __future__ import annotations

from dataclasses import dataclass

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class Known:
    """An object that is known to be in view. `box` None: anywhere in the frame."""

    label: str
    box: Corners | None = None


@dataclass(frozen=True)
class Truth:
    """What a source itself knows of its picture.

    Attributes:
        objects: what is to be found, and there is nothing else.
        ignored: where something is that need not be found and may be: too hidden to say.
    """

    objects: tuple[Known, ...]
    ignored: tuple[Corners, ...] = ()


def overlap(a: Corners, b: Corners) -> float:
    """Intersection over union in [0, 1]; 0 for boxes without area or with NaN in them."""
    both = _common(a, b)
    return both / (_area(a) + _area(b) - both) if both else 0.0


def covered(a: Corners, by: Corners) -> float:
    """The share of `a` that lies within `by`, in [0, 1]."""
    both = _common(a, by)
    return both / _area(a) if both else 0.0


def _common(a: Corners, b: Corners) -> float:
    # Written out: this runs for every pair of boxes of every frame, and most pairs end at the first line.
    across = (a[2] if a[2] < b[2] else b[2]) - (a[0] if a[0] > b[0] else b[0])
    if not across > 0:
        return 0.0
    down = (a[3] if a[3] < b[3] else b[3]) - (a[1] if a[1] > b[1] else b[1])
    # The areas are looked at for NaN, which the comparisons above would let through.
    return across * down if down > 0 and _area(a) > 0 and _area(b) > 0 else 0.0


def _area(box: Corners) -> float:
    across, down = box[2] - box[0], box[3] - box[1]
    return across * down if across > 0 and down > 0 else 0.0
