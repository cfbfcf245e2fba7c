"""From a model's raw output to candidate boxes in the model's input pixels.

Thresholds come first and only the survivors are decoded: of thousands of cells a handful is ever looked at. Each class of a
cell that is above the threshold gives a candidate, so that the score measured by `eval` is that of what runs on the robot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from remote.errors import Trouble
from remote.models.contract import Contract
from remote.perception.arrays import Floats, Labels, Tensor
from remote.perception.faults import BadOutput

SCORE_TOLERANCE = 1e-3  # half precision lets a sigmoid's 1 come out a little above it
SIZE_TOLERANCE_PX = 0.5  # quantised models round a small box's size to a little below zero


@dataclass(frozen=True)
class Candidates:
    """Boxes before NMS: corners [n, 4] as (x1, y1, x2, y2) in input pixels, scores [n], labels [n]."""

    corners: Floats
    scores: Floats
    labels: Labels


class Head(Protocol):
    """Decodes one family's output."""

    def __call__(self, output: Tensor, score: float) -> Candidates:
        """Every class of every cell above `score`. Raises BadOutput for NaN, infinity or an impossible box or score."""


def make_head(contract: Contract, shape: tuple[int, ...]) -> Head:
    """The decoder for the contract's head and an output of `shape`.

    Raises:
        Trouble: code `model_mismatch`, with the numbers, where the shape can't be what the contract says.
    """
    refuse_wrong_shape(contract, shape)
    if contract.output.head == "yolov8":
        return _AcrossHead()
    return _YoloxHead(contract) if contract.output.head == "yolox" else _RowsHead()


