"""Buffers and the one stream of an engine: by pycuda, by cuda-python where it can't be built, or by the driver itself."""

from __future__ import annotations

import ctypes
import importlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from remote.perception.arrays import Tensor
from remote.perception.engines.tensorrt.driver import Driver, Load

log = logging.getLogger("fieldgate.engines")

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


def open_memory(import_module: ImportModule = importlib.import_module, load: Load = ctypes.CDLL) -> Memory:
    """By pycuda where it can be loaded, else by cuda-python, else by the driver itself; `load` gives its library.

    Raises CudaError where the GPU gives no context, OSError without a driver.
    """
    from remote.perception.engines.tensorrt.cuda_python_memory import CudaPythonMemory
    from remote.perception.engines.tensorrt.driver_memory import DriverMemory
    from remote.perception.engines.tensorrt.pycuda_memory import PyCudaMemory

    makers: tuple[tuple[str, Callable[[Any], Memory]], ...] = (
        ("pycuda.driver", PyCudaMemory),
        ("cuda.bindings.driver", CudaPythonMemory),
        ("cuda.cuda", CudaPythonMemory),  # what it was called before 12.8
    )
    for module, make in makers:
        try:
            found = import_module(module)
        except (ImportError, AttributeError) as error:  # built for another NumPy, pycuda raises the one or the other
            log.info("%s is not used: %s", module, error)
            continue
        return make(found)
    return DriverMemory(Driver(load))
