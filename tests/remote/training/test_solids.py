"""Shapes are found by formula; here they are held against what a person knows of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.training.solids import KINDS, Kind, Solid, depth, lying, normals, rays_in_frame, standing
from remote.training.viewpoint import look_at

ANGLES = st.floats(min_value=0, max_value=6.28)
SIZES = st.floats(min_value=0.02, max_value=0.06)
PUTS = {"standing": standing, "lying": lying}


def seen(solid: Solid, azimuth_deg: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(hit points [3, n] in the solid's frame, their rays [3, n], hit mask) of a camera that looks at it."""
    view = look_at((0, 0), azimuth_deg=azimuth_deg, elevation_deg=40, height_m=0.5, roll_deg=0, view_angle_deg=50,
                   size=(160, 120))  # fmt: skip
    origin, rays = rays_in_frame(solid, view, 0, 0, 160, 120)
    reach = depth(solid, origin, rays)
    hit = np.isfinite(reach)
    stacked = np.stack(rays)[:, hit]
    return origin[:, None] + stacked * reach[hit], stacked, hit


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(KINDS), st.sampled_from(sorted(PUTS)), SIZES, SIZES, ANGLES)
def test_a_solid_rests_on_the_table_within_its_outline(
    kind: Kind, put: str, radius: float, half: float, yaw: float
) -> None:
    """Sunk or floating objects would give away that the shadow does not belong to them."""
    solid = PUTS[put](kind, (0.0, 0.0), radius_m=radius, half_height_m=half, yaw_rad=yaw)
    points, rays, hit = seen(solid, 30.0)
    assert hit.sum() > 20
    world = solid.turn @ points + solid.middle_m[:, None]
    assert world[2].min() > -1e-4
    lowest = solid.outline[:, 2].min()
    assert -0.15 * radius < lowest < 1e-6
    facing = normals(solid, points.astype(np.float32))
    assert np.allclose(np.linalg.norm(facing, axis=0), 1, atol=1e-3)
    assert np.mean((facing * rays).sum(axis=0) < 1e-3) > 0.99, "a visible surface faces the camera"


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(KINDS), SIZES, SIZES, ANGLES)
def test_hits_lie_on_the_surface(kind: Kind, radius: float, half: float, yaw: float) -> None:
    solid = standing(kind, (0.0, 0.0), radius_m=radius, half_height_m=half, yaw_rad=yaw)
    points, _rays, _hit = seen(solid, 75.0)
    x, y, z = points
    across = np.hypot(x, y)
    tall = solid.half_height_m
    off = {
        "sphere": np.abs(np.sqrt(across**2 + z**2) - radius),
        "cube": np.abs(np.abs(points).max(axis=0) - radius),
        "cylinder": np.minimum(np.abs(across - radius), np.abs(np.abs(z) - tall)),
        "cone": np.minimum(np.abs(across - radius * (tall - z) / (2 * tall)), np.abs(z + tall)),
    }[kind]
    assert off.max() < 2e-4


@pytest.mark.parametrize("kind", KINDS)
def test_the_outline_holds_every_pixel(kind: Kind) -> None:
    """The rectangle that is searched comes from the outline: a pixel outside it would be cut off."""
    for put in PUTS.values():
        solid = put(kind, (0.02, -0.03), radius_m=0.05, half_height_m=0.06, yaw_rad=0.7)
        view = look_at((0, 0), azimuth_deg=10, elevation_deg=35, height_m=0.4, roll_deg=5, view_angle_deg=50,
                       size=(320, 240))  # fmt: skip
        origin, rays = rays_in_frame(solid, view, 0, 0, 320, 240)
        rows, columns = np.nonzero(np.isfinite(depth(solid, origin, rays)))
        spots = view.project(solid.outline)
        assert spots[:, 0].min() <= columns.min() + 0.5
        assert columns.max() + 0.5 <= spots[:, 0].max()
        assert spots[:, 1].min() <= rows.min() + 0.5
        assert rows.max() + 0.5 <= spots[:, 1].max()


@given(st.floats(0, 360), st.floats(30, 80), st.floats(0.2, 2), st.floats(-10, 10), st.floats(20, 62))
def test_a_pixel_projected_onto_the_table_comes_back(azimuth: float, elevation: float, height: float, roll: float,
                                                      angle: float) -> None:  # fmt: skip
    view = look_at((0.1, -0.2), azimuth_deg=azimuth, elevation_deg=elevation, height_m=height, roll_deg=roll,
                   view_angle_deg=angle, size=(640, 480))  # fmt: skip
    pixels = np.array([[0.0, 0], [640, 0], [0, 480], [640, 480], [320, 240]])
    spots = view.on_table(pixels)
    assert np.allclose(spots[4], [0.1, -0.2], atol=1e-6)
    assert np.allclose(view.project(np.column_stack([spots, np.zeros(5)])), pixels, atol=1e-3)
    mapped = np.column_stack([spots, np.ones(5)]) @ view.homography().T
    assert np.allclose(mapped[:, :2] / mapped[:, 2:], pixels, atol=1e-3)
