"""Renders table-top scenes with exact labels: the demo's camera, and what the embedded detector learns from.

Same seed, same pixels. Every pixel of an object is found by casting its ray (solids.py), so labels come from the same
numbers as the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from remote.training import layout
from remote.training.layout import Stage, Thing
from remote.training.light import LIGHT_ONE, solid_light, table_light
from remote.training.randomisation import Randomisation
from remote.training.sensor import Sensor
from remote.training.solids import KINDS, Solid, depth, normals, rays_in_frame
from remote.training.surface import TEXTURE_PX, Levels, print_share, to_levels, weave
from remote.training.viewpoint import Viewpoint, look_at

Floats32 = npt.NDArray[np.float32]

LABELS: tuple[str, ...] = KINDS
LEAST_VISIBLE_SHARE = 0.25
LEAST_VISIBLE_PX = 60
FLOOR_M = -0.72
_TABLE_THICKNESS_M = 0.03
_RELAY_S = 12.0
_ORBIT_DEG_PER_S = 5.0


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


@dataclass(frozen=True, slots=True)
class RenderedScene:
    """One picture with its labels.

    Attributes:
        image: uint8 [height, width, 3], BGR.
        boxes: one for each labelled object, in the order of their ids.
        ids: uint8 [height, width]; 0 is table and floor, k + 1 is `boxes[k]`, and 255 an object too hidden to label (only
            in videos: see SceneRenderer).
    """

    image: Levels
    boxes: tuple[LabelledBox, ...]
    ids: Levels


UNLABELLED_ID = 255


class _Patch(NamedTuple):
    """A solid's depth in its rectangle of the picture, and how many pixels it has with those outside the picture."""

    thing: Thing
    rows: slice
    columns: slice
    depth: Floats32
    pixels: int


class SceneRenderer:
    """Renders scenes drawn from a randomisation file.

    An object is labelled if at least LEAST_VISIBLE_SHARE of it and LEAST_VISIBLE_PX pixels are visible. In stills an
    object that falls short is taken off the table before the picture is made, so a detector that finds every object is
    never wrong. In videos it stays, without a label, and its pixels have the id UNLABELLED_ID.

    Args:
        randomisation: the ranges.
        width, height: of the pictures in pixels.
    """

    def __init__(self, randomisation: Randomisation, *, width: int = 640, height: int = 480) -> None:
        self._randomisation = randomisation
        self._size = (width, height)
        self._sensor = Sensor(width, height)

    def render(self, seed: int) -> RenderedScene:
        """One still: its own table, lamp, camera, objects and noise. Needs `seed` >= 0."""
        rng = np.random.default_rng([1, seed])
        stage = layout.draw_stage(rng, self._randomisation)
        view = layout.draw_view(rng, self._randomisation, self._size)
        things = layout.lay_things(rng, self._randomisation, layout.spots_in_view(rng, view))
        settings = layout.draw_sensor(rng, self._randomisation)
        image, boxes, ids = _compose(stage, things, view, keep_hidden=False)
        return RenderedScene(self._sensor.expose(image, settings, rng), boxes, ids)

    def episode(self, seed: int, *, frame_rate_hz: float = 15.0) -> Iterator[RenderedScene]:
        """An endless video: the camera orbits a table, every 12 s the objects are laid anew; needs `seed` >= 0.

        Frames differ by motion and by fresh sensor noise. `frame_rate_hz` is the rate at which they will be shown; the
        caller keeps time.
        """
        rng = np.random.default_rng([2, seed])
        stage = layout.draw_stage(rng, self._randomisation)
        settings = layout.draw_sensor(rng, self._randomisation)
        path = _Orbit(rng, self._randomisation, self._size)
        frames_a_lay = max(1, round(_RELAY_S * frame_rate_hz))
        things: tuple[Thing, ...] = ()
        frame = 0
        while True:
            if frame % frames_a_lay == 0:
                spots = layout.spots_in_disc(rng, 0.25)
                things = layout.lay_things(rng, self._randomisation, spots, extra_gap_m=0.02)
            image, boxes, ids = _compose(stage, things, path.at(frame / frame_rate_hz), keep_hidden=True)
            yield RenderedScene(self._sensor.expose(image, settings, rng), boxes, ids)
            frame += 1


