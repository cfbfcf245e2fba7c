"""Draws a scene from the randomisation file: lamp, table, objects and their paint, camera, sensor."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from remote.training.light import Lamp
from remote.training.randomisation import Randomisation, Range
from remote.training.sensor import SensorSettings
from remote.training.solids import KINDS, Solid, lying, standing
from remote.training.surface import PATTERNS, WEAVES, Levels, Paint, Weave, colour_table, linear_bgr
from remote.training.viewpoint import Viewpoint, look_at

Floats32 = npt.NDArray[np.float32]
Spot = tuple[float, float]

TABLE_HALF_M = 0.7
FARTHEST_M = 1.15  # objects lie no farther from the lens: beyond it they would be a few pixels
_MOST_TRIES = 40  # to find a free spot for one object


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that stays when objects are laid anew.

    Attributes:
        lamp: the lights.
        weave: which texture the table has.
        table: colour table of it.
        floor: colour table of the floor under the table.
        edge_bgr: levels of the table's edge.
    """

    lamp: Lamp
    weave: Weave
    table: Levels
    floor: Levels
    edge_bgr: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Thing:
    """An object: its shape and its paint."""

    solid: Solid
    paint: Paint


def draw(rng: np.random.Generator, drawn: Range) -> float:
    """One value of a parameter."""
    return float(rng.uniform(drawn.low, drawn.high))


def draw_stage(rng: np.random.Generator, randomisation: Randomisation) -> Stage:
    """A lamp and a table."""
    surface = randomisation.surface
    hue, saturation = draw(rng, surface.table_hue_deg), draw(rng, surface.table_saturation_share)
    bright = draw(rng, surface.table_brightness_share)
    dark = bright * (1 - draw(rng, surface.table_contrast_share))
    top = linear_bgr(hue, saturation, bright)
    low = linear_bgr(hue + float(rng.uniform(-25, 25)), saturation, dark)
    weave = WEAVES[int(rng.integers(len(WEAVES)))]
    floor = linear_bgr(float(rng.uniform(0, 360)), float(rng.uniform(0, 0.3)), float(rng.uniform(0.12, 0.5)))
    edge = colour_table(low * np.float32(0.5), low * np.float32(0.5))[0, 0]
    lamp = _draw_lamp(rng, randomisation, (top + low) * np.float32(0.5))
    edge_bgr = (int(edge[0]), int(edge[1]), int(edge[2]))
    return Stage(lamp, weave, colour_table(low, top), colour_table(floor * np.float32(0.35), floor), edge_bgr)


def _draw_lamp(rng: np.random.Generator, randomisation: Randomisation, table: Floats32) -> Lamp:
    light = randomisation.light
    azimuth, elevation = math.radians(draw(rng, light.azimuth_deg)), math.radians(draw(rng, light.elevation_deg))
    distance, warmth = draw(rng, light.distance_m), draw(rng, light.warmth_share)
    level = math.cos(elevation) * distance
    position = np.array([level * math.cos(azimuth), level * math.sin(azimuth), math.sin(elevation) * distance])
    tint = np.array([1 - warmth, 1.0, 1 + warmth], np.float32)
    ambient = (np.float32(2) - tint) * np.float32(draw(rng, light.ambient_gain))  # shadows are cool under a warm lamp
    key = tint * np.float32(draw(rng, light.key_gain))
    bounce = (table * key * np.float32(math.sin(elevation)) + ambient * table) * np.float32(0.45)
    return Lamp(position, key, ambient, bounce, draw(rng, light.softness_share))


def draw_view(rng: np.random.Generator, randomisation: Randomisation, size: tuple[int, int]) -> Viewpoint:
    """A camera that looks somewhere near the table's middle."""
    camera = randomisation.camera
    return look_at(
        (float(rng.uniform(-0.25, 0.25)), float(rng.uniform(-0.25, 0.25))),
        azimuth_deg=draw(rng, camera.azimuth_deg),
        elevation_deg=draw(rng, camera.elevation_deg),
        height_m=draw(rng, camera.height_m),
        roll_deg=draw(rng, camera.roll_deg),
        view_angle_deg=draw(rng, camera.view_angle_deg),
        size=size,
    )


