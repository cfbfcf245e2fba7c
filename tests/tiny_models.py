"""Real ONNX models of a few nodes, made with the `onnx` package: their boxes are known, their scores follow the picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from remote.models.bundle import Bundle
from remote.models.make import Family, make_bundle

Floats = npt.NDArray[np.float32]
LABELS = ("cube", "ball")


def base_yolov8(labels: int = 2) -> tuple[Floats, Floats]:
    """(constant part, part that is multiplied by the picture's mean / 255) of a [1, 4 + C, 3] output.

    Cell 0 is a box of class 0 about (32, 32), sized 20 x 10, cell 1 one of class 1 about (48, 16); cell 2 is empty. On a
    white picture their scores are 0.9 and 0.6, on a black one 0.
    """
    base, follow = np.zeros((1, 4 + labels, 3), np.float32), np.zeros((1, 4 + labels, 3), np.float32)
    base[0, :4, 0] = (32, 32, 20, 10)
    base[0, :4, 1] = (48, 16, 8, 8)
    base[0, :4, 2] = (10, 10, 4, 4)
    follow[0, 4, 0], follow[0, 5, 1] = 0.9, 0.6
    return base, follow


def write_model(
    path: Path,
    base: Floats,
    follow: Floats,
    *,
    size: int = 64,
    dark_is_nan: bool = False,
    dark_raises: bool = False,
    open_size: bool = False,
) -> Path:
    """Output = base + follow * mean(picture); the mean is of the input as the contract scales it (0..1).

    `dark_is_nan` takes the square root of mean - 0.3 instead: a dark picture then gives NaN everywhere. `dark_raises` reads
    beyond the end of a table for a picture below 0.3 that is not all black: the engine fails on that frame.
    """
    side: int | str = "side" if open_size else size
    picture = helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])
    output = helper.make_tensor_value_info("output0", TensorProto.FLOAT, list(base.shape))
    nodes = [helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0)]
    constants = [numpy_helper.from_array(base, "base"), numpy_helper.from_array(follow, "follow")]
    if dark_is_nan:
        constants.append(numpy_helper.from_array(np.float32(0.3), "least"))
        nodes += [helper.make_node("Sub", ["mean", "least"], ["over"]), helper.make_node("Sqrt", ["over"], ["level"])]
    elif dark_raises:
        constants += [
            numpy_helper.from_array(np.array([0.0, 0.0], np.float32), "table"),
            numpy_helper.from_array(np.float32(0.3), "least"),
            numpy_helper.from_array(np.float32(0.001), "black"),
            numpy_helper.from_array(np.int64(9), "beyond"),
        ]
        nodes += [
            helper.make_node("Less", ["mean", "least"], ["is_low"]),
            helper.make_node("Greater", ["mean", "black"], ["is_lit"]),
            helper.make_node("And", ["is_low", "is_lit"], ["is_dark"]),
            helper.make_node("Cast", ["is_dark"], ["one"], to=TensorProto.INT64),
            helper.make_node("Mul", ["one", "beyond"], ["place"]),
            helper.make_node("Gather", ["table", "place"], ["nothing"]),
            helper.make_node("Add", ["mean", "nothing"], ["level"]),
        ]
    else:
        nodes.append(helper.make_node("Identity", ["mean"], ["level"]))
    nodes += [
        helper.make_node("Mul", ["follow", "level"], ["lit"]),
        helper.make_node("Add", ["base", "lit"], ["output0"]),
    ]
    graph = helper.make_graph(nodes, "tiny", [picture], [output], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return path


def tiny_bundle(
    folder: Path,
    *,
    like: Family = "yolov8",
    labels: tuple[str, ...] = LABELS,
    dark_is_nan: bool = False,
    dark_raises: bool = False,
) -> Bundle:
    """A bundle in `folder/bundle` whose model is `base_yolov8`."""
    base, follow = base_yolov8(len(labels))
    model = write_model(folder / "tiny.onnx", base, follow, dark_is_nan=dark_is_nan, dark_raises=dark_raises)
    return make_bundle(model, like, labels, folder / "bundle")
