"""Two loaded bundles that look at the same pictures."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from remote.models.bundle import load_bundle
from remote.models.replay.comparing import Box, Difference, compared
from remote.perception.arrays import Pixels
from remote.perception.detector import Detector
from remote.perception.engines.wishes import Wishes
from remote.perception.faults import FrameFault


class Answer(NamedTuple):
    """What one bundle made of a picture, and in how many milliseconds; `fault` says why it made nothing of it."""

    boxes: tuple[Box, ...]
    ms: float
    fault: str = ""


class Two:
    """An old and a new bundle, verified, loaded and warm. Raises Trouble as load_bundle and the engines do.

    `engines` is the folder of engines that this robot built, `wishes` is how; None: ONNX Runtime.
    """

    def __init__(
        self, old: Path, new: Path, *, threads: int = 1, engines: Path | None = None, wishes: Wishes | None = None
    ) -> None:
        bundles = load_bundle(old), load_bundle(new)
        self.digests = tuple(bundle.digest for bundle in bundles)
        self.names = tuple(bundle.contract.name for bundle in bundles)
        self.labels = tuple(bundle.contract.labels for bundle in bundles)
        self._detectors = tuple(
            Detector(bundle, threads=threads, engine_cache=engines, wishes=wishes) for bundle in bundles
        )
        for detector in self._detectors:
            detector.warm_up()

    def look(self, picture: Pixels) -> tuple[Answer, Answer]:
        """What both make of it, the old one first."""
        old, new = (self._one(index, picture) for index in (0, 1))
        return old, new

    def close(self) -> None:
        """Let both engines go."""
        for detector in self._detectors:
            detector.close()

    def _one(self, index: int, picture: Pixels) -> Answer:
        detector, labels = self._detectors[index], self.labels[index]
        try:
            result = detector.detect(picture)
        except FrameFault as fault:
            return Answer((), 0.0, str(fault))
        found = result.boxes.detections()
        boxes = tuple(Box(labels[one.label_index], one.score, (one.x1, one.y1, one.x2, one.y2)) for one in found)
        return Answer(boxes, sum(result.stages_ms.values()))


def difference(old: Answer, new: Answer) -> Difference:
    """What differs; where one gave no answer only that is said."""
    if old.fault or new.fault:
        return Difference(fault_old=old.fault, fault_new=new.fault)
    return compared(old.boxes, new.boxes, old_ms=round(old.ms, 4), new_ms=round(new.ms, 4))
