"""mAP of several bundles on the same labelled pictures, and the interval of their difference.

Which box counts as found is decided by pycocotools, once. Precision and recall follow COCO's definition (101 points of
recall, the envelope of precision) with a weight for each picture, so that a drawn set of pictures costs one sum, not one
evaluation.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from remote.errors import Trouble
from remote.models.box_files import TrueBox
from remote.models.comparing.resampling import Interval, Weights, resampled
from remote.models.evaluate import Truth, coco_modules, found_row

SCORE, NMS_IOU, MOST_BOXES = 0.01, 0.65, 100
_RECALLS = np.linspace(0, 1, 101)
_EVERY_AREA = [[0, 1e10]]


@dataclass(frozen=True)
class Label:
    """One class: its detections in descending order of score ([10 IoUs, detections] right or not), labelled boxes by
    picture.
    """

    picture: NDArray[np.int64]
    right: NDArray[np.float64]
    wrong: NDArray[np.float64]
    labelled: NDArray[np.int64]


@dataclass(frozen=True)
class Matches:
    """What one bundle found, matched with what was labelled."""

    labels: tuple[Label, ...]
    pictures: int
    boxes: int

    def precision(self, weights: Weights) -> tuple[float, float]:
        """(AP@[.50:.95], AP50), each picture counted as often as its weight says; NaN where nothing was labelled."""
        found = [_ap(label, weights) for label in self.labels if weights @ label.labelled > 0]
        if not found:
            return float("nan"), float("nan")
        table = np.array(found)
        return float(table.mean()), float(table[:, 0].mean())


class Scorer:
    """Collects the pictures' labels and one bundle's detections."""

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._truth = Truth(labels)
        self._found: list[dict[str, Any]] = []

    def add(self, size: tuple[int, int], true: tuple[TrueBox, ...], boxes: Any) -> None:
        """One picture of (width, height) pixels: what is labelled, and the Boxes found above SCORE."""
        number = len(self._truth.images) + 1
        self._truth.add(number, size, true)
        rows = zip(boxes.labels.tolist(), boxes.scores.tolist(), boxes.corners.tolist(), strict=True)
        self._found += [found_row(number, row) for row in rows]

    def matches(self) -> Matches:
        """Raises Trouble `pycocotools_missing`."""
        evaluation = _evaluated(self._truth, self._found)
        pictures = len(self._truth.images)
        by_label = [
            _label(evaluation.evalImgs[at * pictures : (at + 1) * pictures], pictures)
            for at in range(len(self._labels))
        ]
        return Matches(tuple(by_label), pictures, len(self._truth.boxes))


def difference(reference: Matches, other: Matches, seed: int = 0) -> Interval:
    """mAP of the other less that of the reference, on the same pictures; below 0 is a loss."""
    return resampled(
        lambda weights: other.precision(weights)[0] - reference.precision(weights)[0], other.pictures, seed=seed
    )


def _evaluated(truth: Truth, found: list[dict[str, Any]]) -> Any:
    coco_class, evaluation_class = coco_modules()
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools narrates on stdout, which is for data
        coco, predicted = coco_class(), coco_class()
        rows = [
            {"id": n, "area": row["bbox"][2] * row["bbox"][3], "iscrowd": 0, **row} for n, row in enumerate(found, 1)
        ]
        for target, annotations in ((coco, truth.boxes), (predicted, rows)):
            target.dataset = {"images": truth.images, "annotations": annotations, "categories": truth.categories}
            target.createIndex()
        evaluation = evaluation_class(coco, predicted, "bbox")
        evaluation.params.maxDets = [MOST_BOXES]
        evaluation.params.areaRng, evaluation.params.areaRngLbl = _EVERY_AREA, ["all"]
        evaluation.evaluate()
    return evaluation


def _label(rows: list[dict[str, Any] | None], pictures: int) -> Label:
    labelled = np.zeros(pictures, np.int64)
    picture, scores, matched = [np.zeros(0, np.int64)], [np.zeros(0)], [np.zeros((10, 0))]
    for number, row in enumerate(rows):
        if row is None:
            continue
        labelled[number] = len(row["gtIds"])
        scores.append(np.asarray(row["dtScores"], np.float64))
        matched.append((np.asarray(row["dtMatches"], np.float64).reshape(10, -1) > 0).astype(np.float64))
        picture.append(np.full(len(row["dtScores"]), number, np.int64))
    order = np.argsort(-np.concatenate(scores), kind="mergesort")  # as COCO does: ties stay in the pictures' order
    right = np.concatenate(matched, axis=1)[:, order].astype(np.float64)
    return Label(np.concatenate(picture)[order], right, 1.0 - right, labelled)


def _ap(label: Label, weights: Weights) -> NDArray[np.float64]:
    """AP at each of the ten IoUs."""
    each = weights[label.picture].astype(np.float64)
    right, wrong = np.cumsum(label.right * each, axis=1), np.cumsum(label.wrong * each, axis=1)
    recall = right / float(weights @ label.labelled)
    precision = right / np.maximum(right + wrong, np.spacing(1))
    envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    found = np.zeros(len(right))
    for at in range(len(right)):
        places = np.searchsorted(recall[at], _RECALLS, side="left")
        inside = places < recall.shape[1]
        found[at] = envelope[at][places[inside]].sum() / len(_RECALLS)
    return found


def labels_for(pictures: tuple[Path, ...], folder: Path, labels: int) -> dict[Path, tuple[TrueBox, ...]]:
    """See evaluate.labels_of; asks for pycocotools first, so that nobody waits for pictures in vain.

    Raises Trouble `no_labelled_box` where the files hold no box at all.
    """
    from remote.models.evaluate import labels_of

    coco_modules()
    found = labels_of(pictures, folder, labels)
    if not any(found.values()):
        cure = "Give --labels with at least one box, or leave --labels out"
        raise Trouble(f"no box is labelled in {folder}: there is no score", cure=cure, code="no_labelled_box")
    return found
