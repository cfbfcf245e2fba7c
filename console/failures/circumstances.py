"""Under which circumstances the robot was at a moment: the groups that failures and running time are both sorted into."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache

Group = tuple[str, str]
"""(what is grouped by, which one): ("light", "light < 40"), ("condition place", "place dock")."""
HourOf = Callable[[int], int]
"""The hour of the day of a wall time in nanoseconds."""
LIGHT_EDGES = (40, 80, 120, 160, 200)
"""Grey levels, 0 to 255, at which a new band begins."""
TEMP_EDGES = (40, 50, 60, 70, 80, 90)
"""Degrees Celsius at which a new band begins."""
UNKNOWN = "not known"
QUARTER_NS = 900 * 1_000_000_000
"""No zone's hour begins elsewhere than at a quarter."""


def local_hour(wall_ns: int) -> int:
    """By the laptop's clock."""
    return _local_of_quarter(wall_ns // QUARTER_NS)


def utc_hour(wall_ns: int) -> int:
    """By UTC."""
    return wall_ns // 3_600_000_000_000 % 24


@lru_cache(maxsize=4096)
def _local_of_quarter(quarter: int) -> int:
    try:
        return time.localtime(quarter * 900).tm_hour
    except (OverflowError, ValueError, OSError):
        return quarter // 4 % 24  # a robot's clock may say anything


def hour_name(hour: int) -> str:
    """`hour 09`: from nine to ten."""
    return f"hour {hour:02d}"


@lru_cache(maxsize=4096)
def light_name(light: float | None) -> str:
    """The band of a mean grey level."""
    return _band("light", light, LIGHT_EDGES, "")


@lru_cache(maxsize=4096)
def temp_name(temp_c: float | None) -> str:
    """The band of a temperature."""
    return _band("temperature", temp_c, TEMP_EDGES, " °C")


def _band(what: str, value: float | None, edges: tuple[int, ...], unit: str) -> str:
    if value is None or value != value:
        return f"{what} {UNKNOWN}"
    above = [edge for edge in edges if value >= edge]
    below = [edge for edge in edges if value < edge]
    if not above:
        return f"{what} < {below[0]}{unit}"
    return f"{what} {above[-1]} to {below[0]}{unit}" if below else f"{what} >= {above[-1]}{unit}"


def groups_of(
    *, robot: str, bundle: str, hour: int | None, light: str, temp: str, conditions: Mapping[str, str]
) -> list[Group]:
    """Every group that a moment belongs to, one for each thing that is grouped by. `light` and `temp` are names of bands."""
    found = [
        ("hour", hour_name(hour) if hour is not None else f"hour {UNKNOWN}"),
        ("light", light),
        ("temperature", temp),
        ("bundle", f"bundle {bundle[:8] or UNKNOWN}"),
        ("robot", f"robot {robot or UNKNOWN}"),
    ]
    # Told in words, `light dim` is another thing than a measured grey level.
    return found + [(f"condition {name}", f"{name} {word}") for name, word in conditions.items()]
