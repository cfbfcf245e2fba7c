"""An ONNX file read as data before any engine opens it: one file, valid, with shapes; opset and IR as they are in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remote.errors import Trouble
from remote.models.onnx_package import import_onnx
from remote.models.weights_apart import refuse_apart_in
from remote.verdicts import Check

MOST_IR = 10
"""What ONNX Runtime 1.18 reads, the oldest that this program runs with."""
MOST_BYTES = 2**31 - 1
_OWN_DOMAINS = ("", "ai.onnx")
_LONGEST_REASON = 300


@dataclass(frozen=True)
class Examined:
    """What stands in the file. Shapes by tensor name; an axis is a whole number, the name of an open one, or None."""

    opset: int
    ir_version: int
    producer: str
    nodes: int
    inputs: dict[str, tuple[Any, ...]]
    outputs: dict[str, tuple[Any, ...]]
    checks: tuple[Check, ...]


def read_onnx(path: Path) -> Any:
    """The file as a ModelProto; no other file is touched.

    Raises:
        Trouble: `model_missing`; `model_unreadable` for what is no ONNX; `model_apart` for weights in other files;
            `onnx_missing` where the package is not installed.
    """
    onnx = import_onnx()
    if not path.is_file():
        raise Trouble(f"model {path} does not exist", cure="Give the path of an ONNX file", code="model_missing")
    if path.stat().st_size > MOST_BYTES:
        raise Trouble(f"model {path} is longer than 2 GiB", cure="Export a smaller model", code="model_unreadable")
    data = path.read_bytes()
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:
        raise _unreadable(path, "is no ONNX file, or not a whole one") from error
    if not model.graph.node:
        raise _unreadable(path, "holds no graph")
    refuse_apart_in(data, path)
    return model


def examine(path: Path) -> Examined:
    """Check the file as ONNX's own checker does, infer its shapes, and tell what stands in it.

    Raises:
        Trouble: as `read_onnx`; `model_refused` where the checker or shape inference refuses it, or its IR is too new.
    """
    onnx = import_onnx()
    model = read_onnx(path)
    if model.ir_version > MOST_IR:
        what = f"model {path} has IR version {model.ir_version}; robots take up to {MOST_IR}"
        raise Trouble(what, cure="Export it with an older `onnx`, or set its ir_version lower", code="model_refused")
    try:
        onnx.checker.check_model(model, full_check=True)
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        what = f"model {path} is refused by ONNX's checker: {_short(error)}"
        raise Trouble(what, cure="Export it again", code="model_refused") from error
    opset = opset_of(model)
    given = {one.name for one in inferred.graph.initializer}
    return Examined(
        opset=opset,
        ir_version=int(model.ir_version),
        producer=f"{model.producer_name} {model.producer_version}".strip(),
        nodes=len(model.graph.node),
        inputs={one.name: _shape(one) for one in inferred.graph.input if one.name not in given},
        outputs={one.name: _shape(one) for one in inferred.graph.output},
        checks=(
            Check(name="opset", verdict="pass", text=f"opset {opset}, IR {model.ir_version}, read back", value=opset),
            Check(name="checker", verdict="pass", text="ONNX's checker takes it, shapes follow from its input"),
            _operators(model),
            _known_shapes(inferred),
        ),
    )


def opset_of(model: Any) -> int:
    """The version of ONNX's own operators that the file is written in."""
    return max((int(one.version) for one in model.opset_import if one.domain in _OWN_DOMAINS), default=0)


def _operators(model: Any) -> Check:
    foreign = sorted({f"{node.domain}.{node.op_type}" for node in _nodes(model) if node.domain not in _OWN_DOMAINS})
    if foreign:
        text = f"operators that only some engines have: {', '.join(foreign[:8])}"
        return Check(name="operators", verdict="inconclusive", text=text, value=len(foreign), unit="kinds")
    kinds = len({node.op_type for node in _nodes(model)})
    text = f"{len(model.graph.node)} nodes of {kinds} kinds, all of them ONNX's own"
    return Check(name="operators", verdict="pass", text=text, value=kinds, unit="kinds")


def _known_shapes(inferred: Any) -> Check:
    known = {one.name for one in inferred.graph.value_info if None not in _shape(one)}
    known |= {one.name for one in inferred.graph.output if None not in _shape(one)}
    unknown = [name for node in inferred.graph.node for name in node.output if name and name not in known]
    text = f"{len(unknown)} tensors have a shape that is known only when it runs" if unknown else "each shape is known"
    return Check(
        name="shapes", verdict="pass", text=text, value=len(unknown), unit="tensors", n=len(inferred.graph.node)
    )


def _shape(value: Any) -> tuple[Any, ...]:
    axes = value.type.tensor_type.shape.dim
    return tuple(axis.dim_value if axis.HasField("dim_value") else axis.dim_param or None for axis in axes)


def _nodes(model: Any) -> Iterator[Any]:
    for graph in _graphs(model):
        yield from graph.node
    for function in model.functions:
        yield from function.node


def _graphs(model: Any) -> Iterator[Any]:
    """The main graph and all that lie within nodes, those of functions and of training too."""
    waiting = [model.graph, *(graph for one in model.training_info for graph in (one.initialization, one.algorithm))]
    waiting += list(_within(node for function in model.functions for node in function.node))
    while waiting:
        graph = waiting.pop()
        yield graph
        waiting += list(_within(graph.node))


def _within(nodes: Iterable[Any]) -> Iterator[Any]:
    for node in nodes:
        for attribute in node.attribute:
            yield from (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs)


def _unreadable(path: Path, how: str) -> Trouble:
    return Trouble(f"model {path} {how}", cure="Export it again, or copy it again in full", code="model_unreadable")


def _short(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[0][:_LONGEST_REASON]
