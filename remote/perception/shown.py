"""The newest frame that has a result, and the pictures that people are shown of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from remote.perception.handoff import Seen
from remote.perception.jpeg import encode
from remote.protocol import Detection, Picture, Sample


@dataclass(frozen=True)
class Shown:
    """A frame with its result. `number` counts the worker's frames, `stages_ms` has all of remote.protocol.STAGES."""

    number: int
    seen: Seen
    stages_ms: dict[str, float]
    detections: tuple[Detection, ...]

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
        )
