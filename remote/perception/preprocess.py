"""From a camera frame to the model's input tensor, in place: nothing is allocated per frame."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from remote.models.contract import InputContract
from remote.perception.arrays import Floats, Pixels, Tensor


@dataclass(frozen=True)
class Fit:
    """Where a frame lies in the model's input: input x = frame x * scale_x + left, the same for y; sizes in pixels."""

    frame_width: int
    frame_height: int
    left: int
    top: int
    width: int
    height: int
    scale_x: float
    scale_y: float


def fit_frame(contract: InputContract, frame_width: int, frame_height: int) -> Fit:
    """Where a frame of that size is put: the whole input (stretch), or as large as its shape allows (letterbox).

    A letterbox keeps one ratio for both axes, also where whole pixels make the picture a little smaller. YOLOX (top left)
    cuts the size off to whole pixels, YOLOv5 and YOLOv8 (centre) round it: boxes are right only when done the same way.
    """
    across, down = contract.width / frame_width, contract.height / frame_height
    if contract.fit == "stretch":
        return Fit(frame_width, frame_height, 0, 0, contract.width, contract.height, across, down)
    ratio = min(across, down)
    centred = contract.place == "centre"
    whole = round if centred else int
    width = min(contract.width, max(1, whole(frame_width * ratio)))
    height = min(contract.height, max(1, whole(frame_height * ratio)))
    left = (contract.width - width) // 2 if centred else 0
    top = (contract.height - height) // 2 if centred else 0
    return Fit(frame_width, frame_height, left, top, width, height, ratio, ratio)


def input_shape(contract: InputContract) -> tuple[int, int, int, int]:
    """The input tensor's shape for one frame."""
    if contract.layout == "nchw":
        return (1, 3, contract.height, contract.width)
    return (1, contract.height, contract.width, 3)


class Preprocessor:
    """Fills `target` (the engine's bound input) from frames of one size.

    The padding is written once, here; a frame touches only the rectangle that it fills. `scale`, `mean` and `std` are
    folded into one factor and one offset for each channel, left out where they do nothing.
    """

    def __init__(self, contract: InputContract, frame_width: int, frame_height: int, target: Tensor) -> None:
        if target.shape != input_shape(contract):
            raise ValueError(f"the input tensor is {target.shape}, the contract says {input_shape(contract)}")
        self.fit = fit_frame(contract, frame_width, frame_height)
        self._rgb = contract.colour == "rgb"
        self._planar = contract.layout == "nchw"
        self._target = target
        std = np.asarray(contract.std, np.float32)
        self._factor: Floats = np.float32(contract.scale) / std
        self._offset: Floats = -np.asarray(contract.mean, np.float32) / std
        self._scales = bool((self._factor != 1).any())
        self._shifts = bool((self._offset != 0).any())
        # float16 arithmetic is slow on CPUs and float32 keeps the rounding to the end.
        self._work = target if target.dtype != np.float16 else np.empty(target.shape, np.float32)
        self._write_padding(contract.pad)
        size = (self.fit.height, self.fit.width)
        self._small: Pixels = np.empty((*size, 3), np.uint8)
        self._planes: list[Pixels] = [np.empty(size, np.uint8) for _ in range(3)]
        self._regions = self._cut_regions()

    def _write_padding(self, pad: int) -> None:
        values = pad * self._factor + self._offset
        shape = (1, 3, 1, 1) if self._planar else (1, 1, 1, 3)
        self._work[...] = values.reshape(shape).astype(self._work.dtype)

    def _cut_regions(self) -> list[Tensor]:
        """Views of the picture's rectangle: one for each channel of a planar input, else one."""
        rows = slice(self.fit.top, self.fit.top + self.fit.height)
        columns = slice(self.fit.left, self.fit.left + self.fit.width)
        if self._planar:
            return [self._work[0, channel, rows, columns] for channel in range(3)]
        return [self._work[0, rows, columns]]

    def matches(self, frame: Pixels) -> bool:
        """Whether this preprocessor was made for frames of this size."""
        return frame.shape[:2] == (self.fit.frame_height, self.fit.frame_width)

    def __call__(self, frame: Pixels) -> None:
        """Write `frame` (uint8, [height, width, 3], BGR, of the size given at the start) into the target."""
        small = frame
        if frame.shape[:2] != self._small.shape[:2]:
            small = self._small
            cv2.resize(frame, (self.fit.width, self.fit.height), dst=small, interpolation=cv2.INTER_LINEAR)
        if self._planar:
            self._write_planes(small)
        else:
            self._write_interleaved(small)
        if self._work is not self._target:
            np.copyto(self._target, self._work, casting="unsafe")

    def _write_planes(self, small: Pixels) -> None:
        cv2.split(small, self._planes)
        planes = reversed(self._planes) if self._rgb else self._planes
        for plane, region, factor, offset in zip(planes, self._regions, self._factor, self._offset, strict=True):
            np.copyto(region, plane)
            if self._scales:
                np.multiply(region, factor, out=region)
            if self._shifts:
                np.add(region, offset, out=region)

    def _write_interleaved(self, small: Pixels) -> None:
        region = self._regions[0]
        np.copyto(region, small[:, :, ::-1] if self._rgb else small)
        if self._scales:
            np.multiply(region, self._factor, out=region)
        if self._shifts:
            np.add(region, self._offset, out=region)
