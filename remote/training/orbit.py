"""The path of the demo's camera."""

from __future__ import annotations

import math

import numpy as np

from remote.training import layout
from remote.training.randomisation import Randomisation
from remote.training.viewpoint import Viewpoint, look_at

ORBIT_DEG_PER_S = 5.0


class Orbit:
    """A slow orbit that nods, rises and falls within the ranges of the randomisation file."""

    def __init__(self, rng: np.random.Generator, randomisation: Randomisation, size: tuple[int, int]) -> None:
        camera = randomisation.camera
        self._camera, self._size = camera, size
        self._start_deg = layout.draw(rng, camera.azimuth_deg)
        self._roll_deg = layout.draw(rng, camera.roll_deg) * 0.5
        self._view_angle_deg = layout.draw(rng, camera.view_angle_deg)
        self._phase = rng.uniform(0, 2 * math.pi, 4)

    def at(self, time_s: float) -> Viewpoint:
        """Where the camera is `time_s` seconds after its start."""
        sway = np.sin(np.array([0.23, 0.31, 0.41, 0.29]) * time_s + self._phase)
        low, high = self._camera.elevation_deg.low, self._camera.elevation_deg.high
        least, most = self._camera.height_m.low, self._camera.height_m.high
        elevation = low + (high - low) * (0.5 + 0.3 * sway[0])
        reach = least + (most - least) * (0.55 + 0.2 * sway[1])  # distance, so that a steep look is no closer one
        return look_at(
            (0.03 * sway[2], 0.03 * sway[3]),
            azimuth_deg=self._start_deg + ORBIT_DEG_PER_S * time_s,
            elevation_deg=elevation,
            height_m=min(most, max(least, 1.35 * reach * math.sin(math.radians(elevation)))),
            roll_deg=self._roll_deg,
            view_angle_deg=self._view_angle_deg,
            size=self._size,
        )
