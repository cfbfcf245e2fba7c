"""A small detector with real convolutions, and pictures for it: what quantising and pruning work on."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from remote.models.bundle import Bundle
from remote.models.make import make_bundle

CELLS = 64


def write_conv_model(
    path: Path, *, first_scale: float = 1.0, loud: float = 1.0, seed: int = 0, opset: int = 17
) -> Path:
    """[1, 3, 64, 64] -> [1, 6, 64]: two convolutions, boxes of up to 64 pixels beside scores of at most 1, in one tensor.

    `first_scale` multiplies the first convolution's weights; the second ones are divided by it. `loud` does so with one channel
    of both: the others have few steps left where their tensor is quantised.
    """
    random = np.random.default_rng(seed)
    first = (random.normal(0, 0.12, (8, 3, 8, 8)) * first_scale).astype(np.float32)
    middle = (random.normal(0, 0.3, (8, 8, 3, 3)) / first_scale).astype(np.float32)
    first[0] *= loud
    middle[:, 0] /= loud
    last = random.normal(0, 0.4, (6, 8, 1, 1)).astype(np.float32)
    bias = np.array([1, 1, 1, 1, -1, -1], np.float32)
    centres = np.stack([(np.arange(CELLS) % 8 + 0.5) * 8, (np.arange(CELLS) // 8 + 0.5) * 8])[None].astype(np.float32)
    arrays = {
        "first.weight": first,
        "middle.weight": middle,
        "last.weight": last,
        "last.bias": bias,
        "centres": centres,
        "shape": np.array([1, 6, CELLS]),
        "two": np.array([2, 2, 2]),
        "eight": np.float32(8),
    }
    nodes = [
        helper.make_node("Conv", ["images", "first.weight"], ["seen"], "first", strides=[8, 8]),
        helper.make_node("Relu", ["seen"], ["felt"], "relu"),
        helper.make_node("Conv", ["felt", "middle.weight"], ["thought"], "middle", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["thought"], ["known"], "relu_again"),
        helper.make_node("Conv", ["known", "last.weight", "last.bias"], ["raw"], "last"),
        helper.make_node("Reshape", ["raw", "shape"], ["rows"], "rows"),
        helper.make_node("Split", ["rows", "two"], ["shift", "size", "logits"], "split", axis=1),
        helper.make_node("Add", ["centres", "shift"], ["middles"], "middles"),
        helper.make_node("Softplus", ["size"], ["positive"], "softplus"),
        helper.make_node("Mul", ["positive", "eight"], ["sizes"], "sizes"),
        helper.make_node("Sigmoid", ["logits"], ["scores"], "sigmoid"),
        helper.make_node("Concat", ["middles", "sizes", "scores"], ["output0"], "together", axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "conv",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        [helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, 6, CELLS])],
        [numpy_helper.from_array(array, name) for name, array in arrays.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), str(path))
    return path


def conv_bundle(folder: Path, *, first_scale: float = 1.0, loud: float = 1.0, seed: int = 0) -> Bundle:
    """A bundle in `folder/conv`."""
    folder.mkdir(parents=True, exist_ok=True)
    model = write_conv_model(folder / "conv.onnx", first_scale=first_scale, loud=loud, seed=seed)
    return make_bundle(model, "yolov8", ("cube", "ball"), folder / "conv")


def write_pictures(folder: Path, count: int, *, seed: int = 1) -> Path:
    """Smooth pictures of all kinds of light, 64 x 64."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    for at in range(count):
        coarse = random.integers(0, 256, (5, 5, 3), np.uint8)
        light = 0.2 + 0.8 * at / count
        image = (cv2.resize(coarse, (64, 64), interpolation=cv2.INTER_LINEAR) * light).astype(np.uint8)
        cv2.imwrite(str(folder / f"{at:03d}.png"), image)
    return folder
