"""How large a model is: on the disk, packed, in parameters, and how many of those are zero."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from remote.models.comparing.model_file import read_model

_FLOAT = ((0, None), (1, None))
_INTEGER, _LINEAR = ((0, 2), (1, 3)), ((0, 2), (3, 5))
_HEAVY: dict[str, tuple[tuple[int, int | None], ...]] = {
    **dict.fromkeys(("Conv", "ConvTranspose", "Gemm", "MatMul"), _FLOAT),
    **dict.fromkeys(("ConvInteger", "MatMulInteger"), _INTEGER),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul"), _LINEAR),
}
"""Which inputs are multiplied, each with the input that holds its zero point."""


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """`packed_bytes` is the file compressed with zlib at its default level. `zero_share` of the `weights`, which are the

    numbers in constants that convolutions and matrix products multiply with; what stands for zero is zero.
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
    found = multiplied(model, set(constants))
    weights = [numpy_helper.to_array(constants[name]) for name in found]
    points = [one.zero_point for one in found.values()]
    none = np.zeros((), np.int8)
    zeros = [numpy_helper.to_array(constants[name]) if name in constants else none for name in points]
    count = sum(array.size for array in weights)
    zero = sum(map(_zeros, weights, zeros, (one.axis for one in found.values())))
    return Size(
        model_bytes=len(data),
        packed_bytes=len(zlib.compress(data)),
        parameters=parameters,
        weights=count,
        zero_share=zero / count if count else 0.0,
    )


class Multiplied(NamedTuple):
    """What stands for 0 in a constant: the name of its zero point (empty: 0), and the axis along which there are several."""

    zero_point: str = ""
    axis: int = 0


def multiplied(model: Any, constants: set[str]) -> dict[str, Multiplied]:
    """The constants that heavy nodes multiply with, by name, also where a DequantizeLinear stands between."""
    behind = {
        name: node
        for node in model.graph.node
        if node.op_type in ("DequantizeLinear", "QuantizeLinear", "Cast")
        for name in node.output
    }
    found: dict[str, Multiplied] = {}
    for node in model.graph.node:
        for place, point in _HEAVY.get(node.op_type, ()):
            name, told = _input(node, place), Multiplied(_input(node, point), -1 if "MatMul" in node.op_type else 0)
            while name in behind:
                told = _before(behind[name], told)
                name = behind[name].input[0]
            if name in constants:
                found.setdefault(name, told)
    return found


def _before(node: Any, told: Multiplied) -> Multiplied:
    """What stands for 0 in front of this node."""
    if node.op_type == "DequantizeLinear":
        return Multiplied(_input(node, 2), next((one.i for one in node.attribute if one.name == "axis"), 1))
    return Multiplied() if node.op_type == "QuantizeLinear" else told


def _input(node: Any, place: int | None) -> str:
    return node.input[place] if place is not None and place < len(node.input) else ""


def _zeros(weights: NDArray[Any], zero_point: NDArray[Any], axis: int) -> int:
    """How many of the weights stand for 0."""
    if zero_point.size > 1:
        zero_point = zero_point.reshape([-1 if at == axis % weights.ndim else 1 for at in range(weights.ndim)])
    return int((weights == zero_point).sum())
