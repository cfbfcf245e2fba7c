"""FP16: half the size; what does not fit into half precision stays in float32 and is named."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from remote.errors import Trouble
from remote.models.comparing.layers import OpenedModel
from remote.models.comparing.samples import Feed
from remote.models.optimise.graph import converting, simplified, tidied
from remote.models.optimise.made import Made, tools

LARGEST = 65504.0
HEADROOM = 0.5
"""A node stays in float32 where one of its numbers came above this share of the largest that half precision holds."""


def made_half(path: Any, feeds: Sequence[Feed]) -> Made:
    """FP16 inside, inputs and outputs as before, so that the contract holds.

    `feeds` are run through the float model to see which numbers are too large. Raises Trouble `already_half` for a model
    that has no float32 weights, `not_convertible` for a quantised one.
    """
    from onnx import TensorProto
    from onnxruntime.transformers.float16 import DEFAULT_OP_BLOCK_LIST, convert_float_to_float16

    model = simplified(path)
    if not any(one.data_type == TensorProto.FLOAT for one in model.graph.initializer):
        raise Trouble("the model has no float32 weights", cure="Give the float bundle", code="already_half")
    kept = overflowing(model, feeds)
    quiet = contextlib.redirect_stdout(io.StringIO())
    with converting(model, "half precision"), warnings.catch_warnings(), quiet:
        warnings.simplefilter("ignore")  # that it cuts tiny weights off is measured below
        half = convert_float_to_float16(
            model, keep_io_types=True, op_block_list=list(DEFAULT_OP_BLOCK_LIST), node_block_list=list(kept)
        )
        made = tidied(without_detours(half))
    notes = tuple(f"kept in float32, as its numbers do not fit into half precision: {name}" for name in kept)
    return Made(
        step="fp16",
        model=made,
        settings={"kept_float": len(kept), "kept_float_nodes": ", ".join(kept)},
        notes=notes,
        tools=tools("onnx", "onnxruntime"),
    )


def without_detours(model: Any) -> Any:
    """The model without casts to half precision and straight back.

    The converter puts them between two neighbours that both stay in float32, where the numbers are too large for them.
    """
    from onnx import TensorProto

    casts = {node.output[0]: node for node in model.graph.node if node.op_type == "Cast"}
    targets = {name: next(one.i for one in node.attribute if one.name == "to") for name, node in casts.items()}
    outputs = {one.name for one in model.graph.output}
    for node in model.graph.node:
        for at, name in enumerate(node.input):
            if targets.get(name) == TensorProto.FLOAT and name not in outputs:
                before = casts[name].input[0]
                if targets.get(before) == TensorProto.FLOAT16:
                    node.input[at] = casts[before].input[0]
    while dead := _unused_casts(model, outputs):
        for node in dead:
            model.graph.node.remove(node)
    return model


def _unused_casts(model: Any, outputs: set[str]) -> list[Any]:
    used = {name for node in model.graph.node for name in node.input} | outputs
    return [node for node in model.graph.node if node.op_type == "Cast" and node.output[0] not in used]


def overflowing(model: Any, feeds: Sequence[Feed]) -> tuple[str, ...]:
    """Names of the nodes with an input, output or constant that is too large for half precision, in graph order."""
    from onnx import numpy_helper

    limit = HEADROOM * LARGEST
    large = {one.name for one in model.graph.initializer if _peak(numpy_helper.to_array(one)) > limit}
    names = {name for node in model.graph.node for name in node.output if name}
    opened = OpenedModel(model, names)
    for feed in feeds:
        large |= {name for name, array in opened.run(feed).items() if _peak(array) > limit}
        large |= {name for name, array in feed.items() if _peak(array) > limit}
    return tuple(node.name for node in model.graph.node if large & {*node.input, *node.output})


def _peak(array: Any) -> float:
    if array.dtype.kind != "f" or not array.size:
        return 0.0
    known = np.abs(array[np.isfinite(array)])
    return float(known.max()) if known.size else 0.0
