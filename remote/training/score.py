"""Runs an exported detector on rendered scenes and scores it with the COCO evaluation.

The small reading of the output here is independent of the robot's pipeline on purpose: where the two disagree, one is
wrong. Boxes are (x1, y1, x2, y2) in pixels of the scene.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from remote.training.scene import LABELS, RenderedScene
from remote.training.visibility import LabelledBox

Detections = npt.NDArray[np.float32]  # [n, 6]: x1, y1, x2, y2, score, class
_EVALUATION_SCORE = 0.01
_MOST_DETECTIONS = 100


@dataclass(frozen=True, slots=True)
class Scores:
    """COCO's figures over `scenes` scenes with `objects` labelled objects.

    `ap50_by_class` is in the order of LABELS; `ap_by_area` is AP50..95 of boxes below 32 x 32 px, up to 96 x 96, above.
    """

    scenes: int
    objects: int
    ap: float
    ap50: float
    ap50_by_class: tuple[float, ...]
    ap_by_area: tuple[float, float, float]


def open_detector(model: Path, *, nms_iou: float = 0.65) -> Callable[[npt.NDArray[np.uint8]], Detections]:
    """A function picture [h, w, 3] BGR -> detections with score > 0.01, best first; one thread."""
    import cv2
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name, (_, _, height, width) = session.get_inputs()[0].name, session.get_inputs()[0].shape

    def detect(picture: npt.NDArray[np.uint8]) -> Detections:
        scale = min(width / picture.shape[1], height / picture.shape[0])
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        canvas = np.full((height, width, 3), 114, np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
        planes = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], dtype=np.float32)
        output = session.run(None, {name: planes})[0][0]
        return read_output(output, scale, nms_iou=nms_iou)

    return detect


def read_output(output: npt.NDArray[np.float32], scale: float, *, nms_iou: float) -> Detections:
    """Output [4 + classes, cells] of the head `yolov8` -> detections in pixels of the picture before scaling."""
    scores = output[4:]
    labels, cells = np.nonzero(scores > _EVALUATION_SCORE)
    order = np.argsort(-scores[labels, cells], kind="stable")[:1000]
    labels, cells = labels[order], cells[order]
    middle, half = output[:2, cells].T, output[2:4, cells].T / 2
    boxes = np.concatenate([middle - half, middle + half], axis=1) / np.float32(scale)
    kept = _suppress(boxes, labels, nms_iou)[:_MOST_DETECTIONS]
    columns = [boxes, scores[labels, cells][:, None], labels[:, None].astype(np.float32)]
    return np.asarray(np.concatenate(columns, axis=1)[kept], dtype=np.float32)


def _suppress(boxes: Detections, labels: npt.NDArray[np.intp], nms_iou: float) -> list[int]:
    """Greedy suppression within each class; boxes come best first."""
    apart = boxes + (labels[:, None] * np.float32(10_000))
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    waiting = np.arange(len(boxes))
    while waiting.size:
        best, rest = int(waiting[0]), waiting[1:]
        kept.append(best)
        common = np.minimum(apart[best, 2:], apart[rest, 2:]) - np.maximum(apart[best, :2], apart[rest, :2])
        overlap = np.maximum(common, 0).prod(axis=1)
        waiting = rest[overlap <= nms_iou * (areas[best] + areas[rest] - overlap)]
    return kept


def score(scenes: Iterable[RenderedScene], detect: Callable[[npt.NDArray[np.uint8]], Detections]) -> Scores:
    """COCO's bounding-box evaluation of a detector."""
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    images: list[dict[str, Any]] = []
    for number, scene in enumerate(scenes, start=1):
        images.append({"id": number, "height": scene.ids.shape[0], "width": scene.ids.shape[1]})
        truth.extend(_truth_rows(scene.boxes, number, len(truth)))
        for x1, y1, x2, y2, confidence, label in detect(scene.image).tolist():
            row = {"image_id": number, "category_id": int(label) + 1, "bbox": [x1, y1, x2 - x1, y2 - y1]}
            found.append({**row, "score": confidence})
    return _evaluate(images, truth, found)


def _truth_rows(boxes: Iterable[LabelledBox], number: int, known: int) -> list[dict[str, Any]]:
    return [
        {
            "id": known + index + 1,
            "image_id": number,
            "category_id": box.label + 1,
            "bbox": [box.x1, box.y1, box.x2 - box.x1, box.y2 - box.y1],
            "area": (box.x2 - box.x1) * (box.y2 - box.y1),
            "iscrowd": 0,
        }
        for index, box in enumerate(boxes)
    ]


def _evaluate(images: list[dict[str, Any]], truth: list[dict[str, Any]], found: list[dict[str, Any]]) -> Scores:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    if not found:
        return Scores(len(images), len(truth), 0.0, 0.0, (0.0,) * len(LABELS), (0.0, 0.0, 0.0))
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools reports its progress on stdout
        coco = COCO()
        categories = [{"id": index + 1, "name": name} for index, name in enumerate(LABELS)]
        coco.dataset = {"info": {}, "images": images, "annotations": truth, "categories": categories}
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    at_half = evaluation.eval["precision"][0, :, :, 0, 2]  # IoU 0.5, all areas, 100 detections: [recall, class]
    by_class = tuple(float(np.mean(at_half[at_half[:, k] > -1, k])) for k in range(len(LABELS)))
    ap, ap50, _, small, medium, large = (float(value) for value in evaluation.stats[:6])
    return Scores(len(images), len(truth), ap, ap50, by_class, (small, medium, large))
