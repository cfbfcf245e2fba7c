"""Scoring a bundle on labelled pictures with COCO's own evaluation (pycocotools)."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from remote.errors import Trouble
from remote.models.box_files import TrueBox, read_boxes
from remote.models.bundle import Bundle
from remote.models.contract import Thresholds

Progress = Callable[[int, int], None]
_IOU_50 = 0  # index of IoU 0.50 among COCO's ten thresholds
_ALL_AREAS, _MOST_BOXES = 0, -1


class LabelScore(msgspec.Struct, frozen=True):
    """One class: its AP@[.50:.95] and AP50 in [0, 1], None where no box of it was labelled, and its labelled boxes."""

    label: str
    ap: float | None
    ap50: float | None
    boxes: int


class Settings(msgspec.Struct, frozen=True):
    """What the score depends on besides bundle and pictures: boxes count above `score`, NMS is per class at `nms_iou`."""

    score: float
    nms_iou: float
    max_detections: int


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """The whole result. `map` is COCO's AP@[.50:.95]; `images` and `boxes` count what was labelled.

    `map` and `ap50` are None where no box is labelled: there is nothing to score against.
    """

    bundle: str
    map: float | None
    ap50: float | None
    images: int
    boxes: int
    settings: Settings
    labels: tuple[LabelScore, ...]


def evaluate_bundle(
    bundle: Bundle,
    images: Path,
    boxes: Path,
    settings: Settings,
    *,
    threads: int = 1,
    progress: Progress = lambda done, of: None,
) -> Score:
    """Detect in every picture of the folder `images` and compare with `boxes` (a .txt of the same stem for each).

    A picture without a file counts as one in which nothing is. Raises Trouble for a missing pycocotools
    (`pycocotools_missing`), a bundle that gives what can't be on plain pictures, folders without pictures or labels, broken
    files, and a frame without a trustworthy answer.
    """
    from remote.models.check import run_on_greys
    from remote.perception.detector import Detector
    from remote.perception.picture_files import list_pictures

    coco_modules()
    pictures = list_pictures(images)
    labelled = labels_of(pictures, boxes, len(bundle.contract.labels))
    thresholds = Thresholds(score=settings.score, nms_iou=settings.nms_iou, max_detections=settings.max_detections)
    detector = Detector(bundle, threads=threads, thresholds=thresholds)
    run_on_greys(detector, bundle.path)  # a head that finds nothing in raw cells would score 0, not fail
    truth, found = Truth(bundle.contract.labels), []
    for number, picture in enumerate(pictures, 1):
        size, detections = _detect(detector, picture)
        truth.add(number, size, labelled[picture])
        found += [found_row(number, detection) for detection in detections]
        progress(number, len(pictures))
    detector.close()
    return _score(bundle, truth, found, settings)


def coco_modules() -> tuple[Any, Any]:
    """(COCO, COCOeval). Raises Trouble `pycocotools_missing`."""
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        cure = "Install it: pip install 'fieldgate[score]'"
        raise Trouble("pycocotools is not installed here", cure=cure, code="pycocotools_missing") from error
    return COCO, COCOeval


def labels_of(pictures: tuple[Path, ...], folder: Path, labels: int) -> dict[Path, tuple[TrueBox, ...]]:
    """Each picture's labelled boxes from the .txt of its stem in `folder`; `labels` is the number of classes.

    A picture without a file counts as one in which nothing is. Raises Trouble `boxes_missing` where no picture has one.
    """
    if not folder.is_dir():
        what = f"labels folder {folder} {'is no folder' if folder.exists() else 'does not exist'}"
        raise Trouble(what, cure="Give the folder with a .txt file for each picture", code="boxes_missing")
    files = {picture: folder / f"{picture.stem}.txt" for picture in pictures}
    if not any(path.is_file() for path in files.values()):
        what = (
            f"folder {folder} has no label file for any picture; the first would be {next(iter(files.values())).name}"
        )
        raise Trouble(what, cure="Give the folder with a .txt file for each picture", code="boxes_missing")
    return {picture: read_boxes(path, labels) if path.is_file() else () for picture, path in files.items()}


def _detect(detector: Any, picture: Path) -> tuple[tuple[int, int], Any]:
    """((width, height), Detections with unrounded numbers)."""
    from remote.perception.faults import FrameFault
    from remote.perception.picture_files import read_picture

    try:
        frame = read_picture(picture)
        boxes = detector.detect(frame).boxes
    except FrameFault as fault:
        cure = "Replace that picture" if fault.name == "bad_frame" else "Check the bundle: fieldgate bundle check"
        raise Trouble(f"picture {picture}: {fault}", cure=cure, code=fault.name) from fault
    rows = zip(boxes.labels.tolist(), boxes.scores.tolist(), boxes.corners.tolist(), strict=True)
    return (frame.shape[1], frame.shape[0]), list(rows)


def found_row(image: int, detection: tuple[int, float, list[float]]) -> dict[str, Any]:
    """One detection (label, score, corners in pixels of the picture) as COCO's row; images are numbered from 1."""
    label, score, (x1, y1, x2, y2) = detection
    return {"image_id": image, "category_id": label + 1, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score}


