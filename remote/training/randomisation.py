"""The randomisation file: what may differ between two rendered scenes, and within which limits.

Unknown keys, missing keys, swapped limits, NaN and values that no table or camera can have are refused with the place in
the file. A parameter's unit is the end of its name (`_m`, `_deg`, `_px`, `_share`, `_gain`, `_levels` of 255).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from remote import strict_yaml

Tier = Literal["critical", "important", "optional"]
MAX_FILE_BYTES = 65_536
DEFAULT_FILE = Path(__file__).with_name("tabletop.yaml")
_CURE = "Correct that line; remote/training/tabletop.yaml shows every parameter with its unit"


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A parameter is drawn uniformly from [low, high]; `tier` says how much a real robot depends on its variation."""

    low: float
    high: float
    tier: Tier

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high)):
            raise ValueError("low and high must be finite numbers")
        if self.low > self.high:
            raise ValueError(f"low {self.low:g} is above high {self.high:g}")


class Light(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The key light, and the light that comes from everywhere."""

    azimuth_deg: Range
    elevation_deg: Range
    distance_m: Range
    key_gain: Range
    ambient_gain: Range
    warmth_share: Range
    softness_share: Range


class Surface(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Colour and texture of the table and of the objects."""

    table_hue_deg: Range
    table_saturation_share: Range
    table_brightness_share: Range
    table_contrast_share: Range
    table_grain_gain: Range
    object_hue_deg: Range
    object_saturation_share: Range
    object_brightness_share: Range
    object_pattern_share: Range
    object_gloss_share: Range


class Camera(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Pose and lens of the camera; `elevation_deg` is the angle between the line of sight and the table."""

    azimuth_deg: Range
    elevation_deg: Range
    height_m: Range
    roll_deg: Range
    view_angle_deg: Range


class Objects(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many objects, how large, and how they lie."""

    count: Range
    width_m: Range
    slenderness_gain: Range
    yaw_deg: Range
    lying_share: Range
    gap_m: Range


class Sensor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the camera adds to the picture."""

    noise_levels: Range
    blur_px: Range
    exposure_gain: Range
    vignette_share: Range


class Randomisation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The whole file. `parameters()` lists every range with its path, e.g. `light.elevation_deg`."""

    format: Literal[1]
    name: str
    light: Light
    surface: Surface
    camera: Camera
    objects: Objects
    sensor: Sensor

    def parameters(self) -> Iterator[tuple[str, Range]]:
        """Every parameter of the file as (path, range), in the file's order."""
        for group_name in ("light", "surface", "camera", "objects", "sensor"):
            group = getattr(self, group_name)
            for field in group.__struct_fields__:
                yield f"{group_name}.{field}", getattr(group, field)

    def __post_init__(self) -> None:
        for path, drawn in self.parameters():
            least, most = LIMITS.get(path) or _limits_of_unit(path)
            if drawn.low < least or drawn.high > most:
                raise ValueError(f"{path} must lie within [{least:g}, {most:g}], not [{drawn.low:g}, {drawn.high:g}]")


# What a table-top and its camera can have. Beyond them the picture would be empty, black or upside down.
LIMITS: dict[str, tuple[float, float]] = {
    "light.elevation_deg": (10.0, 90.0),
    "light.distance_m": (0.5, 20.0),
    "light.warmth_share": (-0.6, 0.6),
    "camera.elevation_deg": (30.0, 80.0),  # below 30 the horizon would come into the picture
    "camera.height_m": (0.2, 2.0),
    "camera.roll_deg": (-10.0, 10.0),
    "camera.view_angle_deg": (20.0, 62.0),
    "objects.count": (1.0, 20.0),
    "objects.width_m": (0.01, 0.3),
    "objects.slenderness_gain": (0.3, 3.0),
    "objects.gap_m": (0.0, 0.5),
    "sensor.noise_levels": (0.0, 40.0),
    "sensor.blur_px": (0.0, 5.0),
}
_UNIT_LIMITS = {"deg": (-360.0, 360.0), "share": (0.0, 1.0), "gain": (0.05, 5.0)}


def _limits_of_unit(path: str) -> tuple[float, float]:
    return _UNIT_LIMITS[path.rsplit("_", 1)[1]]


def parse_randomisation(text: str, *, where: str) -> Randomisation:
    """Read a randomisation file's text.

    Args:
        text: YAML.
        where: named in errors, usually the file's path.

    Raises:
        Trouble: code `randomisation_invalid`; the text names line, parameter and what is wrong with it.
    """
    name = f"randomisation file {where}"
    return strict_yaml.parse(text, Randomisation, where=name, code="randomisation_invalid", cure=_CURE)


def load_randomisation(path: Path = DEFAULT_FILE) -> Randomisation:
    """Read a randomisation file; without a path, the one that the embedded detector was trained with.

    Raises:
        Trouble: code `randomisation_unreadable` (missing, not a file, too large, not UTF-8) or `randomisation_invalid`.
    """
    text = strict_yaml.read_text(
        path, code="randomisation_unreadable", what="randomisation file", limit_bytes=MAX_FILE_BYTES
    )
    return parse_randomisation(text, where=str(path))
