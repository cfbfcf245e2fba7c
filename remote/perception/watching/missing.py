"""An object that is known to be in view and is not detected, frame after frame: one failure for each such episode. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass


@dataclass
class _Missed:
    frames: int = 0
    told: bool = False


class Missing:
    """Counts the frames in a row in which each object was missed."""

    def __init__(self) -> None:
        self._objects: dict[Hashable, _Missed] = {}

    def frame(self, found: Mapping[Hashable, bool], miss_frames: int) -> tuple[Hashable, ...]:
        """The objects whose miss number `miss_frames` in a row this frame was. Who is not in `found` is forgotten.

        A frame in which an object is found ends its episode.
        """
        self._objects = {key: self._objects.get(key, _Missed()) for key in found}
        return tuple(key for key, seen in found.items() if self._crossed(key, seen, miss_frames))

    def _crossed(self, key: Hashable, seen: bool, miss_frames: int) -> bool:
        if seen:
            self._objects[key] = _Missed()
            return False
        missed = self._objects[key]
        missed.frames += 1
        if missed.told or missed.frames < miss_frames:
            return False
        missed.told = True
        return True
