"""Which layers cost a quantised model its answers: each one is quantised alone, and the model's own outputs say what that does.

Noise that a layer brings in says little of it: what comes after may forgive it or blow it up. So each convolution and matrix
product gets its input and its weights rounded to 256 steps in an otherwise whole model, on a few inputs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from remote.models.comparing.layers import HEAVY, OpenedModel, parts_axis
from remote.models.comparing.samples import Feed

STEPS = 127
LIMIT_S = 300.0


@dataclass(frozen=True)
class Influence:
    """`order`: heavy nodes, the one that costs most first. `looked_at` of them were measured; the others stand behind these."""

    order: tuple[str, ...]
    looked_at: int


def influence(
    model: Any,
    feeds: Sequence[Feed],
    leave: Sequence[str],
    *,
    limit_s: float = LIMIT_S,
    clock: Callable[[], float] = time.monotonic,
) -> Influence:
    """Measure each heavy node that is not in `leave`, in graph order, for at most about `limit_s` seconds."""
    nodes = [node for node in model.graph.node if node.op_type in HEAVY and node.name not in leave]
    outputs = {one.name for one in model.graph.output}
    seen = [OpenedModel(model, outputs | {node.input[0] for node in nodes}).run(feed) for feed in feeds]
    begun, costs = clock(), []
    for node in nodes:
        if clock() - begun > limit_s:
            break
        largest = max(float(np.abs(one[node.input[0]]).max()) for one in seen)
        opened = OpenedModel(_alone(model, node.name, largest), outputs)
        costs.append((-_cost(seen, [opened.run(feed) for feed in feeds], outputs), node.name))
    rest = tuple(node.name for node in nodes[len(costs) :])
    return Influence((*(name for _, name in sorted(costs)), *rest), len(costs))


def _alone(model: Any, name: str, largest: float) -> Any:
    """A copy of the model with that node's input and weights rounded."""
    from onnx import helper, numpy_helper

    made = type(model)()
    made.CopyFrom(model)
    at = next(at for at, node in enumerate(made.graph.node) if node.name == name)
    node = made.graph.node[at]
    for weights in made.graph.initializer:
        if weights.name == node.input[1]:
            rounded = _rounded(numpy_helper.to_array(weights), _channels(node))
            made.graph.initializer.append(numpy_helper.from_array(rounded, "influence.weights"))
            node.input[1] = "influence.weights"
            break
    scale = np.array(max(largest, 1e-12) / STEPS, np.float32)
    made.graph.initializer.append(numpy_helper.from_array(scale, "influence.scale"))
    made.graph.initializer.append(numpy_helper.from_array(np.array(0, np.int8), "influence.zero"))
    ends = ["influence.scale", "influence.zero"]
    given, node.input[0] = node.input[0], "influence.input"
    made.graph.node.insert(at, helper.make_node("DequantizeLinear", ["influence.steps", *ends], ["influence.input"]))
    made.graph.node.insert(at, helper.make_node("QuantizeLinear", [given, *ends], ["influence.steps"]))
    return made


def _channels(node: Any) -> int:
    """The axis of the weights that counts outputs."""
    if node.op_type == "Gemm":
        return 0 if any(one.name == "transB" and one.i for one in node.attribute) else 1
    return {"Conv": 0, "ConvTranspose": 1}.get(node.op_type, -1)


def _rounded(weights: Any, axis: int) -> Any:
    """Each channel in 256 steps of its own."""
    others = tuple(at for at in range(weights.ndim) if at != axis % max(weights.ndim, 1))
    scale = np.maximum(np.abs(weights).max(axis=others, keepdims=True), 1e-12) / STEPS
    return (np.clip(np.rint(weights / scale), -STEPS - 1, STEPS) * scale).astype(weights.dtype)


def _cost(seen: Sequence[Feed], found: Sequence[Feed], outputs: set[str]) -> float:
    """Noise over signal in [0, 1], the mean over the columns of all outputs: scores count as much as coordinates."""
    shares = [
        share
        for name in sorted(outputs)
        for share in _shares([(s[name], f[name]) for s, f in zip(seen, found, strict=True)])
    ]
    return float(np.mean(shares)) if shares else 0.0


def _shares(pairs: Sequence[tuple[Any, Any]]) -> list[float]:
    shape = pairs[0][0].shape
    if pairs[0][0].dtype.kind != "f" or any(ours.shape != theirs.shape for ours, theirs in pairs):
        return []
    axis = parts_axis(shape)
    others = None if axis is None else tuple(at for at in range(len(shape)) if at != axis)
    signal = sum((ours.astype(np.float64) ** 2).sum(axis=others) for ours, _ in pairs)
    noise = sum(((ours.astype(np.float64) - theirs) ** 2).sum(axis=others) for ours, theirs in pairs)
    signal, noise = np.atleast_1d(signal), np.atleast_1d(noise)
    known = np.isfinite(signal) & (signal > 0)
    shares = np.where(np.isfinite(noise), noise / np.where(known, signal, 1), 1)[known]
    return [float(share) for share in np.minimum(shares, 1)]
