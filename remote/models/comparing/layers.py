"""Two models node by node on the same inputs: where the second one leaves the first.

Tensors are matched by name. A derived model keeps the names of what it was made from; between a tensor and its users there
may be QuantizeLinear and DequantizeLinear, or a Cast, which are looked through: what the users get is compared.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from remote.errors import Trouble
from remote.models.comparing.model_file import read_model
from remote.models.comparing.parity import Parity, Tally
from remote.models.comparing.samples import Feed
from remote.models.onnx_package import import_onnx

LEAST_DB = 10.0
DEAD_DB = 3.0
_PEAK_SHARE = 1e-3
HEAVY = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_THROUGH = ("QuantizeLinear", "DequantizeLinear", "Cast")
_MOST_PARTS = 1024


class Layer(msgspec.Struct, frozen=True, kw_only=True):
    """One node of the first model, in its graph's order.

    `parity` is of its output as its users get it. `weakest_db` is that of the worst channel (or column of a table of boxes):
    one tensor may hold coordinates and scores, and quantising them together kills the smaller ones. `added` is the share of
    noise that this node itself brought in, as noise over signal, None where an input or the output has no partner.
    """

    node: str
    op: str
    tensor: str
    parity: Parity
    weakest_db: float | None
    weakest_part: int | None
    is_table: bool = False
    added: float | None = None


class Layers(msgspec.Struct, frozen=True, kw_only=True):
    """All matched nodes.

    `first_wrong` is the first that goes wrong, None where none does: its parity is below `limit_db`, or a column of a table
    (a tensor of three axes) that is not tiny beside the others is below DEAD_DB, which the whole tensor's parity hides.
    `rested_on` says what was run: "8 of 64 pictures".
    """

    limit_db: float
    samples: int
    rested_on: str = ""
    matched: int
    nodes: int
    first_wrong: str | None
    layers: tuple[Layer, ...]


@dataclass
class _Pair:
    """A tensor of the first model, its name in the second, and that name looked through Q/DQ and casts."""

    node: Any
    tensor: str
    raw: str
    seen: str


def compare_layers(first: Path, second: Path, feeds: Sequence[Feed], *, limit_db: float = LEAST_DB) -> Layers:
    """Run both with all intermediate outputs. Raises Trouble `model_unreadable`, `not_alike`, `inference_error`."""
    one, other = read_model(first), read_model(second)
    pairs = _pairs(one, other)
    if not pairs:
        what = f"models {first} and {second} have no tensor of the same name"
        raise Trouble(what, cure="Compare a bundle with one that was made from it", code="not_alike")
    sides = (
        OpenedModel(one, {pair.tensor for pair in pairs}),
        OpenedModel(other, {p.raw for p in pairs} | {p.seen for p in pairs}),
    )
    tallies = {pair.tensor: (_Parts(), Tally()) for pair in pairs}
    for feed in feeds:
        ours, theirs = (side.run(feed) for side in sides)
        for pair in pairs:
            _add(tallies[pair.tensor], ours[pair.tensor], theirs[pair.raw], theirs[pair.seen], pair.tensor)
    layers = tuple(_layer(pair, tallies) for pair in pairs)
    wrong = next((layer.node for layer in layers if not _is_right(layer, limit_db)), None)
    return Layers(
        limit_db=limit_db,
        samples=len(feeds),
        matched=len(layers),
        nodes=len(one.graph.node),
        first_wrong=wrong,
        layers=layers,
    )


def _is_right(layer: Layer, limit_db: float) -> bool:
    dead = layer.is_table and layer.weakest_db is not None and layer.weakest_db < DEAD_DB
    return not dead and (layer.parity.elements == 0 or layer.parity.reaches(limit_db))


def weakest_layers(layers: Layers, count: int) -> tuple[Layer, ...]:
    """Those with the lowest parity, NaN and infinity before all; those that are equal are no weak ones."""
    found = [one for one in layers.layers if one.parity.elements and not one.parity.equal]
    found.sort(key=lambda one: -math.inf if one.parity.snr_db is None else one.parity.snr_db)
    return tuple(found[:count])


def noisiest(layers: Layers, count: int, *, leave: Sequence[str] = ()) -> tuple[str, ...]:
    """The names of the heavy nodes that bring in most noise themselves, without those in `leave`."""
    found = [one for one in layers.layers if one.op in HEAVY and one.added is not None and one.node not in leave]
    found.sort(key=lambda one: (-(one.added or 0.0), one.node))
    return tuple(one.node for one in found[:count])


class OpenedModel:
    """A model that gives the wanted tensors too, without any rewriting by the engine."""

    def __init__(self, model: Any, wanted: set[str]) -> None:
        onnx = import_onnx()
        import onnxruntime

        opened = onnx.ModelProto()
        opened.CopyFrom(model)
        present = {node.name for node in opened.graph.output}
        opened.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(wanted - present))
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(opened.SerializeToString(), options, ["CPUExecutionProvider"])
        except Exception as error:
            what = f"the model can't be run node by node: {str(error).splitlines()[0][:200]}"
            raise Trouble(what, cure="Export the model again", code="model_unreadable") from error
        self._names = sorted(wanted)

    def run(self, feed: Feed) -> Feed:
        """The wanted tensors by name. Raises Trouble `inference_error`."""
        try:
            found: list[Any] = self._session.run(self._names, feed)
        except Exception as error:
            what = f"the model fails on an input: {str(error).splitlines()[0][:200]}"
            raise Trouble(what, cure="Compare bundles of the same inputs", code="inference_error") from error
        return dict(zip(self._names, found, strict=True))


class _Parts:
    """A Tally and, for each channel, signal and noise."""

    def __init__(self) -> None:
        self.whole = Tally()
        self._signal: Any = None
        self._noise: Any = None
        self._peak: Any = None
        self.is_table = False

    def add(self, ours: Any, theirs: Any) -> None:
        self.whole.add(ours, theirs)
        axis = parts_axis(ours.shape)
        if axis is None:
            return
        ours, away = ours.astype(np.float64), ours.astype(np.float64) - theirs.astype(np.float64)
        others = tuple(at for at in range(ours.ndim) if at != axis)
        signal, noise = (ours**2).sum(axis=others), (away**2).sum(axis=others)
        self._signal = signal if self._signal is None else self._signal + signal
        self._noise = noise if self._noise is None else self._noise + noise
        peak = np.abs(ours).max(axis=others)
        self._peak = peak if self._peak is None else np.maximum(self._peak, peak)
        self.is_table = ours.ndim == 3

    def weakest(self) -> tuple[float | None, int | None]:
        """(dB, index) of the channel with the lowest ratio, among those with a signal that is not tiny."""
        if self._signal is None:
            return None, None
        known = (
            (self._peak >= _PEAK_SHARE * self._peak.max())
            & (self._signal > 0)
            & (self._noise > 0)
            & np.isfinite(self._signal)
            & np.isfinite(self._noise)
        )
        if not known.any():
            return None, None
        ratios = np.where(known, self._signal / np.where(known, self._noise, 1), np.inf)
        at = int(ratios.argmin())
        return float(10 * np.log10(ratios[at])), at


def parts_axis(shape: tuple[int, ...]) -> int | None:
    """Where a tensor's parts are counted, None where it has none: the channels of [n, c, h, w]; of a table [n, a, b] the
    shorter of both.
    """
    if len(shape) == 4:
        axis = 1
    elif len(shape) == 3:
        axis = 1 if shape[1] <= shape[2] else 2
    else:
        return None
    return axis if 1 < shape[axis] <= _MOST_PARTS else None


def _pairs(one: Any, other: Any) -> list[_Pair]:
    theirs = {name for node in other.graph.node for name in node.output}
    through = {node.input[0]: node for node in other.graph.node if node.op_type in _THROUGH}
    outputs = {node.name for node in other.graph.output}
    found = []
    for node in one.graph.node:
        if node.op_type in ("Constant", "Shape"):
            continue
        for tensor in node.output:
            if tensor in theirs:
                found.append(_Pair(node, tensor, tensor, _looked_through(tensor, through, outputs)))
    return found


def _looked_through(tensor: str, through: dict[str, Any], outputs: set[str]) -> str:
    """Past Q and DQ (both or none), and past casts."""
    at = tensor
    while at in through and at not in outputs:
        node = through[at]
        step = node.output[0]
        if node.op_type == "QuantizeLinear":
            if step not in through or through[step].op_type != "DequantizeLinear":
                break
            step = through[step].output[0]
        at = step
    return at


def _add(tallies: tuple[_Parts, Tally], ours: Any, raw: Any, seen: Any, tensor: str) -> None:
    if ours.dtype.kind != "f":
        return  # shapes, indices and flags are no signal
    if ours.shape != seen.shape:
        what = f"tensor {tensor!r} has the shape {list(ours.shape)} in one and {list(seen.shape)} in the other"
        raise Trouble(what, cure="Compare bundles of the same structure", code="not_alike")
    tallies[0].add(ours, seen)
    tallies[1].add(ours, raw)


def _layer(pair: _Pair, tallies: dict[str, tuple[_Parts, Tally]]) -> Layer:
    parts, raw = tallies[pair.tensor]
    weakest_db, weakest_part = parts.weakest()
    before = [_nsr(tallies[name][1].parity()) for name in pair.node.input if name in tallies]
    after = _nsr(raw.parity())
    return Layer(
        node=pair.node.name or pair.tensor,
        op=pair.node.op_type,
        tensor=pair.tensor,
        parity=parts.whole.parity(),
        weakest_db=weakest_db,
        weakest_part=weakest_part,
        is_table=parts.is_table,
        added=None if after is None else max(0.0, after - max((b for b in before if b is not None), default=0.0)),
    )


def _nsr(parity: Parity) -> float | None:
    """Noise over signal, as powers."""
    if parity.not_finite or parity.elements == 0:
        return None
    if parity.equal:
        return 0.0
    return None if parity.snr_db is None else float(10 ** (-parity.snr_db / 10))
