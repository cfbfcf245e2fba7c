"""An engine's inputs and outputs, by name (8.5 and newer) or by number (before)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from remote.perception.engines.tensorrt import refusals
from remote.perception.engines.tensorrt.driver import CudaError

_DTYPES = {
    "FLOAT": "float32",
    "HALF": "float16",
    "INT8": "int8",
    "INT32": "int32",
    "INT64": "int64",
    "BOOL": "bool",
    "UINT8": "uint8",
}
"""TensorRT's own table (nptype) uses names that NumPy no longer has."""


class Tensors(Protocol):
    """One way to talk to an engine about its tensors. `inputs` and `outputs` are names in the engine's order."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def dtype(self, name: str) -> str:
        """NumPy's name of its type. Raises Trouble `model_mismatch` for one that NumPy has not."""

    def set_shape(self, name: str, shape: tuple[int, ...]) -> None:
        """Say the shape of an input. Raises Trouble `model_mismatch` where the engine was not built for it."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Its shape once all inputs' shapes are set; -1 where that depends on the data."""

    def place(self, addresses: Mapping[str, int]) -> None:
        """Say where each tensor lies on the GPU."""

    def start(self, stream: int) -> None:
        """Put the inference onto the stream. Raises CudaError."""


def tensors_of(trt: Any, engine: Any, context: Any) -> Tensors:
    """By name where this TensorRT can, else by number."""
    if hasattr(context, "execute_async_v3") and hasattr(context, "set_tensor_address"):
        return _Named(trt, engine, context)
    return _Numbered(engine, context)


class _Named:
    def __init__(self, trt: Any, engine: Any, context: Any) -> None:
        self._engine, self._context = engine, context
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        inputs = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]
        self.inputs = tuple(inputs)
        self.outputs = tuple(name for name in names if name not in inputs)

    def dtype(self, name: str) -> str:
        return _numpy(self._engine.get_tensor_dtype(name), name)

    def set_shape(self, name: str, shape: tuple[int, ...]) -> None:
        if not self._context.set_input_shape(name, shape):
            raise _other_shape(name, shape)

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._context.get_tensor_shape(name))

    def place(self, addresses: Mapping[str, int]) -> None:
        for name, address in addresses.items():
            if not self._context.set_tensor_address(name, address):
                raise CudaError(f"TensorRT does not take the place of tensor {name!r}")

    def start(self, stream: int) -> None:
        if not self._context.execute_async_v3(stream):
            raise CudaError("TensorRT did not start the inference")


class _Numbered:
    def __init__(self, engine: Any, context: Any) -> None:
        self._engine, self._context = engine, context
        names = [engine.get_binding_name(index) for index in range(engine.num_bindings)]
        self.inputs = tuple(name for index, name in enumerate(names) if engine.binding_is_input(index))
        self.outputs = tuple(name for name in names if name not in self.inputs)
        self._bindings = [0] * len(names)

    def dtype(self, name: str) -> str:
        return _numpy(self._engine.get_binding_dtype(self._number(name)), name)

    def set_shape(self, name: str, shape: tuple[int, ...]) -> None:
        if not self._context.set_binding_shape(self._number(name), shape):
            raise _other_shape(name, shape)

    def shape(self, name: str) -> tuple[int, ...]:
        return tuple(self._context.get_binding_shape(self._number(name)))

    def place(self, addresses: Mapping[str, int]) -> None:
        for name, address in addresses.items():
            self._bindings[self._number(name)] = address

    def start(self, stream: int) -> None:
        if not self._context.execute_async_v2(self._bindings, stream):
            raise CudaError("TensorRT did not start the inference")

    def _number(self, name: str) -> int:
        return int(self._engine.get_binding_index(name))


def _numpy(dtype: Any, name: str) -> str:
    word = str(getattr(dtype, "name", dtype))
    if word not in _DTYPES:
        raise refusals.mismatch(f"tensor {name!r} is of type {word}, which no contract has")
    return _DTYPES[word]


def _other_shape(name: str, shape: tuple[int, ...]) -> Exception:
    return refusals.mismatch(f"the engine was not built for {list(shape)} as input {name!r}")
