"""What the camera does to the light: blur, exposure, darker corners, noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.uint8]

_BANK_NOISE_LEVELS = 32.0  # standard deviation of the stored noise
_BANK_MARGIN_PX = 64


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """Noise (standard deviation in levels), blur (standard deviation in pixels), exposure gain, vignette share."""

    noise_levels: float
    blur_px: float
    exposure_gain: float
    vignette_share: float


class Sensor:
    """Turns a clean picture into a camera's; noise is cut from a stored field at a place that `rng` picks."""

    def __init__(self, width: int, height: int) -> None:
        rng = np.random.default_rng(7)
        shape = (height + _BANK_MARGIN_PX, width + _BANK_MARGIN_PX, 3)
        field = rng.standard_normal(shape, dtype=np.float32) * np.float32(_BANK_NOISE_LEVELS) + np.float32(128.5)
        self._bank: Levels = np.clip(field, 0, 255).astype(np.uint8)
        across, down = np.linspace(-1, 1, 40, dtype=np.float32), np.linspace(-1, 1, 30, dtype=np.float32)
        self._off_axis = (across**2 + (down**2)[:, None]) / np.float32(2)
        self._size = (width, height)
        self._lens: tuple[float, Levels] | None = None

    def expose(self, picture: Levels, settings: SensorSettings, rng: np.random.Generator) -> Levels:
        """A new picture [height, width, 3]; the given one is overwritten."""
        if settings.blur_px > 0.2:
            cv2.GaussianBlur(picture, (5, 5) if settings.blur_px > 0.8 else (3, 3), settings.blur_px, dst=picture)
        gain = settings.exposure_gain**0.5  # levels have a gamma of 2
        cv2.multiply(picture, self._lens_levels(settings.vignette_share), dst=picture, scale=gain / 255)
        x, y = rng.integers(0, _BANK_MARGIN_PX, 2)
        noise = self._bank[y : y + self._size[1], x : x + self._size[0]]
        share = settings.noise_levels / _BANK_NOISE_LEVELS
        return np.asarray(cv2.addWeighted(picture, 1.0, noise, share, -128.0 * share), dtype=np.uint8)

    def _lens_levels(self, vignette_share: float) -> Levels:
        """Light that the lens passes, [height, width, 3]; kept, since a camera's lens stays the same."""
        if self._lens is None or self._lens[0] != vignette_share:
            passed = ((1 - np.float32(vignette_share) * self._off_axis) * np.float32(255)).astype(np.uint8)
            full = cv2.resize(cv2.merge([passed] * 3), self._size, interpolation=cv2.INTER_LINEAR)
            self._lens = (vignette_share, np.asarray(full, dtype=np.uint8))
        return self._lens[1]
