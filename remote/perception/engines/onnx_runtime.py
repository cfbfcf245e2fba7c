"""ONNX Runtime, with buffers bound once: the engine that runs everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from remote.errors import Trouble
from remote.models.contract import Contract
from remote.perception.arrays import Tensor
from remote.perception.faults import InferenceError
from remote.perception.preprocess import input_shape

_ORT_DTYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8"}
_PREFERRED = ("CUDAExecutionProvider", "CPUExecutionProvider")
_LONGEST_REASON = 300


def open_session(model: Path, *, threads: int = 1) -> Any:
    """An InferenceSession on the best provider of this installation.

    Raises:
        Trouble: code `engine_missing` without onnxruntime, `model_unreadable` for a file it can't load.
    """
    ort = _import()
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Several threads would otherwise spin between two frames and take a robot's cores for nothing.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3  # its warnings are for the model's makers
    present = [name for name in _PREFERRED if name in ort.get_available_providers()]
    try:
        return ort.InferenceSession(str(model), options, providers=present)
    except _errors() as error:
        what = f"model {model} can't be loaded by ONNX Runtime {ort.__version__}: {_short(error)}"
        raise Trouble(what, cure="Export the model again, or copy it again in full", code="model_unreadable") from error


def name_of(session: Any, threads: int) -> str:
    """Engine, version, provider and threads, for people: the one spelling of it."""
    provider = session.get_providers()[0].removesuffix("ExecutionProvider")
    return f"ONNX Runtime {_import().__version__}, {provider}, {threads} thread{'s' if threads != 1 else ''}"


class OnnxRuntimeEngine:
    """A model in ONNX Runtime; see base.Engine.

    Raises:
        Trouble: code `model_unreadable`, or `model_mismatch` where names, shapes or types differ from the contract's.
    """

    def __init__(self, model: Path, contract: Contract, *, threads: int = 1) -> None:
        self._session = open_session(model, threads=threads)
        refuse_wrong_input(self._session, contract)
        refuse_unknown_output(self._session, contract)
        given = contract.input
        self.input: Tensor = np.zeros(input_shape(given), given.dtype)
        self.output: Tensor = self._first_output(given.name, contract.output.name)
        self._binding = self._session.io_binding()
        self._binding.bind_cpu_input(given.name, self.input)
        out = self.output
        self._binding.bind_output(contract.output.name, "cpu", 0, out.dtype.type, out.shape, out.ctypes.data)
        self.name = name_of(self._session, threads)

    def _first_output(self, input_name: str, output_name: str) -> Tensor:
        """One unbound run: it tells the output's shape also where the file leaves dimensions open."""
        try:
            result = self._session.run([output_name], {input_name: self.input})[0]
        except _errors() as error:
            what = f"the model fails on an input of shape {list(self.input.shape)}: {_short(error)}"
            raise Trouble(what, cure="Correct input.width and input.height", code="model_mismatch") from error
        return np.ascontiguousarray(result)

    def run(self) -> None:
        """See Engine.run."""
        try:
            self._session.run_with_iobinding(self._binding)
        except _errors() as error:
            raise InferenceError(f"the engine failed: {_short(error)}") from error

    def warm_up(self, runs: int) -> None:
        """See Engine.warm_up."""
        for _ in range(runs):
            self.run()

    def close(self) -> None:
        """See Engine.close."""
        self._binding.clear_binding_inputs()
        self._binding.clear_binding_outputs()
        del self._binding, self._session


def refuse_wrong_input(session: Any, contract: Contract) -> None:
    """Raise Trouble `model_mismatch` unless the model takes the contract's input: name, layout, size and type."""
    given = contract.input
    inputs = {node.name: node for node in session.get_inputs()}
    node = inputs.get(given.name)
    if node is None or len(inputs) != 1:
        raise _mismatch(f"the model's inputs are {sorted(inputs)}; the contract's is {given.name!r}", "input.name")
    if _ORT_DTYPES.get(node.type) != given.dtype:
        raise _mismatch(f"the model takes {node.type}; the contract says {given.dtype}", "input.dtype")
    expected = input_shape(given)
    # A dimension left open in the file is a word or None and fits everything.
    fits = len(node.shape) == 4 and all(
        not isinstance(has, int) or has == wants for has, wants in zip(node.shape, expected, strict=True)
    )
    if not fits:
        what = f"the model takes {list(node.shape)}; the contract's {given.layout} input is {list(expected)}"
        raise _mismatch(what, "input.width, input.height and input.layout")


def refuse_unknown_output(session: Any, contract: Contract) -> None:
    """Raise Trouble `model_mismatch` unless the model has the contract's output."""
    names = [node.name for node in session.get_outputs()]
    if contract.output.name not in names:
        raise _mismatch(f"the model's outputs are {names}; the contract's is {contract.output.name!r}", "output.name")


def _mismatch(what: str, keys: str) -> Trouble:
    cure = f"Correct {keys} in the contract, or make the bundle anew with `fieldgate model export`"
    return Trouble(f"contract and model differ: {what}", cure=cure, code="model_mismatch")


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:_LONGEST_REASON]


def _import() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        cure = "Install it: pip install 'fieldgate[robot]'"
        raise Trouble("ONNX Runtime is not installed here", cure=cure, code="engine_missing") from error
    return onnxruntime


def _errors() -> tuple[type[BaseException], ...]:
    """Everything ONNX Runtime raises: its exceptions share no base class below Exception."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (RuntimeError, ValueError, TypeError, *own)
