"""Cube, sphere, cylinder and cone: where a ray meets them, which way their surface faces there, where they stand.

Each solid lives in its own frame, its middle in the origin, its axis along z; `turn` and `middle_m` put it on the table.
Rays have any length: a depth `t` is in units of the ray, so depths along one ray compare between solids.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from remote.training.viewpoint import Viewpoint

Kind = Literal["cube", "sphere", "cylinder", "cone"]
KINDS: tuple[Kind, ...] = ("cube", "sphere", "cylinder", "cone")  # the order is the class index

Floats = npt.NDArray[np.float64]
Floats32 = npt.NDArray[np.float32]
Rays = tuple[Floats32, Floats32, Floats32]
_NOWHERE = np.float32(np.inf)


@dataclass(frozen=True)
class Solid:
    """One object on the table.

    Attributes:
        kind: one of KINDS.
        middle_m: centre of its axis, world coordinates.
        turn: [3, 3], own frame -> world.
        radius_m: half the width (cube: half the edge).
        half_height_m: half the length of its axis (cube and sphere: as `radius_m`).
    """

    kind: Kind
    middle_m: Floats
    turn: Floats
    radius_m: float
    half_height_m: float

    @property
    def label(self) -> int:
        """Class index."""
        return KINDS.index(self.kind)

    @cached_property
    def reach_m(self) -> float:
        """Radius of the smallest sphere about the middle that holds the solid."""
        if self.kind == "sphere":
            return self.radius_m
        return math.hypot(self.radius_m * (math.sqrt(2) if self.kind == "cube" else 1.0), self.half_height_m)

    @cached_property
    def outline(self) -> Floats:
        """World points [n, 3] whose convex hull holds the solid closely: from it come its rectangle and its shadow."""
        return np.asarray(_OUTLINES[self.kind] * self._scale() @ self.turn.T + self.middle_m)

    def _scale(self) -> Floats:
        return np.array([self.radius_m, self.radius_m, self.half_height_m])


def standing(
    kind: Kind, spot_m: tuple[float, float], *, radius_m: float, half_height_m: float, yaw_rad: float
) -> Solid:
    """A solid that stands upright on the table at `spot_m`, turned by `yaw_rad`."""
    half = half_height_m if kind in ("cylinder", "cone") else radius_m
    return Solid(kind, np.array([*spot_m, half]), _yaw(yaw_rad), radius_m, half)


def lying(kind: Kind, spot_m: tuple[float, float], *, radius_m: float, half_height_m: float, yaw_rad: float) -> Solid:
    """A cylinder or cone that lies on its side; anything else stands."""
    if kind not in ("cylinder", "cone"):
        return standing(kind, spot_m, radius_m=radius_m, half_height_m=half_height_m, yaw_rad=yaw_rad)
    slope = math.atan2(radius_m, 2 * half_height_m) if kind == "cone" else 0.0  # a cone's tip touches the table
    height = half_height_m * math.sin(slope) if kind == "cone" else radius_m
    tip = math.pi / 2 + slope
    tilt = np.array([[math.cos(tip), 0, math.sin(tip)], [0, 1, 0], [-math.sin(tip), 0, math.cos(tip)]])
    return Solid(kind, np.array([*spot_m, height]), _yaw(yaw_rad) @ tilt, radius_m, half_height_m)


def rays_in_frame(solid: Solid, view: Viewpoint, left: int, top: int, right: int, bottom: int) -> tuple[Floats, Rays]:
    """The rays of the pixels [top, bottom) x [left, right) in the solid's frame: (origin [3], three planes)."""
    origin = solid.turn.T @ (view.position_m - solid.middle_m)
    matrix = (solid.turn.T @ view.rays).astype(np.float32)
    u = np.arange(left, right, dtype=np.float32) + np.float32(0.5)
    v = np.arange(top, bottom, dtype=np.float32)[:, None] + np.float32(0.5)
    planes = [matrix[axis, 0] * u + (matrix[axis, 1] * v + matrix[axis, 2]) for axis in range(3)]
    return origin, (planes[0], planes[1], planes[2])


def depth(solid: Solid, origin: Floats, rays: Rays) -> Floats32:
    """Depth at which each ray enters the solid, inf where it misses; the origin must be outside."""
    start = (float(origin[0]), float(origin[1]), float(origin[2]))
    if solid.kind == "cube":
        return _enter_cube(start, rays, solid.radius_m)
    if solid.kind == "sphere":
        return _enter_sphere(start, rays, solid.radius_m)
    if solid.kind == "cylinder":
        return _enter_cylinder(start, rays, solid.radius_m, solid.half_height_m)
    return _enter_cone(start, rays, solid.radius_m, solid.half_height_m)


def normals(solid: Solid, points: Floats32) -> Floats32:
    """Outward unit normals [3, n] at surface points [3, n], all in the solid's frame."""
    if solid.kind == "cube":
        axis = np.abs(points).argmax(axis=0)
        facing = np.zeros_like(points)
        column = np.arange(points.shape[1])
        facing[axis, column] = np.sign(points[axis, column])
        return facing
    if solid.kind == "sphere":
        return np.asarray(points / np.float32(solid.radius_m))
    return _normals_about_axis(solid, points)


