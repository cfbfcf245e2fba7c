"""How engines are wished to be built, and why a model is kept from TensorRT. Light: the agent loads it too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from remote.errors import Trouble
from remote.ready_types import ready

Precision = Literal["as_exported", "fp16"]
WORKSPACE_MB = 1024

NOT_TENSORRT = "; not TensorRT: "
"""Stands in an engine's name between ONNX Runtime and the reason, where there is a GPU or the bundle itself is the reason."""
NOTHING_BUILT = "no engine was built on this robot for this model yet"
ONLY_ONNX_RUNTIME = "the bundle is made for ONNX Runtime alone"


class Wishes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an engine is to be built; part of what it belongs to.

    `precision`: `as_exported` computes in the types that the model was written in, also where it is quantised; `fp16` allows
    half precision beside them, only for TensorRTs that can be allowed it. `workspace_mb` bounds the scratch memory of a layer.
    """

    precision: Precision = "as_exported"
    workspace_mb: Annotated[int, msgspec.Meta(ge=16, le=65_536)] = WORKSPACE_MB


def words_of(wishes: Wishes) -> str:
    """The wishes as one word of a command line."""
    return msgspec.json.encode(wishes).decode()


def wishes_in(word: str) -> Wishes:
    """The wishes in that word. Raises msgspec.DecodeError for one that words_of did not make."""
    return msgspec.json.decode(word, type=ready(Wishes))


def why_only_onnx_runtime(model: Path) -> str:
    """Why TensorRT is never given this bundle's model, by the provenance.json beside it; empty where nothing speaks against it.

    Dynamic quantisation and ONNX Runtime's own form of INT8 are made of what TensorRT's parser refuses.
    """
    from remote.models.provenance import read_provenance

    try:
        provenance = read_provenance(model.parent)
    except Trouble as trouble:
        return trouble.what
    if provenance is None:
        return ""
    if provenance.step == "dynamic":
        return f"{ONLY_ONNX_RUNTIME}: it is quantised dynamically"
    if provenance.settings.get("form") == "onnxruntime":
        return f"{ONLY_ONNX_RUNTIME}: its INT8 is in the form for CPUs (`--for cpu`)"
    return ""