def cell_count(contract: Contract) -> int:
    """Cells of the grids of all strides: the number of rows of a YOLOX output."""
    sizes = ((contract.input.width // s, contract.input.height // s) for s in contract.output.strides)
    return sum(width * height for width, height in sizes)


def refuse_wrong_shape(contract: Contract, shape: tuple[int, ...]) -> None:
    """Raise Trouble `model_mismatch` unless an output of `shape` fits the contract's head, labels and strides."""
    head, labels = contract.output.head, len(contract.labels)
    if len(shape) != 3 or shape[0] != 1:
        cure = "Export the model for one picture, with its raw boxes as the one output"
        raise _mismatch(f"the output {contract.output.name} has the shape {list(shape)}, not [1, ., .]", cure)
    fixed = 4 if head == "yolov8" else 5
    values = shape[1] if head == "yolov8" else shape[2]
    if values != fixed + labels:
        what = f"the model gives {values} values per box, {fixed} + {values - fixed} labels; the contract has {labels} labels"
        turned = shape[2] if head == "yolov8" else shape[1]
        other = "yolov5" if head == "yolov8" else "yolov8"
        cure = f"Give the labels that the model was trained with, or another head than {head}"
        if turned in (4 + labels, 5 + labels):
            cure = f"The shape {list(shape)} looks like head {other}: make the bundle with --like {other}"
        raise _mismatch(what, cure)
    if head == "yolox" and shape[1] != cell_count(contract):
        what = f"the model gives {shape[1]} cells; strides {list(contract.output.strides)} on an input of "
        what += f"{contract.input.width} x {contract.input.height} have {cell_count(contract)}"
        raise _mismatch(what, "Correct output.strides or the input's size in the contract")


def _mismatch(what: str, cure: str) -> Trouble:
    return Trouble(f"contract and model differ: {what}", cure=cure, code="model_mismatch")


def refuse_impossible_scores(head: str, output: Tensor) -> None:
    """Raise BadOutput where any score of a raw output lies outside of [0, 1]: logits without their sigmoid.

    Looks at every cell, so it belongs to a check before the start, not to every frame.
    """
    scores = output[0, 4:] if head == "yolov8" else output[0, :, 4:]
    low, high = float(scores.min()), float(scores.max())
    if low < -SCORE_TOLERANCE or high > 1 + SCORE_TOLERANCE:
        raise BadOutput(f"the model gives scores from {low:.4g} to {high:.4g}, outside of [0, 1]")


def refuse_undecoded_boxes(head: str, output: Tensor) -> None:
    """Raise BadOutput where a head that gives boxes in pixels gives sizes below zero: another family's raw cells.

    A YOLOX export has the very shape of a decoded one; only its numbers tell. Looks at every cell, as above.
    """
    if head == "yolox":
        return
    sizes = output[0, 2:4] if head == "yolov8" else output[0, :, 2:4]
    if float(sizes.min()) < -SIZE_TOLERANCE_PX:
        raise BadOutput(
            f"the model gives box sizes down to {float(sizes.min()):.4g} px; raw cells of yolox look like that"
        )


def _refuse_not_finite(output: Tensor) -> None:
    # The extremes of an array with a NaN are NaN: two passes without a temporary array.
    if not (np.isfinite(output.max()) and np.isfinite(output.min())):
        count = int(output.size - np.isfinite(output).sum())
        raise BadOutput(f"the model gave {count} values that are NaN or infinite")


def _checked(centres: Floats, sizes: Floats, scores: Floats, labels: Labels) -> Candidates:
    """Corners of survivors; refuses sizes below zero, infinite boxes and scores above one."""
    if scores.size and float(scores.max()) > 1 + SCORE_TOLERANCE:
        raise BadOutput(f"the model gave a score of {float(scores.max()):.4g}, scores end at 1")
    half = sizes * np.float32(0.5)
    corners = np.concatenate((centres - half, centres + half), axis=1)
    if not np.isfinite(corners).all() or (sizes < 0).any():
        raise BadOutput("the model gave a box whose size is negative or infinite")
    return Candidates(corners, scores, labels)


def _above(rows: Floats, score: float) -> tuple[Labels, Labels, Floats]:
    """(row, class, score) of everything above `score` in [N, 5 + C] with objectness."""
    # Class scores end at 1, so objectness alone already rules out most rows.
    likely = np.flatnonzero(rows[:, 4] > score)
    scores = rows[likely, 5:] * rows[likely, 4:5]
    picked, labels = np.nonzero(scores > score)
    return likely[picked], labels, scores[picked, labels]


class _RowsHead:
    """YOLOv5: [1, N, 5 + C], boxes already in input pixels."""

    def __call__(self, output: Tensor, score: float) -> Candidates:
        rows = np.asarray(output[0], np.float32)
        _refuse_not_finite(rows)
        picked, labels, scores = _above(rows, score)
        return _checked(rows[picked, 0:2], rows[picked, 2:4], scores, labels)


class _YoloxHead:
    """YOLOX: [1, N, 5 + C]; centre = (d + cell) * stride, size = exp(log) * stride (Ge et al., arXiv:2107.08430)."""

    def __init__(self, contract: Contract) -> None:
        cells, strides = [], []
        for stride in contract.output.strides:
            width, height = contract.input.width // stride, contract.input.height // stride
            y, x = np.divmod(np.arange(width * height), width)
            cells.append(np.stack((x, y), axis=1))
            strides.append(np.full((width * height, 1), stride))
        self._cells: Floats = np.concatenate(cells).astype(np.float32)
        self._strides: Floats = np.concatenate(strides).astype(np.float32)

    def __call__(self, output: Tensor, score: float) -> Candidates:
        rows = np.asarray(output[0], np.float32)
        _refuse_not_finite(rows)
        picked, labels, scores = _above(rows, score)
        stride = self._strides[picked]
        centres = (rows[picked, 0:2] + self._cells[picked]) * stride
        with np.errstate(over="ignore"):  # an overflow becomes infinity, which _checked refuses
            sizes = np.exp(rows[picked, 2:4]) * stride
        return _checked(centres, sizes, scores, labels)


class _AcrossHead:
    """YOLOv8, YOLO11: [1, 4 + C, N], no objectness, boxes already in input pixels."""

    def __call__(self, output: Tensor, score: float) -> Candidates:
        columns = np.asarray(output[0], np.float32)
        _refuse_not_finite(columns)
        likely = np.flatnonzero(columns[4:].max(axis=0) > score)
        classes = columns[4:, likely]
        labels, picked = np.nonzero(classes > score)
        scores, cells = classes[labels, picked], likely[picked]
        return _checked(columns[0:2, cells].T, columns[2:4, cells].T, scores, labels)
