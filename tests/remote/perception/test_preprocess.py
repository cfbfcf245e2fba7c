"""A tensor that is off by a channel, a pixel or a factor makes a good model see badly, silently."""

from __future__ import annotations

from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remote.models.contract import InputContract
from remote.perception.arrays import Pixels
from remote.perception.preprocess import Preprocessor, fit_frame, input_shape

triples = st.tuples(*[st.floats(0.1, 100)] * 3)
contracts = st.builds(
    InputContract,
    name=st.just("x"),
    width=st.integers(1, 96),
    height=st.integers(1, 96),
    layout=st.sampled_from(["nchw", "nhwc"]),
    dtype=st.sampled_from(["float32", "float16"]),
    colour=st.sampled_from(["bgr", "rgb"]),
    scale=st.sampled_from([1.0, 1 / 255, 0.5]),
    mean=st.one_of(st.just((0.0, 0.0, 0.0)), triples),
    std=st.one_of(st.just((1.0, 1.0, 1.0)), triples),
    fit=st.sampled_from(["letterbox", "stretch"]),
    place=st.sampled_from(["top_left", "centre"]),
    pad=st.integers(0, 255),
)


def plain(contract: InputContract, frame: Pixels) -> npt.NDArray[Any]:
    """The definition in InputContract's docstring, step by step, without any thought of speed."""
    fit = fit_frame(contract, frame.shape[1], frame.shape[0])
    canvas = np.full((contract.height, contract.width, 3), contract.pad, np.uint8)
    small = cv2.resize(frame, (fit.width, fit.height), interpolation=cv2.INTER_LINEAR)
    canvas[fit.top : fit.top + fit.height, fit.left : fit.left + fit.width] = small
    if contract.colour == "rgb":
        canvas = canvas[:, :, ::-1]
    values = (canvas.astype(np.float64) * contract.scale - contract.mean) / contract.std
    if contract.layout == "nchw":
        values = values.transpose(2, 0, 1)
    return values[None].astype(contract.dtype)


def picture(height: int, width: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def filled(contract: InputContract, *frames: Pixels) -> npt.NDArray[Any]:
    target = np.full(input_shape(contract), 7, contract.dtype)
    preprocess = Preprocessor(contract, frames[0].shape[1], frames[0].shape[0], target)
    for frame in frames:
        preprocess(frame)
    return target


@given(contracts, st.integers(1, 120), st.integers(1, 120))
@settings(max_examples=150, deadline=None)
def test_the_fast_way_equals_the_plain_one(contract: InputContract, width: int, height: int) -> None:
    frame = picture(height, width)
    got, expected = filled(contract, picture(height, width, 1), frame), plain(contract, frame)
    tolerance = 2e-3 if contract.dtype == "float16" else 1e-5
    assert got.dtype == expected.dtype
    np.testing.assert_allclose(got.astype(float), expected.astype(float), rtol=tolerance, atol=tolerance)


def test_whole_numbers_stay_whole() -> None:
    contract = InputContract(name="x", width=32, height=24, dtype="uint8", colour="rgb", layout="nhwc")
    frame = picture(24, 32)
    np.testing.assert_array_equal(filled(contract, frame)[0], frame[:, :, ::-1])


def test_the_families_put_an_odd_picture_where_their_authors_put_it() -> None:
    centre = InputContract(name="x", width=64, height=64, place="centre")
    corner = msgspec.structs.replace(centre, place="top_left")
    assert (fit_frame(centre, 100, 75).top, fit_frame(centre, 100, 75).height) == (8, 48)
    assert (fit_frame(corner, 100, 75).top, fit_frame(corner, 100, 75).height) == (0, 48)
    assert fit_frame(centre, 640, 426).height == 43  # 42.6: YOLOv5 and v8 round
    assert fit_frame(corner, 640, 426).height == 42  # YOLOX cuts off


def test_a_target_of_another_shape_is_refused() -> None:
    contract = InputContract(name="x", width=32, height=24)
    with pytest.raises(ValueError, match="the input tensor is"):
        Preprocessor(contract, 10, 10, np.zeros((1, 3, 32, 24), np.float32))
