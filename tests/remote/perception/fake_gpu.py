"""A GPU that is none: memory at addresses, streams whose work is done when somebody waits, graphs, and pycuda's face of it.

Work that is put on a stream is not done before `synchronize`: an engine that reads its output too early reads zeros.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from remote.perception.arrays import Tensor

Work = Callable[[], None]
NAME, CAPABILITY, CUDA = b"Fake Orin", (8, 7), 12060


class FakeCudaError(Exception):
    """What the fake pycuda raises."""


class Stream:
    """Work in order; while a graph is recorded it goes there and is not done."""

    def __init__(self, gpu: FakeGpu) -> None:
        self._gpu = gpu
        self.handle = 0x1000 + len(gpu.streams)
        self._queue: list[Work] = []
        self.recording: list[Work] | None = None
        gpu.streams[self.handle] = self

    def put(self, work: Work) -> None:
        (self._queue if self.recording is None else self.recording).append(work)

    def synchronize(self) -> None:
        queue, self._queue = self._queue, []
        self._gpu.refuse("synchronize")
        for work in queue:
            work()


class FakeGpu:
    """`broken` names what fails: `init`, `no_gpu`, `mem_alloc`, `synchronize`, `capture`, `graph_numbers`."""

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.asked: list[str] = []
        self.memory: dict[int, bytearray] = {}
        self.streams: dict[int, Stream] = {}
        self.graphs: dict[int, list[Work]] = {}
        self.launches = 0
        self.contexts = 0

    def refuse(self, what: str) -> None:
        if what in self.broken:
            raise FakeCudaError(f"{what} failed: an illegal memory access was encountered")

    def read(self, address: int, like: Tensor) -> Tensor:
        return np.frombuffer(bytes(self.memory[address]), like.dtype, like.size).reshape(like.shape)

    def write(self, address: int, data: Tensor) -> None:
        whole = np.ascontiguousarray(data).tobytes()
        self.memory[address][: len(whole)] = whole

    # ------------------------------------------------------------ libcuda.so.1

    def library(self, name: str) -> Any:
        """What ctypes.CDLL would give."""
        self.asked.append(name)
        return SimpleNamespace(
            cuInit=lambda flags: self._asked("cuInit", 999 if "init" in self.broken else 0),
            cuDeviceGetCount=lambda count: _set(count, 0 if "no_gpu" in self.broken else 1),
            cuDeviceGet=lambda device, index: _set(device, 0),
            cuDriverGetVersion=lambda version: _set(version, CUDA),
            cuDeviceGetName=lambda name, size, device: _set_raw(name, NAME),
            cuDeviceGetAttribute=lambda value, which, device: _set(value, CAPABILITY[which.value - 75]),
            cuDeviceTotalMem_v2=lambda size, device: _set(size, 8 << 30),
            cuGetErrorName=lambda code, name: _set(name, b"CUDA_ERROR_OF_THE_FAKE"),
            cuStreamBeginCapture_v2=self._begin,
            cuStreamEndCapture=self._end,
            cuGraphInstantiateWithFlags=lambda ready, graph, flags: _set(ready, graph.value),
            cuGraphLaunch=self._launch,
            **self._memory_of_the_driver(),
            cuGraphExecDestroy=lambda ready: 0,
            cuGraphDestroy=lambda graph: 0 if self.graphs.pop(graph.value) is not None else 1,
        )

    def _memory_of_the_driver(self) -> dict[str, Any]:
        """The driver's own functions for memory: those of cuda-python behind ctypes' pointers."""
        face = self.cuda_python()

        def given(reference: Any, answer: tuple[Any, ...]) -> int:
            return _set(reference, answer[1]) if answer[0] == 0 else int(answer[0])

        return {
            "cuDevicePrimaryCtxRetain": lambda out, device: given(out, face.cuDevicePrimaryCtxRetain(0)),
            "cuDevicePrimaryCtxRelease_v2": lambda device: face.cuDevicePrimaryCtxRelease(0)[0],
            "cuCtxSetCurrent": lambda context: 0,
            "cuStreamCreate": lambda out, flags: given(out, face.cuStreamCreate(0)),
            "cuStreamDestroy_v2": lambda stream: 0,
            "cuStreamSynchronize": lambda stream: face.cuStreamSynchronize(stream.value)[0],
            "cuMemHostAlloc": lambda out, size, flags: given(out, face.cuMemHostAlloc(size.value, 0)),
            "cuMemFreeHost": lambda place: 0,
            "cuMemAlloc_v2": lambda out, size: given(out, face.cuMemAlloc(size.value)),
            "cuMemFree_v2": lambda address: 0,
            "cuMemcpyHtoDAsync_v2": lambda to, place, size, stream: face.cuMemcpyHtoDAsync(
                to.value, place.value, size.value, stream.value
            )[0],
            "cuMemcpyDtoHAsync_v2": lambda place, of, size, stream: face.cuMemcpyDtoHAsync(
                place.value, of.value, size.value, stream.value
            )[0],
        }

    def _asked(self, what: str, code: int) -> int:
        self.asked.append(what)
        return code

    def _begin(self, stream: Any, mode: Any) -> int:
        self.streams[stream.value].recording = []
        return 0

    def _end(self, stream: Any, graph: Any) -> int:
        recorded, self.streams[stream.value].recording = self.streams[stream.value].recording, None
        if "capture" in self.broken:
            return 901
        self.graphs[7] = recorded or []
        return _set(graph, 7)

    def _launch(self, ready: Any, stream: Any) -> int:
        self.launches += 1
        if "graph_numbers" not in self.broken:
            for work in self.graphs[ready.value]:
                self.streams[stream.value].put(work)
        return 0

    # ------------------------------------------------------------ pycuda.driver

    def pycuda(self) -> Any:
        """The module pycuda.driver."""
        return SimpleNamespace(
            init=lambda: None,
            Device=lambda index: SimpleNamespace(retain_primary_context=self._context),
            Stream=lambda: Stream(self),
            pagelocked_empty=lambda shape, dtype: np.full(shape, 77, dtype),
            mem_alloc=self._allocate,
            memcpy_htod_async=lambda address, host, stream: stream.put(lambda: self.write(address, host)),
            memcpy_dtoh_async=lambda host, address, stream: stream.put(lambda: self._copy_out(host, address)),
            Error=FakeCudaError,
        )

    def _context(self) -> Any:
        def push() -> None:
            self.contexts += 1

        def detach() -> None:
            self.contexts -= 1

        return SimpleNamespace(push=push, pop=lambda: None, detach=detach)

    def _allocate(self, size: int) -> int:
        if "mem_alloc" in self.broken:
            raise FakeCudaError("cuMemAlloc failed: out of memory")
        address = 0x10_0000 * (len(self.memory) + 1)
        self.memory[address] = bytearray(size)
        return address

    def _copy_out(self, host: Tensor, address: int) -> None:
        host[...] = self.read(address, host)

    # ------------------------------------------------------------ cuda.bindings.driver

    def cuda_python(self) -> Any:
        """The module cuda.bindings.driver: every function gives (error, *results)."""
        kept: dict[int, Any] = {}

        def host(size: int, flags: int) -> tuple[int, int]:
            buffer = (ctypes.c_ubyte * size)()
            address = ctypes.addressof(buffer)
            kept[address] = buffer
            return 0, address

        def allocate(size: int) -> tuple[int, ...]:
            return (2,) if "mem_alloc" in self.broken else (0, self._allocate(size))

        def inward(address: int, host: int, size: int, stream: int) -> tuple[int]:
            def work() -> None:
                self.memory[address][:size] = ctypes.string_at(host, size)

            self.streams[stream].put(work)
            return (0,)

        def outward(host: int, address: int, size: int, stream: int) -> tuple[int]:
            self.streams[stream].put(lambda: _move(host, bytes(self.memory[address][:size])))
            return (0,)

        def wait(stream: int) -> tuple[int]:
            try:
                self.streams[stream].synchronize()
            except FakeCudaError:
                return (700,)
            return (0,)

        return SimpleNamespace(
            cuInit=lambda flags: (0,),
            cuDeviceGet=lambda index: (0, 0),
            cuDevicePrimaryCtxRetain=lambda device: (0, self._context().push() or 1),
            cuDevicePrimaryCtxRelease=lambda device: (0 if self._context().detach() is None else 1,),
            cuCtxSetCurrent=lambda context: (0,),
            cuStreamCreate=lambda flags: (0, Stream(self).handle),
            cuStreamDestroy=lambda stream: (0,),
            cuStreamSynchronize=wait,
            cuMemHostAlloc=host,
            cuMemFreeHost=lambda address: (0,),
            cuMemAlloc=allocate,
            cuMemFree=lambda address: (0,),
            cuMemcpyHtoDAsync=inward,
            cuMemcpyDtoHAsync=outward,
        )


def _move(address: int, data: bytes) -> None:
    ctypes.memmove(address, data, len(data))


def _set(reference: Any, value: Any) -> int:
    reference._obj.value = value
    return 0


def _set_raw(buffer: Any, value: bytes) -> int:
    buffer.value = value
    return 0
