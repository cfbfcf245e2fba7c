"""Golden inputs of a detector: real pictures where somebody gives them, else made ones, and it is said which."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from remote.errors import Trouble
from remote.models.contract import InputContract
from remote.models.golden import Arrays
from remote.perception.arrays import Pixels
from remote.perception.faults import BadFrame
from remote.perception.picture_files import list_pictures, read_picture
from remote.perception.preprocess import Preprocessor, input_shape

GREY_LEVELS = (0, 114, 255)
SEED = 20_240_501
USUAL = 5
MOST_BYTES = 64 * 1024**2
_COARSE = 12


@dataclass(frozen=True)
class Samples:
    """Inputs by tensor name, the first axis numbering the samples, and in words where they come from."""

    inputs: Arrays
    words: str


def of_pictures(contract: InputContract, folder: Path, count: int = USUAL) -> Samples:
    """At most `count` pictures of a folder (of large inputs fewer), evenly spread over it, as the contract makes them inputs.

    Raises Trouble `bad_source` for a folder without pictures or a picture that can't be decoded.
    """
    every = list_pictures(folder)
    count = min(count, len(every), _most(contract))
    chosen = [every[index * len(every) // count] for index in range(count)]
    try:
        frames = [read_picture(path) for path in chosen]
    except BadFrame as error:
        raise Trouble(f"{folder}: {error}", cure="Replace or remove that picture", code="bad_source") from error
    return Samples(_inputs(contract, frames), f"{len(frames)} of {len(every)} pictures of {folder.name}")


def made(contract: InputContract, count: int = USUAL) -> Samples:
    """Grey levels and seeded coloured patches: no real picture, but each run makes the same ones.

    Of large inputs there are fewer; the last one is never plain.
    """
    count = min(max(count, len(GREY_LEVELS) + 1), _most(contract))
    levels = GREY_LEVELS[: count - 1]
    random = np.random.default_rng(SEED)
    size = (contract.height, contract.width, 3)
    frames: list[Pixels] = [np.full(size, level, np.uint8) for level in levels]
    frames += [_patches(random, size) for _ in range(count - len(levels))]
    greys = ", ".join(map(str, levels))
    words = f"no real pictures: grey {greys} and {count - len(levels)} made at random"
    return Samples(_inputs(contract, frames), words)


def _most(contract: InputContract) -> int:
    """So many inputs are kept in a bundle at most."""
    each = int(np.prod(input_shape(contract))) * np.dtype(contract.dtype).itemsize
    return max(2, MOST_BYTES // each)


def _patches(random: np.random.Generator, size: tuple[int, int, int]) -> Pixels:
    coarse = random.integers(0, 256, (-(-size[0] // _COARSE), -(-size[1] // _COARSE), 3), dtype=np.uint8)
    fine = coarse.repeat(_COARSE, 0).repeat(_COARSE, 1)[: size[0], : size[1]].astype(np.int16)
    noisy: Pixels = np.clip(fine + random.integers(-20, 21, size, dtype=np.int16), 0, 255).astype(np.uint8)
    return noisy


def _inputs(contract: InputContract, frames: list[Pixels]) -> Arrays:
    inputs = np.zeros((len(frames), *input_shape(contract)[1:]), contract.dtype)
    for index, frame in enumerate(frames):
        Preprocessor(contract, frame.shape[1], frame.shape[0], inputs[index : index + 1])(frame)
    return {contract.name: inputs}
