"""Buffers and a stream by CUDA's driver alone, for robots where neither pycuda nor cuda-python can be had; see
memory.Memory.
"""

from __future__ import annotations

import contextlib
import ctypes
import math
from collections.abc import Sequence

import numpy as np

from remote.perception.arrays import Tensor
from remote.perception.engines.tensorrt.driver import CudaError, Driver


class DriverMemory:
    """See memory.Memory."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.name = "CUDA driver"
        self._hosts: list[int] = []
        self._devices: list[int] = []
        self._device, context, stream = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p()
        driver.call("cuInit", ctypes.c_uint(0))
        driver.call("cuDeviceGet", ctypes.byref(self._device), ctypes.c_int(0))
        driver.call("cuDevicePrimaryCtxRetain", ctypes.byref(context), self._device)
        driver.call("cuCtxSetCurrent", context)
        driver.call("cuStreamCreate", ctypes.byref(stream), ctypes.c_uint(0))
        self._stream = stream
        self.stream = stream.value or 0

    def pinned(self, shape: Sequence[int], dtype: str) -> Tensor:
        """See Memory.pinned."""
        size = max(1, math.prod(shape) * np.dtype(dtype).itemsize)
        address = ctypes.c_void_p()
        self._driver.call("cuMemHostAlloc", ctypes.byref(address), ctypes.c_size_t(size), ctypes.c_uint(0))
        place = address.value or 0
        self._hosts.append(place)
        raw = (ctypes.c_ubyte * size).from_address(place)
        host: Tensor = np.frombuffer(memoryview(raw), np.dtype(dtype), math.prod(shape)).reshape(tuple(shape))
        host[...] = 0
        return host

    def device(self, size_bytes: int) -> int:
        """See Memory.device."""
        address = ctypes.c_uint64()
        self._driver.call("cuMemAlloc_v2", ctypes.byref(address), ctypes.c_size_t(size_bytes))
        self._devices.append(address.value)
        return address.value

    def to_device(self, address: int, host: Tensor) -> None:
        """See Memory.to_device."""
        place, size = ctypes.c_void_p(host.ctypes.data), ctypes.c_size_t(host.nbytes)
        self._driver.call("cuMemcpyHtoDAsync_v2", ctypes.c_uint64(address), place, size, self._stream)

    def to_host(self, host: Tensor, address: int) -> None:
        """See Memory.to_host."""
        place, size = ctypes.c_void_p(host.ctypes.data), ctypes.c_size_t(host.nbytes)
        self._driver.call("cuMemcpyDtoHAsync_v2", place, ctypes.c_uint64(address), size, self._stream)

    def wait(self) -> None:
        """See Memory.wait."""
        self._driver.call("cuStreamSynchronize", self._stream)

    def close(self) -> None:
        """See Memory.close."""
        with contextlib.suppress(CudaError):
            for address in self._devices:
                self._driver.call("cuMemFree_v2", ctypes.c_uint64(address))
            for place in self._hosts:
                self._driver.call("cuMemFreeHost", ctypes.c_void_p(place))
            self._driver.call("cuStreamDestroy_v2", self._stream)
            self._driver.call("cuDevicePrimaryCtxRelease_v2", self._device)
