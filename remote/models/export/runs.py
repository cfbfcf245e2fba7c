"""Running a model sample by sample: by ONNX Runtime with and without its optimisations, and by ONNX's own definition."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from remote.errors import Trouble
from remote.models.export.onnx_file import read_onnx
from remote.models.golden import Arrays
from remote.models.onnx_package import import_onnx
from remote.perception.engines.onnx_runtime import open_session

Run = Callable[[Arrays], Arrays]
"""Inputs by name, the first axis numbering the samples -> outputs in the same way."""


def each(inputs: Arrays, run: Callable[[Arrays], Sequence[Any]], names: Sequence[str]) -> Arrays:
    """Run `run` for every sample alone, with a batch axis of 1, and stack the outputs called `names`."""
    count = len(next(iter(inputs.values())))
    rows = [run({name: array[index : index + 1] for name, array in inputs.items()}) for index in range(count)]
    return {name: np.concatenate([np.asarray(row[place]) for row in rows]) for place, name in enumerate(names)}


def by_engine(model: Path, outputs: Sequence[str]) -> Run:
    """As robots run it: ONNX Runtime with its usual optimisations."""
    return _by_session(open_session(model), outputs)


def by_plain_engine(model: Path, outputs: Sequence[str]) -> Run:
    """ONNX Runtime with all its rewriting of the graph off: node after node as the file says."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return _by_session(session, outputs)


def by_definition(model: Path, outputs: Sequence[str]) -> Run:
    """ONNX's reference implementation in numpy: slow, and written by others than the engine's makers.

    The returned function raises Trouble `reference_lacks` for what that implementation can't run.
    """
    import_onnx()
    from onnx.reference import ReferenceEvaluator

    def run(inputs: Arrays) -> Arrays:
        try:
            # Its sigmoid overflows on the way to a right 0 and numpy warns of that; NaN is looked for in what comes out.
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                session = ReferenceEvaluator(read_onnx(model))
                return each(inputs, lambda one: session.run(list(outputs), one), outputs)
        except Exception as error:
            what = f"ONNX's reference can't run it: {str(error).splitlines()[0][:200] if str(error) else type(error).__name__}"
            raise Trouble(what, code="reference_lacks") from error

    return run


def _by_session(session: Any, outputs: Sequence[str]) -> Run:
    def run(inputs: Arrays) -> Arrays:
        try:
            return each(inputs, lambda one: session.run(list(outputs), one), outputs)
        except Exception as error:
            what = f"the exported model fails: {(str(error).splitlines() or [''])[0][:300]}"
            raise Trouble(
                what, cure="Look whether it runs where it was made, and export it again", code="model_mismatch"
            ) from error

    return run
