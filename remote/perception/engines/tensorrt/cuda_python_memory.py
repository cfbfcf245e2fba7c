"""Buffers and a stream by NVIDIA's cuda-python; see memory.Memory."""

from __future__ import annotations

import contextlib
import ctypes
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from remote.perception.arrays import Tensor
from remote.perception.engines.tensorrt.driver import CudaError

ATTRIBUTES = (
    "cuInit",
    "cuDeviceGet",
    "cuDevicePrimaryCtxRetain",
    "cuDevicePrimaryCtxRelease",
    "cuCtxSetCurrent",
    "cuStreamCreate",
    "cuStreamDestroy",
    "cuStreamSynchronize",
    "cuMemHostAlloc",
    "cuMemFreeHost",
    "cuMemAlloc",
    "cuMemFree",
    "cuMemcpyHtoDAsync",
    "cuMemcpyDtoHAsync",
)
"""What of cuda.bindings.driver is used."""


class CudaPythonMemory:
    """See memory.Memory. `cuda` is the module cuda.bindings.driver; each of its functions gives back (error, *results)."""

    def __init__(self, cuda: Any) -> None:
        self._cuda = cuda
        self.name = "cuda-python"
        self._hosts: list[int] = []
        self._devices: list[int] = []
        self._call("cuInit", 0)
        self._device = self._call("cuDeviceGet", 0)
        self._call("cuCtxSetCurrent", self._call("cuDevicePrimaryCtxRetain", self._device))
        self._stream = self._call("cuStreamCreate", 0)
        self.stream = int(self._stream)

    def pinned(self, shape: Sequence[int], dtype: str) -> Tensor:
        """See Memory.pinned."""
        size = max(1, math.prod(shape) * np.dtype(dtype).itemsize)
        address = int(self._call("cuMemHostAlloc", size, 0))
        self._hosts.append(address)
        raw = (ctypes.c_ubyte * size).from_address(address)
        host: Tensor = np.frombuffer(memoryview(raw), np.dtype(dtype), math.prod(shape)).reshape(tuple(shape))
        host[...] = 0
        return host

    def device(self, size_bytes: int) -> int:
        """See Memory.device."""
        address = int(self._call("cuMemAlloc", size_bytes))
        self._devices.append(address)
        return address

    def to_device(self, address: int, host: Tensor) -> None:
        """See Memory.to_device."""
        self._call("cuMemcpyHtoDAsync", address, host.ctypes.data, host.nbytes, self._stream)

    def to_host(self, host: Tensor, address: int) -> None:
        """See Memory.to_host."""
        self._call("cuMemcpyDtoHAsync", host.ctypes.data, address, host.nbytes, self._stream)

    def wait(self) -> None:
        """See Memory.wait."""
        self._call("cuStreamSynchronize", self._stream)

    def close(self) -> None:
        """See Memory.close."""
        with contextlib.suppress(CudaError):
            for address in self._devices:
                self._call("cuMemFree", address)
            for address in self._hosts:
                self._call("cuMemFreeHost", address)
            self._call("cuStreamDestroy", self._stream)
            self._call("cuDevicePrimaryCtxRelease", self._device)

    def _call(self, name: str, *arguments: object) -> Any:
        try:
            error, *results = getattr(self._cuda, name)(*arguments)
        except RuntimeError as missing:  # it looks for the driver's library only now
            raise CudaError(f"{name} failed: {missing}") from missing
        if int(error):
            word = getattr(error, "name", f"CUDA error {int(error)}")
            raise CudaError(f"{name} failed: {word}")
        return results[0] if results else None
