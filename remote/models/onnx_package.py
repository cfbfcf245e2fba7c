"""The package `onnx`, which only making and comparing models needs: a robot runs them without it."""

from __future__ import annotations

from typing import Any

from remote.errors import Trouble


def import_onnx() -> Any:
    """The package `onnx` with its checker and shape inference. Raises Trouble `onnx_missing`."""
    try:
        import onnx
        import onnx.checker
        import onnx.shape_inference
    except ImportError as error:
        cure = "Install it: pip install 'fieldgate[optimise]'"
        raise Trouble("the package onnx is not installed here", cure=cure, code="onnx_missing") from error
    return onnx
