"""Buffers and the one stream of an engine: by pycuda, or by cuda-python where pycuda can't be built."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from remote.errors import Trouble
from remote.perception.arrays import Tensor

ImportModule = Callable[[str], Any]


class Memory(Protocol):
    """Made on the first GPU's primary context, which TensorRT uses too; for one thread. Its methods raise CudaError.

    Attributes:
        name: which library it is, for people.
        stream: the stream's handle.
    """

    name: str
    stream: int

    def pinned(self, shape: Sequence[int], dtype: str) -> Tensor:
        """Host memory that the GPU can copy from and to while the processor does something else; zeros."""

    def device(self, size_bytes: int) -> int:
        """Memory on the GPU; its address."""

    def to_device(self, address: int, host: Tensor) -> None:
        """Put a copy onto the stream."""

    def to_host(self, host: Tensor, address: int) -> None:
        """Put a copy onto the stream."""

    def wait(self) -> None:
        """Return when all that is on the stream is done."""

    def close(self) -> None:
        """Give everything back. Never raises: the device may be gone."""


def open_memory(import_module: ImportModule = importlib.import_module) -> Memory:
    """The first of pycuda and cuda-python that is installed.

    Raises Trouble `engine_missing` where none is, CudaError where the GPU gives no context.
    """
    from remote.perception.engines.tensorrt.cuda_python_memory import CudaPythonMemory
    from remote.perception.engines.tensorrt.pycuda_memory import PyCudaMemory

    for module, make in (("pycuda.driver", PyCudaMemory), ("cuda.bindings.driver", CudaPythonMemory)):
        try:
            found = import_module(module)
        except ImportError:
            continue
        return make(found)
    try:  # what cuda-python was called before 12.8
        return CudaPythonMemory(import_module("cuda.cuda"))
    except ImportError:
        cure = "Install pycuda, or cuda-python where pycuda can't be built"
        raise Trouble("neither pycuda nor cuda-python is installed", cure=cure, code="engine_missing") from None
