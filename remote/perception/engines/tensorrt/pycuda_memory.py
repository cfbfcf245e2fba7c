"""Buffers and a stream by pycuda; see memory.Memory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from remote.perception.arrays import Tensor
from remote.perception.engines.tensorrt.driver import CudaError

ATTRIBUTES = (
    "init",
    "Device",
    "Stream",
    "pagelocked_empty",
    "mem_alloc",
    "memcpy_htod_async",
    "memcpy_dtoh_async",
    "Error",
)
"""What of pycuda.driver is used; beside them Device.retain_primary_context, Context.push, pop and detach."""


class PyCudaMemory:
    """See memory.Memory. `cuda` is the module pycuda.driver."""

    def __init__(self, cuda: Any) -> None:
        self._cuda = cuda
        self.name = "pycuda"
        self._kept: list[Any] = []
        with self._told():
            cuda.init()
            self._context = cuda.Device(0).retain_primary_context()
            self._context.push()
            self._stream = cuda.Stream()
        self.stream = int(self._stream.handle)

    def pinned(self, shape: Sequence[int], dtype: str) -> Tensor:
        """See Memory.pinned."""
        with self._told():
            host: Tensor = self._cuda.pagelocked_empty(tuple(shape), np.dtype(dtype))
        host[...] = 0
        return host

    def device(self, size_bytes: int) -> int:
        """See Memory.device."""
        with self._told():
            allocation = self._cuda.mem_alloc(size_bytes)
        self._kept.append(allocation)  # pycuda gives it back when nobody holds it
        return int(allocation)

    def to_device(self, address: int, host: Tensor) -> None:
        """See Memory.to_device."""
        self._do(self._cuda.memcpy_htod_async, address, host, self._stream)

    def to_host(self, host: Tensor, address: int) -> None:
        """See Memory.to_host."""
        self._do(self._cuda.memcpy_dtoh_async, host, address, self._stream)

    def wait(self) -> None:
        """See Memory.wait."""
        self._do(self._stream.synchronize)

    def close(self) -> None:
        """See Memory.close."""
        with contextlib.suppress(self._cuda.Error):
            self._kept.clear()
            self._context.pop()
            self._context.detach()

    def _do(self, call: Callable[..., object], *arguments: object) -> None:
        with self._told():
            call(*arguments)

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except self._cuda.Error as error:
            raise CudaError(str(error).strip() or type(error).__name__) from error