class _Orbit:
    """A slow orbit that nods, rises and falls within the ranges of the randomisation file."""

    def __init__(self, rng: np.random.Generator, randomisation: Randomisation, size: tuple[int, int]) -> None:
        camera = randomisation.camera
        self._camera, self._size = camera, size
        self._start_deg = layout.draw(rng, camera.azimuth_deg)
        self._roll_deg = layout.draw(rng, camera.roll_deg) * 0.5
        self._view_angle_deg = layout.draw(rng, camera.view_angle_deg)
        self._phase = rng.uniform(0, 2 * math.pi, 4)

    def at(self, time_s: float) -> Viewpoint:
        sway = np.sin(np.array([0.23, 0.31, 0.41, 0.29]) * time_s + self._phase)
        low, high = self._camera.elevation_deg.low, self._camera.elevation_deg.high
        least, most = self._camera.height_m.low, self._camera.height_m.high
        elevation = low + (high - low) * (0.5 + 0.3 * sway[0])
        reach = least + (most - least) * (0.55 + 0.2 * sway[1])  # distance, so that a steep look is no closer one
        return look_at(
            (0.03 * sway[2], 0.03 * sway[3]),
            azimuth_deg=self._start_deg + _ORBIT_DEG_PER_S * time_s,
            elevation_deg=elevation,
            height_m=min(most, max(least, 1.35 * reach * math.sin(math.radians(elevation)))),
            roll_deg=self._roll_deg,
            view_angle_deg=self._view_angle_deg,
            size=self._size,
        )


def _compose(
    stage: Stage, things: Sequence[Thing], view: Viewpoint, *, keep_hidden: bool
) -> tuple[Levels, tuple[LabelledBox, ...], Levels]:
    """Picture before the sensor, boxes and ids."""
    patches = [patch for thing in things if (patch := _cast(thing, view)) is not None]
    order, boxes = _visible(patches, view)
    while not keep_hidden and not all(box is not None for box in boxes):
        patches = [patch for patch, box in zip(patches, boxes, strict=True) if box is not None]
        order, boxes = _visible(patches, view)
    standing = [patch.thing.solid for patch in patches] if not keep_hidden else [thing.solid for thing in things]
    image = _table(stage, view)
    cv2.multiply(image, table_light(stage.lamp, standing, view), dst=image, scale=1 / LIGHT_ONE)
    for index, patch in enumerate(patches):
        _shade(image, order, index + 1, patch, stage, standing, view)
    return image, tuple(box for box in boxes if box is not None), _label_ids(order, boxes)


def _cast(thing: Thing, view: Viewpoint) -> _Patch | None:
    """Depth of one thing; None where it is behind the camera or outside the picture."""
    corners = thing.solid.outline()
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
    return _Patch(thing, rows, columns, inside, pixels)


def _visible(patches: Sequence[_Patch], view: Viewpoint) -> tuple[Levels, list[LabelledBox | None]]:
    """(index + 1 of the patch nearest to the camera for each pixel, its box or None where too little is visible)."""
    order = np.zeros((view.height, view.width), np.uint8)
    nearest = np.full((view.height, view.width), np.inf, np.float32)
    for index, patch in enumerate(patches):
        place = (patch.rows, patch.columns)
        front = patch.depth < nearest[place]
        np.copyto(nearest[place], patch.depth, where=front)
        np.copyto(order[place], np.uint8(index + 1), where=front)
    return order, [_box(order, index + 1, patch) for index, patch in enumerate(patches)]


def _box(order: Levels, number: int, patch: _Patch) -> LabelledBox | None:
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


def _label_ids(order: Levels, boxes: Sequence[LabelledBox | None]) -> Levels:
    """Patch numbers -> ids of RenderedScene."""
    if all(box is not None for box in boxes):
        return order
    table, next_id = np.zeros(256, np.uint8), 1
    for index, box in enumerate(boxes):
        table[index + 1] = next_id if box is not None else UNLABELLED_ID
        next_id += box is not None
    return np.asarray(table[order])


