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
    whole = _area(a) + _area(b) - both
    return both / whole if whole > 0 else 0.0


def covered(a: Corners, by: Corners) -> float:
    """The share of `a` that lies within `by`, in [0, 1]."""
    area = _area(a)
    return _common(a, by) / area if area > 0 else 0.0


def _common(a: Corners, b: Corners) -> float:
    if not (_area(a) > 0 and _area(b) > 0):  # also for NaN, which min and max would let through
        return 0.0
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    return across * down if across > 0 and down > 0 else 0.0


def _area(box: Corners) -> float:
    across, down = box[2] - box[0], box[3] - box[1]
    return across * down if across > 0 and down > 0 else 0.0
