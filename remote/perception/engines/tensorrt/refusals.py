"""What can go wrong with a build, each as a sentence with its cure."""

from __future__ import annotations

from typing import Any

from remote.errors import Trouble
from remote.perception.engines.tensorrt.words import Words

_MEMORY_WORDS = ("out of memory", "outofmemory", "insufficient memory", "bad_alloc", "memory allocation")
_LAYER_WORDS = ("could not find any implementation", "no implementation", "unsupported", "not supported")
_LONGEST = 300


def refused_by_parser(parser: Any, words: Words) -> Trouble:
    """The parser did not take the model: its first error with the node that it is about."""
    errors = [parser.get_error(index) for index in range(parser.num_errors)]
    if not errors:
        return unreadable(words.last or "the parser gives no reason")
    first = errors[0]
    said = f"{_short(first.desc())} ({_word(first.code())})"
    more = f"; {len(errors) - 1} more of the kind" if len(errors) > 1 else ""
    node = _node(first)
    if not node:
        return unreadable(said + more)
    what = f"TensorRT does not take {node}: {said}{more}"
    cure = (
        "Export the model with operators that TensorRT has, or simplify it with `fieldgate model optimise`; "
        "until then it runs on ONNX Runtime"
    )
    return Trouble(what, cure=cure, code="engine_layer")


def unreadable(said: str) -> Trouble:
    """The file is no model."""
    cure = "Export the model again, or copy it again in full"
    return Trouble(f"TensorRT can't read the model: {said}", cure=cure, code="model_unreadable")


def mismatch(said: str) -> Trouble:
    """Model and contract differ."""
    cure = "Correct the contract's input or output, or make the bundle anew with `fieldgate model export`"
    return Trouble(f"contract and model differ: {said}", cure=cure, code="model_mismatch")


def nothing_built(words: Words, workspace_mb: int) -> Trouble:
    """The builder gave None: what it last said decides which cure is offered."""
    heard = " ".join(words.errors).lower()
    said = _short(words.last) or "it gave no reason"
    if any(word in heard for word in _MEMORY_WORDS):
        return out_of_memory(said, workspace_mb)
    if any(word in heard for word in _LAYER_WORDS):
        cure = "Try the float bundle, or free some memory; until then the model runs on ONNX Runtime"
        return Trouble(f"TensorRT has no way to run a layer: {said}", cure=cure, code="engine_layer")
    cure = "Look into the agent's log; until then the model runs on ONNX Runtime"
    return Trouble(f"TensorRT built no engine: {said}", cure=cure, code="engine_not_built")


def out_of_memory(said: str, workspace_mb: int) -> Trouble:
    """There was too little memory for the build."""
    cure = "Stop the worker while it is built, close other programs, or add swap"
    what = f"too little memory to build the engine (it was allowed {workspace_mb} MB of workspace): {said}"
    return Trouble(what, cure=cure, code="engine_out_of_memory")


def called_off() -> Trouble:
    """Somebody did not want the engine any more."""
    return Trouble("the build of the engine was called off", cure="Begin again when it suits", code="build_cancelled")


def unusable(said: str) -> Trouble:
    """An engine was built, but can't be loaded."""
    cure = "Build the engine again on this robot; until then the model runs on ONNX Runtime"
    return Trouble(f"the TensorRT engine can't be loaded: {said}", cure=cure, code="engine_unusable")


def _node(error: Any) -> str:
    """`node 3 (/head/NonZero, NonZero)` as far as this TensorRT knows it; empty where the error is about no node."""
    number = error.node()
    if number is None or number < 0:
        return ""
    names = [getattr(error, name)() for name in ("node_name", "node_operator") if hasattr(error, name)]
    inside = ", ".join(name for name in names if name)
    return f"node {number} ({inside})" if inside else f"node {number}"


def _word(code: Any) -> str:
    return str(getattr(code, "name", code))


def _short(text: str) -> str:
    return (text.strip().splitlines() or [""])[0][:_LONGEST]