def draw_sensor(rng: np.random.Generator, randomisation: Randomisation) -> SensorSettings:
    """Settings of the camera's sensor and lens."""
    sensor = randomisation.sensor
    return SensorSettings(
        noise_levels=draw(rng, sensor.noise_levels),
        blur_px=draw(rng, sensor.blur_px),
        exposure_gain=draw(rng, sensor.exposure_gain),
        vignette_share=draw(rng, sensor.vignette_share),
    )


def spots_in_view(rng: np.random.Generator, view: Viewpoint) -> Callable[[], Spot | None]:
    """Draws table spots that the camera sees well; None where a draw missed the table."""

    def pick() -> Spot | None:
        pixel = np.array([[rng.uniform(0.04, 0.96) * view.width, rng.uniform(0.12, 0.97) * view.height]])
        x, y = view.on_table(pixel)[0]
        away = math.dist((x, y, 0.0), view.position_m)
        inside = max(abs(x), abs(y)) < TABLE_HALF_M - 0.06
        return (float(x), float(y)) if inside and away < FARTHEST_M else None

    return pick


def spots_in_disc(rng: np.random.Generator, radius_m: float) -> Callable[[], Spot | None]:
    """Draws table spots about the table's middle, evenly over the disc."""

    def pick() -> Spot | None:
        away, turn = radius_m * math.sqrt(rng.random()), rng.uniform(0, 2 * math.pi)
        return (away * math.cos(turn), away * math.sin(turn))

    return pick


def lay_things(
    rng: np.random.Generator, randomisation: Randomisation, pick: Callable[[], Spot | None], *, extra_gap_m: float = 0.0
) -> tuple[Thing, ...]:
    """Objects that neither touch nor hang over the table's edge; fewer than drawn where no spot is free."""
    objects = randomisation.objects
    count = round(draw(rng, objects.count))
    gap = draw(rng, objects.gap_m) + extra_gap_m
    things: list[Thing] = []
    for _ in range(count):
        for _ in range(_MOST_TRIES):
            spot = pick()
            if spot is None:
                continue
            solid = _draw_solid(rng, randomisation, spot)
            if all(_apart(solid, other.solid) > gap for other in things):
                things.append(Thing(solid, _draw_paint(rng, randomisation, solid)))
                break
    return tuple(things)


def _apart(one: Solid, other: Solid) -> float:
    away = math.hypot(*(one.middle_m[:2] - other.middle_m[:2]))
    return away - _foot_m(one) - _foot_m(other)


def _foot_m(solid: Solid) -> float:
    """Radius of a circle on the table about the solid."""
    upright = abs(solid.turn[2, 2]) > 0.99
    return solid.radius_m * (math.sqrt(2) if solid.kind == "cube" else 1.0) if upright else solid.reach_m


def _draw_solid(rng: np.random.Generator, randomisation: Randomisation, spot: Spot) -> Solid:
    objects = randomisation.objects
    kind = KINDS[int(rng.integers(len(KINDS)))]
    radius = draw(rng, objects.width_m) / 2
    half = radius * draw(rng, objects.slenderness_gain)
    put = lying if rng.random() < draw(rng, objects.lying_share) else standing
    yaw = math.radians(draw(rng, objects.yaw_deg))
    return put(kind, spot, radius_m=radius, half_height_m=half, yaw_rad=yaw)


def _draw_paint(rng: np.random.Generator, randomisation: Randomisation, solid: Solid) -> Paint:
    surface = randomisation.surface
    hue, saturation = draw(rng, surface.object_hue_deg), draw(rng, surface.object_saturation_share)
    bright = draw(rng, surface.object_brightness_share)
    other = linear_bgr(hue + float(rng.uniform(-60, 60)), saturation * 0.6, float(rng.uniform(0.1, 1.0)))
    pattern = PATTERNS[int(rng.integers(len(PATTERNS)))]
    return Paint(
        ground=linear_bgr(hue, saturation, bright),
        figure=other,
        pattern=pattern,
        strength=draw(rng, surface.object_pattern_share),
        gloss=draw(rng, surface.object_gloss_share),
        pitch_m=solid.radius_m * float(rng.uniform(0.35, 0.9)),
    )
