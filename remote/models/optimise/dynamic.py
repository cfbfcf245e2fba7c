"""Dynamic quantisation, for CPUs: INT8 weights, and scales of activations found anew in each run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from remote.errors import Trouble
from remote.models.comparing.model_file import read_model
from remote.models.optimise.graph import converting, heavy_nodes, model_bytes, tidied
from remote.models.optimise.int8 import quiet
from remote.models.optimise.made import Made, tools

ONLY_CPU = ("MatMulInteger", "ConvInteger", "DynamicQuantizeLinear")
"""Operators of dynamic quantisation; TensorRT takes none of them."""


def made_dynamic(model: Any) -> Made:
    """Needs no pictures. Raises Trouble `nothing_to_quantise`, `not_convertible`."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    if not heavy_nodes(model):
        what = "the model has no convolution and no matrix product"
        raise Trouble(
            what, cure="There is nothing that INT8 makes faster: keep it in float", code="nothing_to_quantise"
        )
    with converting(model, "dynamic INT8"), tempfile.TemporaryDirectory() as folder, quiet():
        given, written = Path(folder) / "float.onnx", Path(folder) / "dynamic.onnx"
        given.write_bytes(model_bytes(model))
        # ConvInteger takes signed weights on few CPUs only.
        quantize_dynamic(str(given), str(written), weight_type=QuantType.QUInt8)
        made = tidied(read_model(written))
    notes = ("dynamic quantisation runs on ONNX Runtime on a CPU only: TensorRT does not take its operators",)
    return Made(step="dynamic", model=made, notes=notes, tools=tools("onnx", "onnxruntime"))


def refuse_for_tensorrt(engine: str) -> None:
    """Raise Trouble `dynamic_on_tensorrt` where the bundle is meant for TensorRT."""
    if engine == "tensorrt":
        what = f"dynamic quantisation makes {', '.join(ONLY_CPU)}, which TensorRT does not take"
        raise Trouble(what, cure="Use --int8 with --calibrate for TensorRT", code="dynamic_on_tensorrt")