def _normals_about_axis(solid: Solid, points: Floats32) -> Floats32:
    """Cylinder and cone: the mantle's normals lean by the mantle's slope, the lids' are the axis."""
    radius, half = np.float32(solid.radius_m), np.float32(solid.half_height_m)
    lean = radius / (2 * half) if solid.kind == "cone" else np.float32(0)
    size = np.float32(math.sqrt(1 + float(lean) ** 2))
    edge = half * np.float32(1 - 2e-4)
    above = points[2] > edge if solid.kind == "cylinder" else np.zeros(points.shape[1], bool)
    lids = above | (points[2] < -edge)
    distance = np.sqrt(points[0] * points[0] + points[1] * points[1] + np.float32(1e-12))
    facing = np.empty_like(points)
    np.multiply(points[:2], ~lids / (distance * size), out=facing[:2])
    facing[2] = lean / size
    facing[2][lids] = -1
    facing[2][above] = 1
    return facing


def _enter_cube(start: tuple[float, float, float], rays: Rays, half: float) -> Floats32:
    near = np.full_like(rays[0], -np.inf)
    far = np.full_like(rays[0], np.inf)
    for origin, ray in zip(start, rays, strict=True):
        inverse = 1 / np.where(np.abs(ray) < 1e-9, np.float32(1e-9), ray)
        spread = np.abs(inverse) * np.float32(half)
        middle = inverse * np.float32(-origin)
        np.maximum(near, middle - spread, out=near)
        np.minimum(far, middle + spread, out=far)
    return np.asarray(np.where(near < far, near, _NOWHERE))


def _enter_sphere(start: tuple[float, float, float], rays: Rays, radius: float) -> Floats32:
    ox, oy, oz = (np.float32(value) for value in start)
    dx, dy, dz = rays
    a = dx * dx + dy * dy + dz * dz
    b = dx * ox + dy * oy + dz * oz
    inside = b * b - a * np.float32(sum(value * value for value in start) - radius * radius)
    root = np.sqrt(np.maximum(inside, 0))
    return np.asarray(np.where(inside > 0, (-b - root) / a, _NOWHERE))


def _enter_cylinder(start: tuple[float, float, float], rays: Rays, radius: float, half: float) -> Floats32:
    ox, oy, oz = (np.float32(value) for value in start)
    dx, dy, dz = rays
    a = np.maximum(dx * dx + dy * dy, np.float32(1e-12))
    b = dx * ox + dy * oy
    inside = b * b - a * np.float32(start[0] ** 2 + start[1] ** 2 - radius * radius)
    root = np.sqrt(np.maximum(inside, 0))
    inverse = 1 / np.where(np.abs(dz) < 1e-9, np.float32(1e-9), dz)
    middle, spread = inverse * -oz, np.abs(inverse) * np.float32(half)
    near = np.maximum((-b - root) / a, middle - spread)
    far = np.minimum((root - b) / a, middle + spread)
    return np.asarray(np.where((inside > 0) & (near < far), near, _NOWHERE))


def _enter_cone(start: tuple[float, float, float], rays: Rays, radius: float, half: float) -> Floats32:
    """x^2 + y^2 = k^2 (half - z)^2 with k = radius / (2 half), below the tip; and the lid at z = -half."""
    ox, oy, oz = (np.float32(value) for value in start)
    dx, dy, dz = rays
    kk = np.float32((radius / (2 * half)) ** 2)
    below = np.float32(half) - oz
    a = dx * dx + dy * dy - kk * dz * dz
    a = np.where(np.abs(a) < 1e-9, np.float32(1e-9), a)
    b = dx * ox + dy * oy + kk * below * dz
    c = np.float32(start[0] ** 2 + start[1] ** 2) - kk * below * below
    inside = b * b - a * c
    root = np.sqrt(np.maximum(inside, 0))
    first, second = (-b - root) / a, (root - b) / a
    best: Floats32 = np.full_like(rays[0], _NOWHERE)
    for hit in (first, second):
        z = oz + hit * dz
        valid = (inside > 0) & (hit > 0) & (z <= half) & (z >= -half) & (hit < best)
        np.copyto(best, hit, where=valid)
    lid = (np.float32(-half) - oz) / np.where(np.abs(dz) < 1e-9, np.float32(1e-9), dz)
    x, y = ox + lid * dx, oy + lid * dy
    np.copyto(best, lid, where=(lid > 0) & (x * x + y * y <= np.float32(radius * radius)) & (lid < best))
    return best


def _yaw(angle_rad: float) -> Floats:
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    return np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])


def _ring(height: float, corners: int = 16) -> Floats:
    """A polygon about the unit circle: its hull holds the circle."""
    turn = np.arange(corners) * (2 * math.pi / corners)
    wide = 1 / math.cos(math.pi / corners)
    return np.column_stack([np.cos(turn) * wide, np.sin(turn) * wide, np.full(corners, height)])


def _ball() -> Floats:
    """Points whose hull holds the unit sphere."""
    levels = (-75.0, -45.0, -15.0, 15.0, 45.0, 75.0)
    rings = [_ring(math.sin(math.radians(a))) * (*[math.cos(math.radians(a))] * 2, 1.0) for a in levels]
    return np.vstack(rings) * 1.04


_OUTLINES: dict[Kind, Floats] = {
    "cube": np.array([[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]),
    "sphere": _ball(),
    "cylinder": np.vstack([_ring(-1.0), _ring(1.0)]),
    "cone": np.vstack([_ring(-1.0), [[0.0, 0.0, 1.0]]]),
}
