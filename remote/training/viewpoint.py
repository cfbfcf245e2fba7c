"""A pinhole camera over the table: where world points fall in the picture, and which rays its pixels look along.

World: metres, the table's top is the plane z = 0, z points up. Picture: pixels, u to the right, v down; pixel (0, 0)
covers u and v in [0, 1), its centre is (0.5, 0.5).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Viewpoint:
    """Pose and lens of the camera.

    Attributes:
        position_m: the lens, world coordinates.
        axes: [3, 3], rows are the camera's right, down and forward as world vectors.
        focal_px: focal length.
        width, height: of the picture in pixels; the optical axis meets its middle.
    """

    position_m: Floats
    axes: Floats
    focal_px: float
    width: int
    height: int

    def project(self, points_m: Floats) -> Floats:
        """World points [n, 3] -> picture [n, 2] in pixels. Points must lie before the camera."""
        seen = (points_m - self.position_m) @ self.axes.T
        spot = seen[:, :2] * (self.focal_px / np.maximum(seen[:, 2:], 1e-6))
        return np.asarray(spot + (self.width / 2, self.height / 2))

    @cached_property
    def rays(self) -> Floats:
        """[3, 3] matrix M: the pixel at (u, v) looks along M @ (u, v, 1), whose forward component is 1."""
        right, down, forward = self.axes
        middle = forward - (right * self.width + down * self.height) / (2 * self.focal_px)
        return np.stack([right / self.focal_px, down / self.focal_px, middle], axis=1)

    def homography(self, plane_z_m: float = 0.0) -> Floats:
        """[3, 3] matrix that takes (x, y, 1) on the plane z = `plane_z_m` to homogeneous pixels."""
        lens = np.array(
            [[self.focal_px, 0, self.width / 2], [0, self.focal_px, self.height / 2], [0, 0, 1.0]], dtype=np.float64
        )
        origin = np.array([0.0, 0.0, plane_z_m]) - self.position_m
        return np.asarray(lens @ self.axes @ np.column_stack([[1.0, 0, 0], [0, 1.0, 0], origin]))

    def on_table(self, pixels: Floats) -> Floats:
        """Picture points [n, 2] -> where their rays meet the table's plane, [n, 2] in metres."""
        rays = np.column_stack([pixels, np.ones(len(pixels))]) @ self.rays.T
        reach = -self.position_m[2] / np.minimum(rays[:, 2:], -1e-6)
        return np.asarray(self.position_m[:2] + rays[:, :2] * reach)


def look_at(
    target_m: tuple[float, float],
    *,
    azimuth_deg: float,
    elevation_deg: float,
    height_m: float,
    roll_deg: float,
    view_angle_deg: float,
    size: tuple[int, int],
) -> Viewpoint:
    """The camera at `height_m` over the table that has table point `target_m` in the middle of its picture.

    Args:
        target_m: (x, y) on the table.
        azimuth_deg: direction from the target to the camera, 0 along x, anticlockwise seen from above.
        elevation_deg: angle between line of sight and table, (0, 90).
        height_m: of the lens over the table.
        roll_deg: turn about the line of sight.
        view_angle_deg: horizontal field of view.
        size: (width, height) of the picture in pixels.
    """
    azimuth, elevation, roll = (math.radians(angle) for angle in (azimuth_deg, elevation_deg, roll_deg))
    away = height_m / math.tan(elevation)
    position = np.array([target_m[0] + away * math.cos(azimuth), target_m[1] + away * math.sin(azimuth), height_m])
    forward = np.array([target_m[0], target_m[1], 0.0]) - position
    forward /= np.linalg.norm(forward)
    level = np.array([-math.sin(azimuth), math.cos(azimuth), 0.0])
    right = level * math.cos(roll) + np.cross(forward, level) * math.sin(roll)
    focal_px = size[0] / (2 * math.tan(math.radians(view_angle_deg) / 2))
    return Viewpoint(position, np.stack([right, np.cross(forward, right), forward]), focal_px, *size)
