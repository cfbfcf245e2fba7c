"""The profiles of machines and their limits, from profiles.yaml; single limits can be given otherwise for one run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Optional

import msgspec

from remote.errors import Trouble
from remote.ready_types import ready
from remote.strict_yaml import load, nearest_of
from remote.verdicts import ProfileName

NAMES: tuple[ProfileName, ...] = ("jetson", "x86")
CODE = "bad_limit"
CONFIDENCE = 0.95
PERCENTILE = 0.99

Above = Annotated[float, msgspec.Meta(gt=0)]
Percent = Annotated[float, msgspec.Meta(ge=0, lt=100)]
Pixels = Annotated[int, msgspec.Meta(ge=16, le=16_384)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a bundle must keep to on one kind of machine.

    `board`: the machine must be such a one, else nothing passes. The p99 limits bound the 99th percentile of the engine alone,
    of the whole way from a frame of `frame_width_px` x `frame_height_px` to boxes, and of that beside a busy program.
    `hottest_c` bounds the hottest sensor after the runs. `simulation_percent` and `hil_percent`: what the success rate must
    exceed. `max_boxes`, `min_box_share`, `max_box_share`: what every result must keep within (None: no such limit).
    """

    board: Literal["", "jetson"] = ""
    engine_p99_ms: Above
    pipeline_p99_ms: Above
    loaded_p99_ms: Above
    hottest_c: Above
    simulation_percent: Percent
    hil_percent: Percent
    frame_width_px: Pixels
    frame_height_px: Pixels
    warm_up_runs: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    max_boxes: Optional[Annotated[int, msgspec.Meta(ge=0)]] = None
    min_box_share: Optional[Share] = None
    max_box_share: Optional[Share] = None


LIMITS = tuple(name for name in Profile.__struct_fields__ if name != "board")
"""The names that a run may give otherwise."""


def profile_of(name: str, limits: Mapping[str, float] = {}) -> Profile:
    """The profile with these limits instead of its own.

    Raises Trouble (code `bad_limit`), naming the nearest known name, for an unknown profile or limit, or a number that is none.
    """
    known = load(Path(__file__).with_name("profiles.yaml"), dict[str, Profile], code="profiles_invalid")
    if name not in known:
        raise Trouble(f"there is no profile {name[:40]!r}", cure=f"use one of {', '.join(known)}", code=CODE)
    wrong = next((one for one in limits if one not in LIMITS), None)
    if wrong is not None:
        raise Trouble(f"there is no limit {wrong[:40]!r}", cure=nearest_of(wrong, LIMITS, "limits"), code=CODE)
    return _with(known[name], limits)


def _with(profile: Profile, limits: Mapping[str, float]) -> Profile:
    given = {name: _number(value) for name, value in limits.items()}
    if not all(math.isfinite(value) for value in given.values()):
        raise Trouble("a limit is no finite number", cure="give finite numbers", code=CODE)
    try:
        return msgspec.convert({**msgspec.to_builtins(profile), **given}, ready(Profile))
    except msgspec.ValidationError as error:
        raise _refused(str(error), limits) from error


def _refused(error: str, limits: Mapping[str, float]) -> Trouble:
    """The library's words (Expected `float` > 0.0 - at `$.engine_p99_ms`) as a person's."""
    what, _, place = error.partition(" - at ")
    name = next((one for one in limits if place == f"`$.{one}`"), "")
    wanted = what.replace("Expected ", "").replace("`float`", "a number").replace("`int`", "a whole number")
    said = f"{name}={limits[name]:g}" if name else "a limit"
    return Trouble(f"{said} is refused: it must be {wanted}", cure="Give another number", code=CODE)


def _number(value: float) -> float:
    """Whole numbers as such: counts and pixels are whole."""
    return int(value) if math.isfinite(value) and float(value).is_integer() else value
