"""Boxes in the wrong place, lost or made up: what a robot acts on. Compared with a plain implementation of the papers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.models.contract import Contract, InputContract, OutputContract, Thresholds
from remote.perception.faults import BadOutput
from remote.perception.heads import Candidates
from remote.perception.postprocess import MAX_CANDIDATES, Boxes, Postprocessor, strongest
from remote.perception.preprocess import Fit, fit_frame

LABELS = ("a", "b", "c")
HEADS = ("yolox", "yolov5", "yolov8")
Floats = npt.NDArray[np.float32]
PlainBox = tuple[int, float, tuple[float, float, float, float]]


def contract(head: Any, **thresholds: Any) -> Contract:
    return Contract(
        name="t",
        input=InputContract(name="x", width=64, height=64, place="centre"),
        output=OutputContract(name="y", head=head),
        labels=LABELS,
        thresholds=Thresholds(**thresholds),
    )


def random_output(head: str, seed: int) -> Floats:
    rng = np.random.default_rng(seed)
    scores = rng.random((84, 4)) ** 2
    if head == "yolox":
        boxes = np.concatenate((rng.normal(0, 1, (84, 2)), rng.normal(0.5, 0.5, (84, 2))), axis=1)
    else:
        boxes = np.concatenate((rng.uniform(-5, 70, (84, 2)), rng.uniform(1, 30, (84, 2))), axis=1)
    rows = np.concatenate((boxes, scores), axis=1).astype(np.float32)
    return rows[:, [0, 1, 2, 3, 5, 6, 7]].T[None].copy() if head == "yolov8" else rows[None]


def decoded(head: str, output: Floats) -> list[PlainBox]:
    """Every (class, score, corners), one cell at a time."""
    rows = output[0].T if head == "yolov8" else output[0]
    cells = [(x, y, s) for s in (8, 16, 32) for y in range(64 // s) for x in range(64 // s)]
    found: list[PlainBox] = []
    for row, (x, y, stride) in zip(rows, cells, strict=True):
        cx, cy, w, h = (np.float32(v) for v in row[:4])
        if head == "yolox":
            cx, cy = np.float32((cx + x) * stride), np.float32((cy + y) * stride)
            w, h = np.float32(np.exp(w) * stride), np.float32(np.exp(h) * stride)
        for label in range(3):
            score = row[4 + label] if head == "yolov8" else row[4] * row[5 + label]
            found.append((label, float(score), (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)))
    return found


def iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inner = max(0.0, w) * max(0.0, h)
    return inner / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inner)


def plain(head: str, output: Floats, limits: Thresholds, fit: Fit) -> list[PlainBox]:
    """Threshold, greedy NMS, back to the frame, clip: with lists and loops."""
    order = sorted((b for b in decoded(head, output) if b[1] > np.float32(limits.score)), key=lambda b: -b[1])
    kept: list[PlainBox] = []
    for box in order:
        rivals = [other for other in kept if other[0] == box[0] or not limits.nms_per_class]
        if all(iou(box[2], other[2]) <= limits.nms_iou for other in rivals):
            kept.append(box)
    in_frame = []
    for label, score, (x1, y1, x2, y2) in kept:
        x = [min(max((v - fit.left) / fit.scale_x, 0), fit.frame_width) for v in (x1, x2)]
        y = [min(max((v - fit.top) / fit.scale_y, 0), fit.frame_height) for v in (y1, y2)]
        if x[1] > x[0] and y[1] > y[0]:
            in_frame.append((label, score, (x[0], y[0], x[1], y[1])))
    return in_frame[: limits.max_detections]


def assert_same(got: Boxes, expected: list[PlainBox]) -> None:
    assert got.labels.tolist() == [box[0] for box in expected]
    np.testing.assert_allclose(got.scores, [box[1] for box in expected], rtol=1e-5)
    np.testing.assert_allclose(got.corners, np.reshape([box[2] for box in expected], (-1, 4)), atol=1e-3)


@given(
    st.sampled_from(HEADS),
    st.integers(0, 10_000),
    st.floats(0.05, 0.95),
    st.floats(0.1, 0.9),
    st.booleans(),
    st.sampled_from([(64, 64), (640, 480), (48, 100)]),
)
@settings(max_examples=120, deadline=None)
def test_the_fast_way_equals_the_plain_one(
    head: str, seed: int, score: float, nms_iou: float, per_class: bool, size: tuple[int, int]
) -> None:
    given_contract = contract(head, score=score, nms_iou=nms_iou, nms_per_class=per_class)
    output, fit = random_output(head, seed), fit_frame(given_contract.input, *size)
    got = Postprocessor(given_contract, output.shape)(output, fit)
    assert_same(got, plain(head, output, given_contract.thresholds, fit))


FIT = fit_frame(contract("yolov8").input, 64, 64)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_one_nan_anywhere_is_a_failure_never_an_empty_answer(head: str, value: float) -> None:
    output = random_output(head, 1)
    output[0, -1, -1] = value
    with pytest.raises(BadOutput, match="1 values that are NaN or infinite"):
        Postprocessor(contract(head, score=1.0), output.shape)(output, FIT)


@pytest.mark.parametrize(("head", "where"), [("yolox", (0, 0, 2)), ("yolov5", (0, 0, 2)), ("yolov8", (0, 2, 0))])
def test_a_box_of_impossible_size_is_a_failure(head: str, where: tuple[int, ...]) -> None:
    output = random_output(head, 1)
    scores = output[0, 4:, 0] if head == "yolov8" else output[0, 0, 4:]
    scores[...] = 0.9
    post = Postprocessor(contract(head), output.shape)
    post(output, FIT)
    output[where] = 200.0 if head == "yolox" else -1.0  # exp(200) overflows
    with pytest.raises(BadOutput, match="size is negative or infinite"):
        post(output, FIT)


@pytest.mark.parametrize(("score", "fine"), [(1.0005, True), (1.01, False)])
def test_a_score_above_one_is_a_failure_beyond_rounding(score: float, fine: bool) -> None:
    output = np.zeros((1, 7, 84), np.float32)
    output[0, :5, 0] = (32, 32, 8, 8, score)
    post = Postprocessor(contract("yolov8"), output.shape)
    if fine:
        assert post(output, FIT).detections()[0].score == 1.0
    else:
        with pytest.raises(BadOutput, match="scores end at 1"):
            post(output, FIT)


def test_a_score_at_the_threshold_is_not_above_it() -> None:
    output = np.zeros((1, 7, 84), np.float32)
    output[0, :5, 0] = (32, 32, 8, 8, 0.5)
    assert len(Postprocessor(contract("yolov8", score=0.5), output.shape)(output, FIT)) == 0
    assert len(Postprocessor(contract("yolov8", score=0.4999), output.shape)(output, FIT)) == 1


def test_a_box_wholly_in_the_padding_is_not_in_the_frame() -> None:
    output = np.zeros((1, 7, 84), np.float32)
    output[0, :5, 0] = (32, 4, 6, 4, 0.9)
    post = Postprocessor(contract("yolov8"), output.shape)
    assert len(post(output, fit_frame(contract("yolov8").input, 64, 32))) == 0
    assert len(post(output, fit_frame(contract("yolov8").input, 64, 64))) == 1


def test_no_box_is_an_empty_answer_of_the_right_shape() -> None:
    boxes = Postprocessor(contract("yolox"), (1, 84, 8))(np.zeros((1, 84, 8), np.float32), FIT)
    assert boxes.corners.shape == (0, 4)
    assert boxes.detections() == ()


def test_a_model_that_marks_everything_is_cut_to_its_strongest() -> None:
    scores = np.random.default_rng(0).random(MAX_CANDIDATES + 500).astype(np.float32)
    found = strongest(Candidates(np.zeros((len(scores), 4), np.float32), scores, np.zeros(len(scores), np.int64)), 100)
    assert sorted(found.scores) == sorted(scores)[-100:]
