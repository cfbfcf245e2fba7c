"""How large a model is: on the disk, packed, in parameters, and how many of those are zero."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from remote.models.comparing.model_file import read_model

_HEAVY = ("Conv", "ConvTranspose", "Gemm", "MatMul", "ConvInteger", "MatMulInteger", "QLinearConv")


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """`packed_bytes` is the file compressed with zlib at its default level. `zero_share` of the `weights`, which are the

    numbers in constants that convolutions and matrix products multiply with.
    """

    model_bytes: int
    packed_bytes: int
    parameters: int
    weights: int
    zero_share: float


def size_of(path: Path) -> Size:
    """Measure a model file. Raises Trouble `model_unreadable`."""
    from onnx import numpy_helper

    data = path.read_bytes()
    model = read_model(path)
    constants = {one.name: one for one in model.graph.initializer}
    parameters = sum(int(np.prod(one.dims)) for one in constants.values())
    weights = [numpy_helper.to_array(constants[name]) for name in multiplied(model, set(constants))]
    count = sum(array.size for array in weights)
    zeros = sum(int((array == 0).sum()) for array in weights)
    return Size(
        model_bytes=len(data),
        packed_bytes=len(zlib.compress(data)),
        parameters=parameters,
        weights=count,
        zero_share=zeros / count if count else 0.0,
    )


def multiplied(model: Any, constants: set[str]) -> list[str]:
    """Names of the constants that heavy nodes multiply with, also where a DequantizeLinear stands between."""
    graph = model.graph
    behind = {
        name: node.input[0]
        for node in graph.node
        if node.op_type in ("DequantizeLinear", "QuantizeLinear", "Cast")
        for name in node.output
    }
    found = []
    for node in graph.node:
        if node.op_type not in _HEAVY:
            continue
        for name in node.input[:2]:
            source = name
            while source in behind:
                source = behind[source]
            if source in constants and source not in found:
                found.append(source)
    return found