class Truth:
    """The labelled boxes as COCO's dictionary. Its ids start at 1: pycocotools takes an annotation 0 for no match."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self.images: list[dict[str, Any]] = []
        self.boxes: list[dict[str, Any]] = []
        self.categories = [{"id": index + 1, "name": name} for index, name in enumerate(labels)]

    def add(self, image: int, size: tuple[int, int], boxes: tuple[TrueBox, ...]) -> None:
        """One picture of (width, height) pixels with its boxes."""
        width, height = size
        self.images.append({"id": image, "width": width, "height": height})
        for box in boxes:
            w, h = box.width * width, box.height * height
            corner = [box.cx * width - w / 2, box.cy * height - h / 2, w, h]
            row = {"image_id": image, "category_id": box.label + 1, "bbox": corner, "area": w * h, "iscrowd": 0}
            self.boxes.append({"id": len(self.boxes) + 1, **row})


def _score(bundle: Bundle, truth: Truth, found: list[dict[str, Any]], settings: Settings) -> Score:
    precision = _precision(truth, found, settings.max_detections)
    scores = []
    for index, label in enumerate(bundle.contract.labels):
        of_label = precision[:, :, index, _ALL_AREAS, _MOST_BOXES]
        count = sum(box["category_id"] == index + 1 for box in truth.boxes)
        scores.append(LabelScore(label, _mean(of_label), _mean(of_label[_IOU_50]), count))
    everything = precision[..., _ALL_AREAS, _MOST_BOXES]
    return Score(
        bundle=bundle.digest,
        map=_mean(everything),
        ap50=_mean(everything[_IOU_50]),
        images=len(truth.images),
        boxes=len(truth.boxes),
        settings=settings,
        labels=tuple(scores),
    )


def _precision(truth: Truth, found: list[dict[str, Any]], max_detections: int) -> Any:
    """COCOeval's array [10 IoUs, 101 recalls, labels, areas, limits]; -1 where nothing was labelled."""
    coco_class, evaluation_class = coco_modules()
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools narrates on stdout, which is for data
        coco = coco_class()
        coco.dataset = {"images": truth.images, "annotations": truth.boxes, "categories": truth.categories}
        coco.createIndex()
        predicted = coco_class()
        rows = [
            {"id": n, "area": row["bbox"][2] * row["bbox"][3], "iscrowd": 0, **row} for n, row in enumerate(found, 1)
        ]
        predicted.dataset = {"images": truth.images, "annotations": rows, "categories": truth.categories}
        predicted.createIndex()
        evaluation = evaluation_class(coco, predicted, "bbox")
        evaluation.params.maxDets = [1, 10, max_detections]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval["precision"]


def _mean(precision: Any) -> float | None:
    known = precision[precision > -1]
    return float(known.mean()) if known.size else None