def _table(stage: Stage, view: Viewpoint) -> Levels:
    """The unlit table, and the floor where the table ends."""
    half = layout.TABLE_HALF_M
    texture = _texture_to_world(half)
    size = (view.width, view.height)
    grey = cv2.warpPerspective(
        weave(stage.weave), view.homography() @ texture, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    top = np.asarray(cv2.applyColorMap(grey, stage.table), dtype=np.uint8)
    rim = np.array([[-half, -half, 0.0], [half, -half, 0], [half, half, 0], [-half, half, 0]])
    corners = np.array([[0.0, 0], [view.width, 0], [0, view.height], [view.width, view.height]])
    if np.abs(view.on_table(corners)).max() < half:
        return top
    return _over_floor(top, rim, stage, view)


def _texture_to_world(half_m: float) -> npt.NDArray[np.float64]:
    """Texture pixel -> metres on the table."""
    scale = 2 * half_m / TEXTURE_PX
    return np.array([[scale, 0, -half_m], [0, scale, -half_m], [0, 0, 1.0]])


def _over_floor(top: Levels, rim: npt.NDArray[np.float64], stage: Stage, view: Viewpoint) -> Levels:
    """Floor (coarse: it is out of focus), the table's edge, the table's top."""
    quarter = np.diag([0.25, 0.25, 1.0])
    scale = 8 / TEXTURE_PX
    spread = np.array([[scale, 0, -4], [0, scale, -4], [0, 0, 1.0]])
    size = (view.width // 4, view.height // 4)
    grey = cv2.warpPerspective(
        weave("marble"), quarter @ view.homography(FLOOR_M) @ spread, size, borderMode=cv2.BORDER_REFLECT_101
    )
    floor = cv2.applyColorMap(cv2.blur(grey, (7, 7)), stage.floor)
    picture = np.asarray(cv2.resize(floor, (view.width, view.height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)
    mask = np.zeros((view.height, view.width), np.uint8)
    for corner in range(4):
        side = np.vstack(
            [rim[[corner, (corner + 1) % 4]], rim[[(corner + 1) % 4, corner]] - (0, 0, _TABLE_THICKNESS_M)]
        )
        _polygon(picture, side, view, stage.edge_bgr)
    _polygon(mask, rim, view, (255, 255, 255))
    cv2.copyTo(top, mask, picture)
    return picture


def _polygon(picture: Levels, points_m: npt.NDArray[np.float64], view: Viewpoint, colour: tuple[int, int, int]) -> None:
    """Fill a polygon of world points, clipped where it passes behind the camera."""
    ahead = _before_camera(points_m, view)
    if len(ahead) >= 3:
        spots = np.clip(view.project(ahead), -30000, 30000) * 16
        cv2.fillConvexPoly(picture, spots.astype(np.int32), colour, lineType=cv2.LINE_8, shift=4)


def _before_camera(points_m: npt.NDArray[np.float64], view: Viewpoint) -> npt.NDArray[np.float64]:
    """The part of a convex polygon that lies at least 5 cm before the lens."""
    depths = (points_m - view.position_m) @ view.axes[2] - 0.05
    kept = []
    for index, point in enumerate(points_m):
        following = (index + 1) % len(points_m)
        if depths[index] >= 0:
            kept.append(point)
        if depths[index] * depths[following] < 0:
            share = depths[index] / (depths[index] - depths[following])
            kept.append(point + share * (points_m[following] - point))
    return np.array(kept)


def _shade(
    image: Levels, order: Levels, number: int, patch: _Patch, stage: Stage, solids: Sequence[Solid], view: Viewpoint
) -> None:
    """Paint the visible pixels of one thing."""
    mine = order[patch.rows, patch.columns] == number
    if not mine.any():
        return
    solid, paint = patch.thing.solid, patch.thing.paint
    rows, columns = np.ogrid[patch.rows, patch.columns]
    u = np.broadcast_to((columns + 0.5).astype(np.float32), mine.shape)[mine]
    v = np.broadcast_to((rows + 0.5).astype(np.float32), mine.shape)[mine]
    matrix = view.rays.astype(np.float32)
    world = (matrix[:, :1] * u + matrix[:, 1:2] * v + matrix[:, 2:]) * patch.depth[mine]
    world += view.position_m.astype(np.float32)[:, None]
    turn = solid.turn.astype(np.float32)
    own = turn.T @ (world - solid.middle_m.astype(np.float32)[:, None])
    facing = turn @ normals(solid, own)
    blocked = _blocked(world, solid, solids, stage)
    diffuse, mirrored = solid_light(stage.lamp, world, facing, view.position_m, paint.gloss, blocked)
    printed = print_share(paint, own)
    ground = paint.ground[:, None]
    diffuse *= ground if printed is None else ground + (paint.figure - paint.ground)[:, None] * printed
    diffuse += mirrored
    levels = to_levels(diffuse)
    place = image[patch.rows, patch.columns]
    for channel in range(3):  # six times faster than all three at once
        place[..., channel][mine] = levels[channel]


def _blocked(world: Floats32, solid: Solid, solids: Sequence[Solid], stage: Stage) -> Floats32 | None:
    """Share of the lamp that other solids hide at points [3, n], None if none can."""
    lamp = stage.lamp.position_m
    total: Floats32 | None = None
    for other in solids:
        if other is solid or not _may_shade(other, solid, lamp):
            continue
        origin = other.turn.T @ (lamp - other.middle_m)
        rays = other.turn.T.astype(np.float32) @ (world - lamp.astype(np.float32)[:, None])
        hidden = (depth(other, origin, (rays[0], rays[1], rays[2])) < 0.999).astype(np.float32)
        total = hidden if total is None else np.maximum(total, hidden)
    return total


def _may_shade(other: Solid, solid: Solid, lamp_m: npt.NDArray[np.float64]) -> bool:
    """Whether `other` can stand between `solid` and the lamp."""
    path = lamp_m - solid.middle_m
    along = float((other.middle_m - solid.middle_m) @ path / (path @ path))
    if along <= 0:
        return False
    nearest = solid.middle_m + along * path
    return float(np.linalg.norm(other.middle_m - nearest)) < other.reach_m + solid.reach_m
