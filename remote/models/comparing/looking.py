"""One detector looking at a picture for a comparison: its raw output, and its boxes at two thresholds, from one run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remote.errors import Trouble
from remote.models.bundle import Bundle
from remote.models.comparing.accuracy import MOST_BOXES, NMS_IOU, SCORE
from remote.models.contract import Thresholds

if TYPE_CHECKING:
    from remote.perception.arrays import Pixels
    from remote.perception.postprocess import Boxes


@dataclass(frozen=True)
class Seen:
    """`fault` says why there is no answer: NaN, an impossible box; the boxes are then empty."""

    output: Any
    reported: Boxes
    every: Boxes
    fault: str | None = None


class Looker:
    """Owns a detector. `reported` are the boxes above the contract's thresholds, `every` those for COCO's evaluation."""

    def __init__(self, bundle: Bundle, threads: int) -> None:
        from remote.perception.detector import Detector
        from remote.perception.postprocess import Postprocessor

        low = Thresholds(score=SCORE, nms_iou=NMS_IOU, max_detections=MOST_BOXES)
        self.detector = Detector(bundle, threads=threads, thresholds=low)
        self._contract = bundle.contract
        self._reported = Postprocessor(bundle.contract, self.detector.engine.output.shape)

    def look(self, frame: Pixels) -> Seen:
        """Run on a frame; a fault of the model is told, not raised."""
        from remote.perception.faults import FrameFault
        from remote.perception.preprocess import fit_frame

        engine = self.detector.engine
        try:
            every = self.detector.detect(frame).boxes
            fit = fit_frame(self._contract.input, frame.shape[1], frame.shape[0])
            return Seen(engine.output.copy(), self._reported(engine.output, fit), every)
        except FrameFault as fault:
            return Seen(engine.output.copy(), _none(), _none(), str(fault))

    def close(self) -> None:
        """Let the engine go."""
        self.detector.close()


def read_frame(path: Path) -> Pixels:
    """A picture, or Trouble naming it."""
    from remote.perception.faults import BadFrame
    from remote.perception.picture_files import read_picture

    try:
        return read_picture(path)
    except BadFrame as fault:
        raise Trouble(f"picture {path}: {fault}", cure="Replace that picture", code=fault.name) from fault


def _none() -> Boxes:
    import numpy as np

    from remote.perception.postprocess import Boxes

    return Boxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))
