"""Light on table and objects: one lamp with a soft shadow, and ambient light that corners and contacts lack.

Everything is linear light; a surface's colour times what these functions return is what the camera gets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from remote.training.solids import Solid
from remote.training.surface import Levels
from remote.training.viewpoint import Viewpoint

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]

SHADE_STEP = 2  # the table's light is computed on every second pixel: shadows are soft anyway
_AMBIENT_LEVEL = 64  # of a light map: below it ambient light is lacking, above it the lamp adds
_MAP_FULL = 1.6  # lamp strength at level 255
LIGHT_ONE = 127.0  # level of `table_light` that leaves the table as it is


@dataclass(frozen=True, slots=True)
class Lamp:
    """The lights of a scene.

    Attributes:
        position_m: the lamp, world coordinates.
        key: linear BGR [3] that the lamp gives a surface facing it at the table's middle.
        ambient: linear BGR [3] from everywhere above.
        bounce: linear BGR [3] from the table below.
        softness: 0 hard, 1 very soft edge of the shadow.
    """

    position_m: Floats
    key: Floats32
    ambient: Floats32
    bounce: Floats32
    softness: float

    def strength_at(self, points: Floats32) -> tuple[Floats32, Floats32]:
        """World points [3, n] -> (unit vectors to the lamp [3, n], fading with distance [n], 1 at the table's middle)."""
        towards = self.position_m.astype(np.float32)[:, None] - points
        squared = np.einsum("ij,ij->j", towards, towards)
        towards *= 1 / np.sqrt(squared)
        return towards, np.float32(self.position_m @ self.position_m) / squared


def table_light(lamp: Lamp, solids: Sequence[Solid], view: Viewpoint) -> Levels:
    """What the table gets, [height, width, 3] for `cv2.multiply(table, light, scale=1 / LIGHT_ONE)`."""
    size = (view.width // SHADE_STEP, view.height // SHADE_STEP)
    lit = cv2.resize(_lamp_on_table(lamp, view), size, interpolation=cv2.INTER_LINEAR)
    shadow, contact = _shadows(lamp, solids, view, size)
    lit = cv2.multiply(lit, shadow, scale=(255 - _AMBIENT_LEVEL) / 255 / 255)
    grey = cv2.subtract(cv2.add(lit, _AMBIENT_LEVEL), contact)
    coloured = cv2.applyColorMap(grey, _light_table(lamp))
    return np.asarray(cv2.resize(coloured, (view.width, view.height), interpolation=cv2.INTER_LINEAR), dtype=np.uint8)


def _lamp_on_table(lamp: Lamp, view: Viewpoint) -> Levels:
    """The lamp's strength on the bare table, seen by the camera in a coarse grid: levels, 255 = _MAP_FULL."""
    columns, rows = 16, 12
    u, v = np.meshgrid((np.arange(columns) + 0.5) / columns * view.width, (np.arange(rows) + 0.5) / rows * view.height)
    spots = view.on_table(np.column_stack([u.ravel(), v.ravel()]))
    points = np.zeros((3, len(spots)), np.float32)
    points[:2] = spots.T
    towards, fading = lamp.strength_at(points)
    levels = np.clip(towards[2] * fading * np.float32(255 / _MAP_FULL), 0, 255)
    return np.asarray(levels.astype(np.uint8).reshape(rows, columns))


def _light_table(lamp: Lamp) -> Levels:
    """Level of a light map -> the factor in picture levels (gamma 2), [256, 1, 3]."""
    level = np.arange(256, dtype=np.float32)[:, None]
    ambient = np.minimum(level / _AMBIENT_LEVEL, 1)
    key = np.maximum(level - _AMBIENT_LEVEL, 0) * np.float32(_MAP_FULL / (255 - _AMBIENT_LEVEL))
    factor = np.sqrt(lamp.ambient * ambient + lamp.key * key) * np.float32(LIGHT_ONE)
    return np.asarray(np.minimum(factor, 255).astype(np.uint8)[:, None, :])


def _shadows(lamp: Lamp, solids: Sequence[Solid], view: Viewpoint, size: tuple[int, int]) -> tuple[Levels, Levels]:
    """(255 where the lamp reaches the table, how much ambient light is lacking), both [size[1], size[0]]."""
    shadow = np.full((size[1], size[0]), 255, np.uint8)
    contact = np.zeros((size[1], size[0]), np.uint8)
    for solid in solids:
        corners = solid.outline
        _fill(shadow, _cast(corners, lamp.position_m), view, 0)
        foot = corners.copy()
        foot[:, 2] = 0
        foot[:, :2] += (foot[:, :2] - solid.middle_m[:2]) * 0.12
        _fill(contact, foot, view, 46)
    pixels_per_m = view.focal_px / float(np.linalg.norm(view.position_m)) / SHADE_STEP
    blur = max(0.6, (0.002 + 0.012 * lamp.softness) * pixels_per_m)
    box = 2 * int(blur) + 1  # two box blurs: nearly a Gaussian, at a cost that does not grow with its width
    shadow = cv2.blur(cv2.blur(shadow, (box, box)), (box, box))
    contact = cv2.blur(contact, (2 * int(0.012 * pixels_per_m) + 1,) * 2)
    return shadow, contact


def _cast(corners: Floats, lamp_m: Floats) -> Floats:
    """Where the lamp's rays through `corners` meet the table; corners above the lamp are lowered below it."""
    height = np.minimum(corners[:, 2:], lamp_m[2] * 0.9)
    grown = lamp_m[2] / (lamp_m[2] - height)
    return np.asarray(lamp_m + (corners - lamp_m) * grown) * (1, 1, 0)


def _fill(mask: Levels, points_m: Floats, view: Viewpoint, level: int) -> None:
    """Draw the convex hull of world points into a mask of 1 / SHADE_STEP of the picture's size."""
    ahead = (points_m - view.position_m) @ view.axes[2] > 0.02
    if not ahead.all():
        return
    spots = np.clip(view.project(points_m) / SHADE_STEP, -4000, 4000)
    hull = cv2.convexHull((spots * 16).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, level, lineType=cv2.LINE_8, shift=4)


def solid_light(
    lamp: Lamp, points: Floats32, facing: Floats32, eye_m: Floats, gloss: float, blocked: Floats32 | None
) -> tuple[Floats32, Floats32]:
    """Light on object surface.

    Args:
        lamp: the scene's lights.
        points: world points [3, n] in metres.
        facing: unit normals [3, n], world.
        eye_m: the camera.
        gloss: of the surface, a share.
        blocked: share [n] of the lamp hidden by other objects, or None.

    Returns:
        (factor for the surface's colour [3, n], mirrored light to add [3, n]), linear BGR.
    """
    towards, fading = lamp.strength_at(points)
    cosine = np.einsum("ij,ij->j", towards, facing)
    direct = np.maximum(cosine * np.float32(0.93) + np.float32(0.07), 0) * fading
    if blocked is not None:
        direct *= 1 - blocked
    upward = facing[2] * np.float32(0.5) + np.float32(0.5)
    open_sky = np.float32(0.55) + np.minimum(points[2] * np.float32(9), np.float32(0.45))
    diffuse = lamp.key[:, None] * direct
    diffuse += (lamp.ambient - lamp.bounce)[:, None] * (upward * open_sky)
    diffuse += lamp.bounce[:, None] * open_sky
    return diffuse, _mirrored(lamp, points, facing, towards, eye_m, gloss, np.where(cosine > 0, direct, 0))


def _mirrored(
    lamp: Lamp, points: Floats32, facing: Floats32, towards: Floats32, eye_m: Floats, gloss: float, direct: Floats32
) -> Floats32:
    """Blinn's highlight; its sharpness rises with gloss."""
    seen = eye_m.astype(np.float32)[:, None] - points
    seen *= 1 / np.sqrt(np.einsum("ij,ij->j", seen, seen))
    half = seen + towards
    half *= 1 / np.sqrt(np.einsum("ij,ij->j", half, half))
    sharp = np.maximum(np.einsum("ij,ij->j", half, facing), 0)
    for _ in range(4 if gloss < 0.3 else 5 if gloss < 0.5 else 6):
        sharp *= sharp
    edge = 1 - np.maximum(np.einsum("ij,ij->j", seen, facing), 0)
    edge *= edge * edge
    sharp *= np.minimum(direct * 4, 1)
    sharp *= np.float32(gloss)
    mirrored = lamp.key[:, None] * sharp
    mirrored += (lamp.ambient * np.float32(0.5 * gloss))[:, None] * edge
    return np.asarray(mirrored)
