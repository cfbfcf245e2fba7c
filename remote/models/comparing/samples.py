"""Inputs as a network takes them: from pictures by the contract, from a bundle's golden samples, or drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remote.errors import Trouble
from remote.models.bundle import AnyBundle, Bundle
from remote.models.contract import Contract, PolicyContract
from remote.models.golden import read_golden

DRAWN = 8
Feed = dict[str, NDArray[Any]]


def from_picture(contract: Contract, path: Path) -> Feed:
    """One picture, preprocessed as on the robot. Raises Trouble naming a picture that can't be read."""
    from remote.perception.faults import BadFrame
    from remote.perception.picture_files import read_picture

    try:
        return from_frame(contract, read_picture(path))
    except BadFrame as fault:
        raise Trouble(f"picture {path}: {fault}", cure="Replace that picture", code=fault.name) from fault


def from_frame(contract: Contract, frame: NDArray[np.uint8]) -> Feed:
    """A frame (uint8, [height, width, 3], BGR), preprocessed as on the robot."""
    from remote.perception.preprocess import Preprocessor, input_shape

    target = np.zeros(input_shape(contract.input), contract.input.dtype)
    Preprocessor(contract.input, frame.shape[1], frame.shape[0], target)(frame)
    return {contract.input.name: target}


def stored_or_drawn(bundle: AnyBundle) -> tuple[list[Feed], str]:
    """Inputs where no pictures are given, and what they are: the bundle's golden samples, else seeded ones."""
    golden = read_golden(bundle.path)
    if golden is not None:
        feeds = [{name: array[at][None] for name, array in golden.inputs.items()} for at in range(golden.samples)]
        return feeds, "golden samples"
    return drawn(bundle), "drawn inputs"


def drawn(bundle: AnyBundle, count: int = DRAWN, seed: int = 0) -> list[Feed]:
    """Seeded inputs that fit the contract: smooth coloured pictures, or normalised observations."""
    random = np.random.default_rng(seed)
    if isinstance(bundle, Bundle):
        return [from_frame(bundle.contract, _smooth(bundle.contract, random)) for _ in range(count)]
    return [_observations(bundle.contract, random) for _ in range(count)]


def _smooth(contract: Contract, random: np.random.Generator) -> NDArray[np.uint8]:
    import cv2

    coarse = random.integers(0, 256, (6, 8, 3), np.uint8)
    size = (contract.input.width, contract.input.height)
    return np.asarray(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def _observations(contract: PolicyContract, random: np.random.Generator) -> Feed:
    """As the network takes them: normalised already, so about a standard normal, clipped as the contract says."""
    feed: Feed = {}
    for given in contract.observations:
        shape = (1, *given.shape)
        if given.dtype == "uint8":
            feed[given.name] = random.integers(0, 256, shape, np.uint8)
        else:
            limit = given.clip if given.clip is not None else np.inf
            feed[given.name] = np.clip(random.normal(0, 1, shape), -limit, limit).astype(np.float32)
    return feed


def spread(pictures: tuple[Path, ...], most: int) -> tuple[Path, ...]:
    """At most `most` of the pictures, evenly spread over them."""
    if len(pictures) <= most:
        return pictures
    return tuple(pictures[at * len(pictures) // most] for at in range(most))


class PictureFeeds:
    """Pictures as inputs by number, each read when it is asked for."""

    def __init__(self, contract: Contract, pictures: tuple[Path, ...]) -> None:
        self._contract, self._pictures = contract, pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, at: int) -> Feed:
        return from_picture(self._contract, self._pictures[at])
