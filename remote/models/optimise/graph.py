"""A model's graph made ready for optimising: simplified, every node named, what its end is."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from remote.errors import Trouble
from remote.models.comparing.layers import HEAVY
from remote.models.comparing.model_file import read_model
from remote.models.onnx_package import import_onnx

STANDARD = ("", "ai.onnx")
_HALF = 10


def simplified(path: Path) -> Any:
    """The model with constants folded and what changes nothing taken out, in standard operators only.

    ONNX Runtime's own basic rewriting is used: it is the engine's, so nothing else has to be trusted. A model in half precision
    is only tidied: on a CPU that rewriting puts casts around all that it computes in float32 there. Raises Trouble
    `model_unreadable`, or `not_standard` for a model with operators that only one engine knows.
    """
    import onnxruntime

    from remote.perception.engines.onnx_runtime import open_session

    model = read_model(path)
    refuse_foreign(model)
    open_session(path)  # its refusals are sentences
    if _is_half(model):
        return tidied(model)
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "model.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(written)
        options.log_severity_level = 4
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        return tidied(read_model(written))


def tidied(model: Any) -> Any:
    """The same model with only the operator sets that it uses, each node named, checked by ONNX's checker."""
    refuse_foreign(model)
    used = {node.domain for node in model.graph.node} | {""}
    kept = [one for one in model.opset_import if one.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    taken = {node.name for node in model.graph.node}
    for at, node in enumerate(model.graph.node):
        if not node.name:
            node.name = next(n for n in (f"{node.op_type}_{at}", f"{node.op_type}_{at}_unnamed") if n not in taken)
    _in_order(model.graph)
    import_onnx().checker.check_model(model, full_check=True)
    return model


def _in_order(graph: Any) -> None:
    """Put each node behind those that it takes from: converters append their casts at the end."""
    made = {name for node in graph.node for name in node.output if name}
    waiting, ready = list(graph.node), set[str]()
    done: list[Any] = []
    while waiting:
        later = []
        for node in waiting:
            if all(name in ready for name in _taken(node) if name in made):
                ready.update(node.output)
                done.append(node)
            else:
                later.append(node)
        if len(later) == len(waiting):
            return  # a circle: the checker says where
        waiting = later
    del graph.node[:]
    graph.node.extend(done)


def _taken(node: Any) -> list[str]:
    """What a node takes, inside of its branches and loops too."""
    inner = [one.g for one in node.attribute if one.HasField("g")]
    return [*node.input, *(name for graph in inner for sub in graph.node for name in _taken(sub))]


def refuse_foreign(model: Any) -> None:
    """Raise Trouble `not_standard` where a node is of no standard operator set."""
    foreign = sorted({f"{n.domain}.{n.op_type}" for n in model.graph.node if n.domain not in STANDARD})
    if foreign:
        what = f"the model has operators outside of ONNX's own: {', '.join(foreign[:4])}"
        raise Trouble(
            what, cure="Optimise the model as it was exported, not an engine's copy of it", code="not_standard"
        )


@contextmanager
def converting(model: Any, into: str) -> Iterator[None]:
    """A converter within that does not take the model is a Trouble `not_convertible`, which says what is special about it.

    `into` is what it makes, in words. A full disk and what says itself what to do pass through.
    """
    was = _not_float(model)
    try:
        yield
    except (OSError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, Trouble) and error.code != "model_unreadable":
            raise
        reason = was or (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        cure = "Give the float bundle that it was made from" if was else "Export the model again, with another opset"
        raise Trouble(f"the model can't be made {into}: {reason}", cure=cure, code="not_convertible") from error


def _not_float(model: Any) -> str:
    """In words what was done to it already; empty for a float model."""
    if any("Quantize" in node.op_type or node.op_type.endswith("Integer") for node in model.graph.node):
        return "it is quantised already"
    return "it is in half precision already" if _is_half(model) else ""


def _is_half(model: Any) -> bool:
    return any(one.data_type == _HALF for one in model.graph.initializer)


def opset_of(model: Any) -> int:
    """The version of ONNX's own operators, read from the model."""
    return next((int(one.version) for one in model.opset_import if one.domain in STANDARD), 0)


def model_bytes(model: Any) -> bytes:
    """The file's bytes; equal models give equal bytes."""
    data: bytes = model.SerializeToString(deterministic=True)
    return data


def heavy_nodes(model: Any) -> tuple[str, ...]:
    """Names of the convolutions and matrix products, in the graph's order."""
    return tuple(node.name for node in model.graph.node if node.op_type in HEAVY)


def decoding_part(model: Any) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(the last heavy nodes of each branch, every light node behind them).

    That is where a detector turns numbers into boxes and scores. Quantised together in one tensor, coordinates up to the
    picture's width leave the scores, at most 1, a single step.
    """
    users: dict[str, list[Any]] = {}
    for node in model.graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    leads: dict[str, bool] = {}
    for node in reversed(model.graph.node):
        later = [user for name in node.output for user in users.get(name, [])]
        leads[node.name] = any(user.op_type in HEAVY or leads[user.name] for user in later)
    ends = [node for node in model.graph.node if not leads[node.name]]
    last = tuple(node.name for node in ends if node.op_type in HEAVY)
    return last, tuple(node.name for node in ends if node.op_type not in HEAVY)


def refuse_unknown_nodes(model: Any, names: Sequence[str]) -> None:
    """Raise Trouble `usage` for a node name that the model does not have."""
    present = {node.name for node in model.graph.node}
    for name in names:
        if name not in present:
            cure = "Give a name that `fieldgate model layers` shows"
            raise Trouble(f"the model has no node {name!r}", cure=cure, code="usage")
