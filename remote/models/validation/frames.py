"""The pictures that a bundle is run on here: recorded ones, its own golden inputs made pictures again, and hostile ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Optional

import cv2
import numpy as np
from numpy.typing import NDArray

from remote.errors import Trouble
from remote.models.contract import InputContract
from remote.models.golden import Golden
from remote.perception.arrays import Pixels
from remote.perception.faults import BadFrame
from remote.perception.picture_files import list_pictures, read_picture

MOST_RECORDED = 64
_SEED = 20260331


class Named(NamedTuple):
    """A picture (uint8, [height, width, 3], BGR) and what it is."""

    name: str
    pixels: Pixels


def recorded(folder: Path) -> tuple[Named, ...]:
    """The first MOST_RECORDED pictures of a folder. Raises Trouble for one that can't be read."""
    return tuple(Named(path.name, read(path)) for path in list_pictures(folder)[:MOST_RECORDED])


def of_golden(golden: Optional[Golden], contract: InputContract, width: int, height: int) -> tuple[Named, ...]:
    """The golden inputs as frames of that size: what the contract does to a frame, undone. Empty where there are none."""
    given = golden.inputs.get(contract.name) if golden else None
    if given is None or given.ndim != 4:
        return ()
    made = (_undone(one, contract) for one in given)
    return tuple(
        Named(f"golden {number}", np.asarray(cv2.resize(one, (width, height)), np.uint8))
        for number, one in enumerate(made)
    )


def hostile(width: int, height: int) -> Iterator[Named]:
    """Pictures as a broken camera, a covered lens or a lamp gives them: the same ones each time."""
    chance = np.random.default_rng(_SEED)
    shape = (height, width, 3)
    for level in (0, 114, 255):
        yield Named({0: "black", 114: "grey", 255: "white"}[level], np.full(shape, level, np.uint8))
    for number in range(4):
        yield Named(f"noise {number}", chance.integers(0, 256, shape, np.uint8))
    salt = np.where(chance.random(shape[:2])[..., None] < 0.05, 255, 0)
    yield Named("sparse white points", np.broadcast_to(salt, shape).astype(np.uint8))
    rows, columns = np.indices(shape[:2])
    board = ((rows // 8 + columns // 8) % 2 * 255)[..., None]
    yield Named("checkerboard", np.broadcast_to(board, shape).astype(np.uint8))
    stripes = (columns // 4 % 2 * 255)[..., None]
    yield Named("stripes", np.broadcast_to(stripes, shape).astype(np.uint8))
    ramp = np.broadcast_to((columns * 255 // max(1, width - 1))[..., None], shape)
    yield Named("ramp", ramp.astype(np.uint8))
    for channel, colour in enumerate(("blue", "green", "red")):
        only = np.zeros(shape, np.uint8)
        only[..., channel] = 255
        yield Named(colour, only)


def read(path: Path) -> Pixels:
    """The picture in that file. Raises Trouble (code `bad_frame`), naming it, for anything but a whole picture."""
    try:
        return read_picture(path)
    except BadFrame as fault:
        raise Trouble(f"picture {path}: {fault}", cure="replace that picture", code="bad_frame") from fault


def _undone(tensor: NDArray[Any], contract: InputContract) -> Pixels:
    picture = tensor.astype(np.float32)
    if contract.layout == "nchw":
        picture = picture.transpose(1, 2, 0)
    picture = (picture * np.asarray(contract.std, np.float32) + np.asarray(contract.mean, np.float32)) / contract.scale
    if contract.colour == "rgb":
        picture = picture[..., ::-1]
    with np.errstate(invalid="ignore"):
        return np.ascontiguousarray(np.clip(np.nan_to_num(picture), 0, 255).round().astype(np.uint8))
