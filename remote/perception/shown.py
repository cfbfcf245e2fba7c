"""A frame and what is known of it, and the pictures that people are shown of the newest one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from remote.perception.arrays import Pixels
from remote.perception.handoff import Seen
from remote.perception.jpeg import encode
from remote.perception.watching.boxes import Corners, Truth
from remote.protocol import Detection, Expectation, Picture, Sample, SourceTruth


@dataclass(frozen=True)
class Sight:
    """A frame that something is told of. `number` counts the worker's frames, `light` is its mean grey level, 0 to 255.

    `stages_ms` and `detections` are empty where the frame has no result.
    """

    image: Pixels
    number: int
    mono_ns: int
    light: float
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    detections: tuple[Detection, ...] = ()

    @classmethod
    def of(cls, seen: Seen, number: int) -> Sight:
        """A frame that has no result (yet)."""
        stages = {"capture": seen.capture_ms}
        return cls(seen.frame.image, number, seen.frame.capture_mono_ns, round(seen.look.mean, 1), stages)

    @property
    def width(self) -> int:
        """Of the camera's frame, in pixels."""
        return int(self.image.shape[1])

    @property
    def height(self) -> int:
        """Of the camera's frame, in pixels."""
        return int(self.image.shape[0])


@dataclass(frozen=True)
class Shown:
    """A frame with its result. `number` counts the worker's frames, `stages_ms` has all of remote.protocol.STAGES."""

    number: int
    seen: Seen
    stages_ms: dict[str, float]
    detections: tuple[Detection, ...]

    def sight(self) -> Sight:
        """The frame as something is told of it."""
        frame, light = self.seen.frame, round(self.seen.look.mean, 1)
        return Sight(frame.image, self.number, frame.capture_mono_ns, light, self.stages_ms, self.detections)

    def sample(self) -> Sample:
        """For live display; times are rounded to microseconds."""
        frame = self.seen.frame
        height, width = frame.image.shape[:2]
        stages = {stage: round(ms, 3) for stage, ms in self.stages_ms.items()}
        return Sample(frame.capture_mono_ns, self.number, width, height, stages, self.detections)

    def picture(self, max_width: int | None = None) -> Picture:
        """A JPEG, at most `max_width` pixels wide; the boxes belong to the full frame."""
        frame = self.seen.frame
        jpeg = encode(frame.image, max_width=max_width)
        return Picture(
            jpeg=jpeg,
            digest=hashlib.sha256(jpeg).hexdigest(),
            width=frame.image.shape[1],
            height=frame.image.shape[0],
            frame=self.number,
            capture_mono_ns=frame.capture_mono_ns,
            detections=self.detections,
            truth=_truth(frame.truth),
        )


def _truth(known: Truth | None) -> SourceTruth | None:
    """As the protocol says it; corners to a tenth of a pixel, as plain numbers: a source may give NumPy's."""
    if known is None:
        return None
    objects = tuple(Expectation(label=one.label, box=_rounded(one.box) if one.box else None) for one in known.objects)
    return SourceTruth(objects, tuple(map(_rounded, known.ignored)))


def _rounded(box: Corners) -> Corners:
    x1, y1, x2, y2 = (round(float(corner), 1) for corner in box)
    return (x1, y1, x2, y2)
