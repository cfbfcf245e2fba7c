"""The picture before any object is in it: the table's top and edge, and the floor where the table ends."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from remote.training import layout
from remote.training.layout import Stage
from remote.training.surface import TEXTURE_PX, Levels, weave
from remote.training.viewpoint import Viewpoint

Floats = npt.NDArray[np.float64]

FLOOR_M = -0.72
TABLE_THICKNESS_M = 0.03
_FLOOR_STEP = 4  # the floor is out of focus: a quarter of the picture's size will do


def backdrop(stage: Stage, view: Viewpoint) -> Levels:
    """The unlit table and floor, [height, width, 3]."""
    half = layout.TABLE_HALF_M
    grey = cv2.warpPerspective(
        weave(stage.weave),
        view.homography() @ _texture_to_world(half),
        (view.width, view.height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    picture = np.asarray(cv2.applyColorMap(grey, stage.table), dtype=np.uint8)
    corners = np.array([[0.0, 0], [view.width, 0], [0, view.height], [view.width, view.height]])
    if np.abs(view.on_table(corners)).max() >= half:
        _add_floor(picture, stage, view)
    return picture


def _texture_to_world(half_m: float) -> Floats:
    """Texture pixel -> metres on a square of twice `half_m`."""
    scale = 2 * half_m / TEXTURE_PX
    return np.array([[scale, 0, -half_m], [0, scale, -half_m], [0, 0, 1.0]])


def _add_floor(picture: Levels, stage: Stage, view: Viewpoint) -> None:
    """Draw floor and table edge over everything that is not the table's top."""
    half = layout.TABLE_HALF_M
    rim = np.array([[-half, -half, 0.0], [half, -half, 0], [half, half, 0], [-half, half, 0]])
    beyond = np.full((view.height, view.width), 255, np.uint8)
    _polygon(beyond, rim, view, (0, 0, 0), 0)
    rows = np.flatnonzero(beyond.max(axis=1))
    if rows.size == 0:
        return
    first, last = int(rows[0]) // _FLOOR_STEP * _FLOOR_STEP, int(rows[-1]) + 1
    strip = _floor(stage, view, first, last)
    for corner in range(4):
        upper = rim[[corner, (corner + 1) % 4]]
        _polygon(strip, np.vstack([upper, upper[::-1] - (0, 0, TABLE_THICKNESS_M)]), view, stage.edge_bgr, first)
    cv2.copyTo(strip, beyond[first:last], picture[first:last])


def _floor(stage: Stage, view: Viewpoint, first: int, last: int) -> Levels:
    """Rows [first, last) of the floor, blurred."""
    small = np.array([[1 / _FLOOR_STEP, 0, 0], [0, 1 / _FLOOR_STEP, -first / _FLOOR_STEP], [0, 0, 1.0]])
    size = (view.width // _FLOOR_STEP, -(-(last - first) // _FLOOR_STEP))
    grey = cv2.warpPerspective(
        weave("marble"),
        small @ view.homography(FLOOR_M) @ _texture_to_world(4.0),
        size,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    floor = cv2.applyColorMap(cv2.blur(grey, (7, 7)), stage.floor)
    return np.asarray(cv2.resize(floor, (view.width, last - first), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _polygon(picture: Levels, points_m: Floats, view: Viewpoint, colour: tuple[int, int, int], first_row: int) -> None:
    """Fill a polygon of world points in a picture that starts at `first_row` of the camera's."""
    ahead = _before_camera(points_m, view)
    if len(ahead) >= 3:
        spots = np.clip(view.project(ahead) - (0, first_row), -30000, 30000) * 16
        cv2.fillConvexPoly(picture, spots.astype(np.int32), colour, lineType=cv2.LINE_8, shift=4)


def _before_camera(points_m: Floats, view: Viewpoint) -> Floats:
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
