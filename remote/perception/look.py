"""What liveness judges of a frame, from every eighth pixel: cheap, and a sensor's noise shows there as well."""

from __future__ import annotations

import zlib

from remote.perception.arrays import Pixels
from remote.perception.liveness import Look

_STEP = 8


def look_at(image: Pixels) -> Look:
    """Mean and spread of the grey levels (mean of the three channels), and a mark that equal frames share."""
    part = image[::_STEP, ::_STEP]
    return Look(float(part.mean()), float(part.std()), zlib.crc32(part.tobytes()))
