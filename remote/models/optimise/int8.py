"""INT8 as explicit static symmetric Q/DQ, in the form that TensorRT's parser takes and ONNX Runtime runs."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from remote.errors import Trouble
from remote.models.comparing.layers import HEAVY
from remote.models.comparing.model_file import read_model
from remote.models.comparing.samples import Feed
from remote.models.onnx_package import import_onnx
from remote.models.optimise.graph import converting, decoding_part, heavy_nodes, model_bytes, opset_of, tidied

METHODS = ("minmax", "entropy", "percentile")
LEAST_OPSET = 13
"""From here on a weight may have a scale for each of its channels."""
_FORM = {"ActivationSymmetric": True, "QuantizeBias": False, "AddQDQPairToWeight": True}
_FORM_FOR_CPU = {"ActivationSymmetric": False}
"""UINT8 activations with a zero point and INT32 biases: what ONNX Runtime computes in whole numbers on a CPU. TensorRT
refuses both, and computes its own form in whole numbers, which ONNX Runtime computes in float."""
_MOST_AT_ONCE = 16


class Feeds(Protocol):
    """Inputs by number; each is made when it is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: int) -> Feed: ...


def prepared(model: Any) -> Any:
    """The model at an opset that knows scales by channel. Raises Trouble `nothing_to_quantise`, `opset_too_old`."""
    if not heavy_nodes(model):
        what = "the model has no convolution and no matrix product"
        raise Trouble(
            what, cure="There is nothing that INT8 makes faster: keep it in float", code="nothing_to_quantise"
        )
    if opset_of(model) >= LEAST_OPSET:
        return model
    from onnx import version_converter

    try:
        return tidied(version_converter.convert_version(model, LEAST_OPSET))
    except Exception as error:
        what = (
            f"the model's opset {opset_of(model)} can't be raised to {LEAST_OPSET}: {str(error).splitlines()[0][:160]}"
        )
        raise Trouble(what, cure=f"Export it with opset {LEAST_OPSET} or above", code="opset_too_old") from error


def float_nodes(model: Any, *, keep: Sequence[str] = (), whole: bool = False) -> tuple[str, ...]:
    """Nodes that stay in float: the decoding part (unless `whole`) and `keep`. One heavy node at least is quantised."""
    if whole:
        return tuple(keep)
    last, light = decoding_part(model)
    if set(last) == set(heavy_nodes(model)):
        last = ()
    return tuple(dict.fromkeys((*last, *light, *keep)))


def quantised(
    model: Any, feeds: Feeds, leave: Sequence[str], *, method: str, pack: bool, cpu: bool = False, heavy: bool = False
) -> Any:
    """The model with Q/DQ around all nodes but `leave`; scales from `feeds`.

    With `pack` the weights are stored as INT8: a quarter of the size. Without it they stay float32 behind Q and DQ, which
    every TensorRT from 8 on takes. With `cpu` the form is ONNX Runtime's own instead, which TensorRT refuses. With `heavy` only
    what convolutions and matrix products take in is quantised; all between them stays in float.

    Raises Trouble `not_convertible` for a model that is quantised already.
    """
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    methods = (CalibrationMethod.MinMax, CalibrationMethod.Entropy, CalibrationMethod.Percentile)
    chosen = dict(zip(METHODS, methods, strict=True))[method]
    form: dict[str, Any] = dict(_FORM_FOR_CPU if cpu else _FORM)
    if heavy:
        form["OpTypesToExcludeOutputQuantization"] = list(HEAVY)
    if method != "minmax":
        form["CalibStridedMinMax"] = _at_once(len(feeds))  # else every picture's tensors stay in memory
    with converting(model, "INT8"), tempfile.TemporaryDirectory() as folder, quiet():
        given, written = Path(folder) / "float.onnx", Path(folder) / "int8.onnx"
        given.write_bytes(model_bytes(model))
        quantize_static(
            str(given),
            str(written),
            _reader(feeds),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(HEAVY) if heavy else None,
            per_channel=True,
            activation_type=QuantType.QUInt8 if cpu else QuantType.QInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=list(leave),
            calibrate_method=chosen,
            calibration_providers=["CPUExecutionProvider"],
            extra_options=form,
        )
        made = read_model(written)
        return tidied(packed(made) if pack else made)


def packed(model: Any) -> Any:
    """The model with its weights stored as INT8, their QuantizeLinear done now instead of at each start."""
    import numpy as np
    from onnx import numpy_helper

    constants = {one.name: one for one in model.graph.initializer}
    for node in [n for n in model.graph.node if n.op_type == "QuantizeLinear" and n.input[0] in constants]:
        weights, scale = (numpy_helper.to_array(constants[name]) for name in node.input[:2])
        axis = next((one.i for one in node.attribute if one.name == "axis"), 1)
        shape = [-1 if at == axis % max(weights.ndim, 1) else 1 for at in range(weights.ndim)] if scale.size > 1 else []
        steps = np.clip(np.rint(weights / scale.reshape(shape)), -128, 127).astype(np.int8)
        model.graph.initializer.append(numpy_helper.from_array(steps, node.output[0]))
        model.graph.node.remove(node)
    used = {name for node in model.graph.node for name in node.input} | {one.name for one in model.graph.output}
    kept = [one for one in model.graph.initializer if one.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    import_onnx().checker.check_model(model)
    return model


def _at_once(count: int) -> int:
    """The largest number up to _MOST_AT_ONCE that divides `count`, as ONNX Runtime wants it."""
    return max(size for size in range(1, _MOST_AT_ONCE + 1) if count % size == 0)


def _reader(feeds: Feeds) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        """Hands one input after the other to the calibrator."""

        def __init__(self) -> None:
            self._left = iter(range(len(feeds)))

        def __len__(self) -> int:
            return len(feeds)

        def set_range(self, start_index: int, end_index: int) -> None:
            """Begin anew, with these inputs only."""
            self._left = iter(range(start_index, end_index))

        def get_next(self) -> Feed | None:
            """The next input, None at the end."""
            at = next(self._left, None)
            return None if at is None else feeds[at]

    return Reader()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """ONNX Runtime's quantiser narrates on stdout, which is for data, and warns of what was done above."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(before)
