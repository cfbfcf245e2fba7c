"""A network of a common shape and cost for the perception benchmark: 416 x 416 RGB, 80 classes, YOLOv8's head, about 4.5 ms.

Its weights are random; a dozen boxes are built in, so that NMS has as much to do as in a usual picture. What is measured is
time, which does not depend on what the weights have learnt.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 416
LABELS = tuple(f"class {number}" for number in range(80))
VALUES = 4 + len(LABELS)
WIDTHS = (12, 24, 48)  # channels after strides 2, 4, 8
DEEP = 2  # 3 x 3 convolutions at stride 8
CELLS = sum((SIDE // stride) ** 2 for stride in (8, 16, 32))


class _Graph:
    """Collects nodes and weights; each method returns the name of its result."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.weights: list[Any] = []
        self._rng = np.random.default_rng(0)

    def constant(self, value: Any) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(value, name))
        return name

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def conv(self, before: str, channels: tuple[int, int], *, size: int = 3, stride: int = 1) -> str:
        shape = (channels[1], channels[0], size, size)
        weights = self._rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)
        pads = [size // 2] * 4
        return self.add(
            "Conv", before, self.constant(weights), kernel_shape=[size] * 2, strides=[stride] * 2, pads=pads
        )

    def block(self, before: str, channels: tuple[int, int], *, stride: int = 1) -> str:
        return self.add("Relu", self.conv(before, channels, stride=stride))


def write_usual_model(path: Path) -> Path:
    """Write the ONNX file and return its path."""
    graph = _Graph()
    at, channels = "images", 3
    for width in WIDTHS:
        at, channels = graph.block(at, (channels, width), stride=2), width
    for _ in range(DEEP):
        at = graph.block(at, (channels, channels))
    scales = []
    for _ in range(3):
        flat = graph.constant(np.array([1, VALUES, -1], np.int64))
        scales.append(graph.add("Reshape", graph.conv(at, (channels, VALUES), size=1), flat))
        at = graph.block(at, (channels, channels), stride=2)
    low = graph.add("Sub", graph.add("Concat", *scales, axis=2), graph.constant(np.float32(9)))
    graph.nodes.append(
        helper.make_node("Max", [graph.add("Sigmoid", low), graph.constant(_built_in_boxes())], ["output0"])
    )
    picture = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, SIDE, SIDE])
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, [1, VALUES, CELLS])
    made = helper.make_graph(graph.nodes, "usual", [picture], [output], graph.weights)
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    return path


def _built_in_boxes() -> Any:
    """[1, VALUES, CELLS], zero but for a dozen cells that mark four things, three times each."""
    output = np.zeros((1, VALUES, CELLS), np.float32)
    for number in range(12):
        cell, thing = number * 250, number % 4
        output[0, :4, cell] = (80 + 80 * thing + number, 200, 60, 90)
        output[0, 4 + thing, cell] = 0.9 - number / 40
    return output
