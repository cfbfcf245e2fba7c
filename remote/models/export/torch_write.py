"""From an nn.Module or TorchScript to ONNX and to TorchScript beside it. Needs PyTorch (extra `train`)."""

from __future__ import annotations

import contextlib
import inspect
import io
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from remote.errors import Trouble
from remote.models.export.runs import Run, each
from remote.models.export.wishes import Dynamic, Exporter
from remote.verdicts import Check

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
BATCH, HEIGHT, WIDTH = "batch", "height", "width"
_CURE = "Try --exporter dynamo (or trace), another --opset, or take out what depends on the values of the input"


@dataclass(frozen=True)
class Tensors:
    """Names and shapes (without batch) of what a module takes, and the names of what it gives. All float32 or uint8."""

    inputs: dict[str, tuple[int, ...]]
    outputs: tuple[str, ...]
    dtypes: dict[str, str]

    def zeros(self) -> tuple[Any, ...]:
        """One sample of zeros for each input."""
        return tuple(
            torch.zeros((1, *shape), dtype=getattr(torch, self.dtypes.get(name, "float32")))
            for name, shape in self.inputs.items()
        )


def write_onnx(
    module: Any, tensors: Tensors, path: Path, *, opset: int, exporter: Exporter, dynamic: Sequence[Dynamic] = ()
) -> Check:
    """Write the file; the check says whether torch warned that parts were frozen as they were for zeros.

    Raises:
        Trouble: `export_failed` with torch's first line.
    """
    settings: dict[str, Any] = {
        "input_names": list(tensors.inputs),
        "output_names": list(tensors.outputs),
        "opset_version": opset,
    }
    scripted = isinstance(module, torch.jit.ScriptModule)
    if exporter == "dynamo" and not scripted:
        settings |= {
            "dynamo": True,
            "external_data": False,
            "verbose": False,
            "dynamic_shapes": _open_shapes(module, tensors, dynamic),
        }
    else:
        settings |= {"dynamo": False, "do_constant_folding": True, "dynamic_axes": open_axes(tensors, dynamic)}
    with _quiet() as caught:
        try:
            torch.onnx.export(module, tensors.zeros(), str(path), **settings)
        except Exception as error:
            first = _first_cause(error)
            what = f"torch {torch.__version__} can't export it: {type(first).__name__}: {_short(first)}"
            raise Trouble(what, cure=_CURE, code="export_failed") from error
    return _tracing([one for one in caught if "Tracer" in one.category.__name__])


def torchscript_bytes(module: Any, tensors: Tensors) -> bytes:
    """The module as TorchScript: itself where it is, else traced."""
    with _quiet():
        scripted = module
        if not isinstance(module, torch.jit.ScriptModule):
            example = tensors.zeros()
            with torch.no_grad():
                scripted = torch.jit.trace(module, example, check_trace=False)
        packed = io.BytesIO()
        torch.jit.save(scripted, packed)
    return packed.getvalue()


def by_torch(module: Any, tensors: Tensors) -> Run:
    """Run the module as it is, on the CPU, sample by sample; tuples and lists of outputs are taken in order."""

    def one(inputs: dict[str, Any]) -> list[Any]:
        with torch.no_grad():
            given = module(*(torch.from_numpy(np.ascontiguousarray(inputs[name])) for name in tensors.inputs))
        flat = list(given) if isinstance(given, (tuple, list)) else [given]
        if len(flat) < len(tensors.outputs) or not all(isinstance(value, torch.Tensor) for value in flat):
            what = f"the module gives {_described(given)}, not {len(tensors.outputs)} tensors"
            raise Trouble(what, cure="Let the factory wrap it so that it gives tensors", code="model_mismatch")
        return [value.numpy() for value in flat]

    def run(inputs: dict[str, Any]) -> dict[str, Any]:
        try:
            return each(inputs, one, tensors.outputs)
        except (RuntimeError, TypeError, ValueError, IndexError, AttributeError) as error:
            shapes = {name: list(shape) for name, shape in tensors.inputs.items()}
            what = f"the module fails on {shapes}: {type(error).__name__}: {_short(error)}"
            raise Trouble(what, cure="Check --size, or the contract's input", code="model_mismatch") from error

    return run


def at_rest(module: Any) -> Any:
    """The module itself, on the CPU, in evaluation mode, asking for no gradients."""
    module = module.cpu().eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    return module


def open_axes(tensors: Tensors, dynamic: Sequence[Dynamic]) -> dict[str, dict[int, str]]:
    """Which axes get a name instead of a number: the batch everywhere, height and width of pictures [3, height, width]."""
    axes: dict[str, dict[int, str]] = {}
    for name, shape in tensors.inputs.items():
        given = {0: BATCH} if "batch" in dynamic else {}
        if "size" in dynamic and len(shape) == 3:
            given |= {2: HEIGHT, 3: WIDTH}
        if given:
            axes[name] = given
    if "batch" in dynamic:
        axes |= {name: {0: BATCH} for name in tensors.outputs}
    return axes


def _open_shapes(module: Any, tensors: Tensors, dynamic: Sequence[Dynamic]) -> Any:
    """The same for the newer exporter, which wants what `*inputs` takes as one nested tuple."""
    given = open_axes(tensors, dynamic)
    if not given:
        return None
    made = {word: torch.export.Dim(word) for axes in given.values() for word in axes.values()}
    shapes = tuple({at: made[word] for at, word in given.get(name, {}).items()} for name in tensors.inputs)
    parameters = inspect.signature(module.forward).parameters.values()
    return (shapes,) if any(one.kind is one.VAR_POSITIONAL for one in parameters) else shapes


def _tracing(caught: list[warnings.WarningMessage]) -> Check:
    if not caught:
        return Check(
            name="tracing", verdict="pass", text="nothing of it depends on the values of the input, as far as torch saw"
        )
    first = str(caught[0].message).splitlines()[0][:200]
    text = f"torch warned {len(caught)} times that it froze what may depend on the input; first: {first}"
    return Check(name="tracing", verdict="inconclusive", text=text, value=len(caught), unit="warnings")


@contextlib.contextmanager
def _quiet() -> Iterator[list[warnings.WarningMessage]]:
    """Torch's exporters tell a story; what matters of it is among the warnings."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("always")
            yield caught
    finally:
        logging.disable(before)


def _described(given: Any) -> str:
    if isinstance(given, (tuple, list)):
        return f"a {type(given).__name__} of {', '.join(type(one).__name__ for one in given)}"
    return f"a {type(given).__name__}"


def _first_cause(error: BaseException) -> BaseException:
    """The newer exporter wraps what went wrong in its own story."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _short(error: BaseException) -> str:
    lines = [line.strip() for line in _COLOURS.sub("", str(error)).splitlines() if line.strip()]
    return (lines or [""])[0][:300]
