"""Which object each pixel shows, and the boxes that follow from it: labels come from the pixels themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from remote.training.layout import Thing
from remote.training.solids import depth, rays_in_frame
from remote.training.surface import Levels
from remote.training.viewpoint import Viewpoint

Floats32 = npt.NDArray[np.float32]

LEAST_VISIBLE_SHARE = 0.25
LEAST_VISIBLE_PX = 60
UNLABELLED_ID = 255


class LabelledBox(NamedTuple):
    """Rectangle about the visible pixels of one object.

    `x1, y1` is the first pixel, `x2, y2` one past the last; `visible_share` of the pixels that the object would cover
    if nothing hid it and the picture had no border.
    """

    label: int
    x1: int
    y1: int
    x2: int
    y2: int
    visible_share: float


class Patch(NamedTuple):
    """A solid's depth in its rectangle of the picture, and how many pixels it has with those outside the picture."""

    thing: Thing
    rows: slice
    columns: slice
    depth: Floats32
    pixels: int


def cast(thing: Thing, view: Viewpoint) -> Patch | None:
    """Depth of one thing; None where it is behind the camera or outside the picture."""
    corners = thing.solid.outline
    if ((corners - view.position_m) @ view.axes[2]).min() < 0.05:
        return None
    spots = view.project(corners)
    left, top = np.floor(spots.min(axis=0)).astype(int)
    right, bottom = np.ceil(spots.max(axis=0)).astype(int)
    if right <= 0 or bottom <= 0 or left >= view.width or top >= view.height:
        return None
    origin, rays = rays_in_frame(thing.solid, view, left, top, right, bottom)
    whole = depth(thing.solid, origin, rays)
    pixels = int(np.isfinite(whole).sum())
    rows, columns = slice(max(top, 0), min(bottom, view.height)), slice(max(left, 0), min(right, view.width))
    inside = whole[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    return Patch(thing, rows, columns, inside, pixels)


def visible(patches: Sequence[Patch], view: Viewpoint) -> tuple[Levels, list[LabelledBox | None]]:
    """(index + 1 of the patch nearest to the camera for each pixel, its box or None where too little is visible)."""
    order = np.zeros((view.height, view.width), np.uint8)
    nearest = np.full((view.height, view.width), np.inf, np.float32)
    for index, patch in enumerate(patches):
        place = (patch.rows, patch.columns)
        front = patch.depth < nearest[place]
        np.copyto(nearest[place], patch.depth, where=front)
        np.copyto(order[place], np.uint8(index + 1), where=front)
    return order, [_box(order, index + 1, patch) for index, patch in enumerate(patches)]


def _box(order: Levels, number: int, patch: Patch) -> LabelledBox | None:
    mine = order[patch.rows, patch.columns] == number
    seen = int(np.count_nonzero(mine))
    if seen < LEAST_VISIBLE_PX or seen < LEAST_VISIBLE_SHARE * patch.pixels:
        return None
    across, down = np.flatnonzero(mine.any(axis=0)), np.flatnonzero(mine.any(axis=1))
    return LabelledBox(
        patch.thing.solid.label,
        int(across[0]) + patch.columns.start,
        int(down[0]) + patch.rows.start,
        int(across[-1]) + patch.columns.start + 1,
        int(down[-1]) + patch.rows.start + 1,
        seen / patch.pixels,
    )


def label_ids(order: Levels, boxes: Sequence[LabelledBox | None]) -> Levels:
    """Patch numbers -> ids of RenderedScene."""
    if all(box is not None for box in boxes):
        return order
    table, next_id = np.zeros(256, np.uint8), 1
    for index, box in enumerate(boxes):
        table[index + 1] = next_id if box is not None else UNLABELLED_ID
        next_id += box is not None
    return np.asarray(table[order])
