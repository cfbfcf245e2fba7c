"""An object whose label changes again and again. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from remote.perception.watching.matching import corners
from remote.perception.watching.tracks import FORGOTTEN_AFTER_S, Tracks
from remote.protocol import Detection


@dataclass
class _Followed:
    label: int
    seen_s: float
    changes_s: deque[float] = field(default_factory=deque)


@dataclass(frozen=True)
class Flicker:
    """An object that flickers now: its newest box, and how many changes of its label there were within the time."""

    detection: Detection
    changes: int


class Flickers:
    """Follows objects by overlap, whatever their label. Seconds are of any clock that does not go back."""

    def __init__(self) -> None:
        self._tracks = Tracks()
        self._objects: dict[int, _Followed] = {}

    def frame(
        self, detections: Sequence[Detection], now_s: float, *, changes: int, within_s: float
    ) -> tuple[Flicker, ...]:
        """Objects that changed their label `changes` times within the last `within_s`; each is then counted anew."""
        numbers = self._tracks.follow([corners(one) for one in detections], now_s)
        told = []
        for number, one in zip(numbers, detections, strict=True):
            object_ = self._objects.setdefault(number, _Followed(one.label_index, now_s))
            if one.label_index != object_.label:
                object_.changes_s.append(now_s)
            object_.label, object_.seen_s = one.label_index, now_s
            while object_.changes_s and now_s - object_.changes_s[0] > within_s:
                object_.changes_s.popleft()
            if len(object_.changes_s) >= changes:
                told.append(Flicker(one, len(object_.changes_s)))
                object_.changes_s.clear()
        self._objects = {n: o for n, o in self._objects.items() if now_s - o.seen_s <= FORGOTTEN_AFTER_S}
        return tuple(told)
