"""What table, floor and objects are made of: grey textures computed once, coloured for each scene by a table of 256.

Colours are linear light in BGR, 1.0 = white paper; `to_levels` turns them into a picture's levels with a gamma of 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.uint8]
Floats32 = npt.NDArray[np.float32]
Weave = Literal["wood", "speckle", "cloth", "mat", "marble", "gingham"]
WEAVES: tuple[Weave, ...] = ("wood", "speckle", "cloth", "mat", "marble", "gingham")
Pattern = Literal["plain", "bands", "checks", "grain"]
PATTERNS: tuple[Pattern, ...] = ("plain", "plain", "bands", "checks", "grain")
TEXTURE_PX = 1024
TEXTURE_PX_PER_M = 600.0
_SEED = 20240  # the textures are the same in every process


@dataclass(frozen=True, slots=True)
class Paint:
    """An object's surface.

    Attributes:
        ground, figure: linear BGR [3] of the surface and of what is printed on it.
        pattern: how the two are mixed.
        strength: share of `figure` where the pattern is fully on.
        gloss: share of light that the surface mirrors.
        pitch_m: size of the pattern.
    """

    ground: Floats32
    figure: Floats32
    pattern: Pattern
    strength: float
    gloss: float
    pitch_m: float


def linear_bgr(hue_deg: float, saturation: float, brightness: float) -> Floats32:
    """HSV as a person picks it -> linear BGR [3]."""
    chroma = brightness * saturation
    sector = (hue_deg % 360.0) / 60.0
    middle = chroma * (1 - abs(sector % 2 - 1))
    low = brightness - chroma
    red, green, blue = [(chroma, middle, 0), (middle, chroma, 0), (0, chroma, middle),
                        (0, middle, chroma), (middle, 0, chroma), (chroma, 0, middle)][int(sector) % 6]  # fmt: skip
    return np.square(np.array([blue + low, green + low, red + low], dtype=np.float32))


def to_levels(linear: Floats32) -> Levels:
    """Linear light -> levels 0..255, clipped."""
    return np.asarray((np.sqrt(np.clip(linear, 0.0, 1.0)) * np.float32(255)).astype(np.uint8))


def colour_table(dark: Floats32, bright: Floats32) -> Levels:
    """[256, 1, 3] table for `cv2.applyColorMap`: texture level 0 becomes `dark`, 255 `bright`."""
    mix = np.linspace(0, 1, 256, dtype=np.float32)[:, None]
    return to_levels(dark + (bright - dark) * mix)[:, None, :]


def print_share(paint: Paint, points: Floats32) -> Floats32 | None:
    """How much of `paint.figure` shows at surface points [3, n] (metres, own frame); None: nothing is printed."""
    if paint.pattern == "plain" or paint.strength <= 0:
        return None
    strength, step = np.float32(paint.strength), np.float32(1 / paint.pitch_m)
    if paint.pattern == "bands":
        bands = (points[2] * (2 * step) + np.float32(1000)).astype(np.int32)
        return np.asarray((bands & 1) * strength)
    if paint.pattern == "checks":
        cells = np.floor(points * step).astype(np.int32).sum(axis=0)
        return np.asarray((cells & 1) * strength)
    scale = np.float32(TEXTURE_PX_PER_M * 2)
    row = (points[2] * scale + np.float32(300)).astype(np.int32) & (TEXTURE_PX - 1)
    column = ((points[0] + points[1]) * scale + np.float32(400)).astype(np.int32) & (TEXTURE_PX - 1)
    return np.asarray(weave("wood")[column, row] * (strength / np.float32(255)))


@cache
def weave(name: Weave) -> Levels:
    """The grey texture of a kind of table, [TEXTURE_PX, TEXTURE_PX], levels 0..255."""
    rng = np.random.default_rng([_SEED, WEAVES.index(name)])
    makers = {"wood": _wood, "speckle": _speckle, "cloth": _cloth, "mat": _mat, "marble": _marble, "gingham": _gingham}
    grey = makers[name](rng)
    low, high = np.percentile(grey, [1, 99])
    return np.asarray(np.clip((grey - low) / (high - low) * 255, 0, 255).astype(np.uint8))


def _noise(rng: np.random.Generator, cells_x: int, cells_y: int) -> Floats32:
    """Smooth noise in [0, 1] with that many random cells across the texture."""
    coarse = rng.random((cells_y, cells_x), dtype=np.float32)
    return np.asarray(cv2.resize(coarse, (TEXTURE_PX, TEXTURE_PX), interpolation=cv2.INTER_CUBIC), dtype=np.float32)


def _cloud(rng: np.random.Generator, cells: int, octaves: int) -> Floats32:
    total = np.zeros((TEXTURE_PX, TEXTURE_PX), np.float32)
    for octave in range(octaves):
        total += _noise(rng, cells << octave, cells << octave) / np.float32(1 << octave)
    return total


def _ramp() -> tuple[Floats32, Floats32]:
    line = np.arange(TEXTURE_PX, dtype=np.float32)
    return line[None, :], line[:, None]


def _wood(rng: np.random.Generator) -> Floats32:
    """Boards along x, each with its own grain, brightness and a dark joint."""
    grain = np.empty((TEXTURE_PX, TEXTURE_PX), np.float32)
    board = TEXTURE_PX // 8
    _, y = _ramp()
    for index in range(8):
        rows = slice(index * board, (index + 1) * board)
        rings = _noise(rng, 5, 40)[rows] * 9 + y[rows] / 40
        fibres = _noise(rng, 16, 512)[rows]
        grain[rows] = np.sin(rings * 2.2) * 0.22 + fibres * 0.35 + rng.uniform(-0.22, 0.22)
        grain[index * board : index * board + 2] -= 0.7
    return grain


def _speckle(rng: np.random.Generator) -> Floats32:
    fine = rng.random((TEXTURE_PX, TEXTURE_PX), dtype=np.float32)
    spots = np.asarray(cv2.GaussianBlur(fine, (0, 0), 1.2), dtype=np.float32)
    return np.asarray(spots * 4 + _cloud(rng, 6, 3) * np.float32(0.25))


def _cloth(rng: np.random.Generator) -> Floats32:
    x, y = _ramp()
    thread = np.float32(2 * math.pi / 9)
    weft = np.sin(x * thread) * np.sin(y * thread)
    return np.asarray(weft * 0.5 + _cloud(rng, 8, 5) * 0.5 + _noise(rng, 400, 60) * 0.3, dtype=np.float32)


def _mat(rng: np.random.Generator) -> Floats32:
    """A cutting mat: thin bright lines every 5 cm, bolder ones every 25 cm."""
    grey = _cloud(rng, 5, 4) * np.float32(0.12)
    step = int(TEXTURE_PX_PER_M * 0.05)
    for index in range(TEXTURE_PX // step + 1):
        wide, bright = (3, 0.9) if index % 5 == 0 else (1, 0.55)
        grey[index * step : index * step + wide, :] += bright
        grey[:, index * step : index * step + wide] += bright
    return np.asarray(np.minimum(grey, np.float32(1.1)))


def _marble(rng: np.random.Generator) -> Floats32:
    veins = np.abs(_cloud(rng, 4, 6) - np.float32(0.98))
    return np.asarray(np.minimum(veins * 5, 1.0) + _cloud(rng, 6, 4) * 0.2, dtype=np.float32)


def _gingham(rng: np.random.Generator) -> Floats32:
    x, y = _ramp()
    step = TEXTURE_PX_PER_M * 0.06
    bars = (x % step < step / 2) * 0.5 + (y % step < step / 2) * 0.5
    return np.asarray(bars + _cloud(rng, 128, 3) * 0.12, dtype=np.float32)
