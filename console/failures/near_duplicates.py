"""Pictures that look alike: a stuck scene that gave 400 pictures is one example, not 400.

Two pictures look alike where both hold: their difference hashes (8 x 8 comparisons of neighbouring brightness, as by Krawetz,
"Kind of Like That", 2013) differ in at most HASH_BITS places, and the mean difference of their 8 x 8 block means is at most
GREY_LEVELS. What fills less than about a block of the picture can differ unnoticed: they show the same scene, not the same
object.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

HASH_BITS = 6
GREY_LEVELS = 8.0
_SIDE = 8
_DEAD_ZONE = 3
"""Grey levels by which a block must be darker than its neighbour: noise in a flat picture is no structure."""


class Look(msgspec.Struct, frozen=True):
    """What of a picture is compared: 64 comparisons as bits, 64 block means in grey levels, row by row."""

    bits: int
    blocks: bytes


def look_at(path: Path) -> Look | None:
    """The look of a picture file; None where it can't be decoded."""
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as picture:
            picture.draft("L", (_SIDE * 8, _SIDE * 8))  # a JPEG is decoded at the smallest scale that is enough
            grey = picture.convert("L")
            wide = np.asarray(grey.resize((_SIDE + 1, _SIDE), Image.Resampling.BOX), np.int16)
            blocks = np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.BOX), np.uint8)
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError):
        return None
    darker = wide[:, 1:] - wide[:, :-1] < -_DEAD_ZONE
    return Look(int.from_bytes(np.packbits(darker).tobytes(), "big"), blocks.tobytes())


def alike(one: Look, other: Look) -> bool:
    """Whether two pictures show the same scene."""
    if (one.bits ^ other.bits).bit_count() > HASH_BITS:
        return False
    difference = sum(abs(a - b) for a, b in zip(one.blocks, other.blocks, strict=True))
    return difference <= GREY_LEVELS * len(one.blocks)
