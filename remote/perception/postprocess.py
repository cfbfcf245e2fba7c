"""From a model's raw output to boxes in the camera frame's pixels: decode, NMS, back to the frame, clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from remote.models.contract import Contract, Thresholds
from remote.perception.arrays import Floats, Labels, Tensor
from remote.perception.heads import Candidates, make_head
from remote.perception.preprocess import Fit
from remote.protocol import Detection

MAX_CANDIDATES = 4096  # NMS takes the square of it; a model that marks more cells than that sees noise


@dataclass(frozen=True)
class Boxes:
    """Detections in descending order of score: corners [n, 4] as (x1, y1, x2, y2) in frame pixels, scores, labels."""

    corners: Floats
    scores: Floats
    labels: Labels

    def __len__(self) -> int:
        return len(self.scores)

    def detections(self) -> tuple[Detection, ...]:
        """The same as the protocol's structs."""
        rows = zip(self.labels.tolist(), self.scores.tolist(), self.corners.tolist(), strict=True)
        # Scores are rounded where float32 has no more to say; a sigmoid's 1.0004 in half precision is 1.
        return tuple(
            Detection(label, min(round(score, 4), 1.0), *(round(c, 2) for c in box)) for label, score, box in rows
        )


class Postprocessor:
    """Turns outputs of one shape into Boxes.

    Args:
        contract: names head, labels and thresholds.
        shape: the output tensor's shape; Trouble `model_mismatch` where it can't be right.
        thresholds: instead of the contract's.
    """

    def __init__(self, contract: Contract, shape: tuple[int, ...], thresholds: Thresholds | None = None) -> None:
        self._thresholds = thresholds or contract.thresholds
        self._head = make_head(contract, shape)

    def __call__(self, output: Tensor, fit: Fit) -> Boxes:
        """Raises BadOutput for NaN, infinity, or an impossible box or score: that is never 'no detections'."""
        found = strongest(self._head(output, self._thresholds.score), MAX_CANDIDATES)
        kept = suppress(found, self._thresholds)
        return _in_frame(found, kept, fit, self._thresholds.max_detections)


def strongest(found: Candidates, limit: int) -> Candidates:
    """At most `limit` candidates, those with the highest scores."""
    if len(found.scores) <= limit:
        return found
    best = np.argpartition(-found.scores, limit)[:limit]
    return Candidates(found.corners[best], found.scores[best], found.labels[best])


def suppress(found: Candidates, thresholds: Thresholds) -> Labels:
    """Greedy NMS: indices of the boxes to keep, in descending order of score.

    A box goes when its IoU with a stronger kept one (of its class, if `nms_per_class`) is above `nms_iou`.
    """
    if not len(found.scores):
        return np.zeros(0, np.int64)
    boxes = found.corners.astype(np.float64)
    # OpenCV keeps classes apart by shifting each one away from the others, which holds only for boxes that start at 0.
    boxes -= np.tile(boxes[:, :2].min(axis=0), 2)
    boxes[:, 2:] -= boxes[:, :2]
    labels = found.labels if thresholds.nms_per_class else np.zeros_like(found.labels)
    nms: Any = cv2.dnn.NMSBoxesBatched  # its annotations know no arrays
    kept = nms(boxes, found.scores, labels.astype(np.int32), 0.0, thresholds.nms_iou)
    return np.asarray(kept, np.int64).reshape(-1)


def _in_frame(found: Candidates, kept: Labels, fit: Fit, limit: int) -> Boxes:
    """Map the kept boxes to the frame and clip them; one that lies wholly in the padding is not in the frame."""
    corners = found.corners[kept]
    corners -= np.array([fit.left, fit.top, fit.left, fit.top], np.float32)
    corners /= np.array([fit.scale_x, fit.scale_y, fit.scale_x, fit.scale_y], np.float32)
    np.clip(corners[:, 0::2], 0, fit.frame_width, out=corners[:, 0::2])
    np.clip(corners[:, 1::2], 0, fit.frame_height, out=corners[:, 1::2])
    inside = (corners[:, 2] > corners[:, 0]) & (corners[:, 3] > corners[:, 1])
    kept, corners = kept[inside][:limit], corners[inside][:limit]
    return Boxes(corners, found.scores[kept], found.labels[kept])
