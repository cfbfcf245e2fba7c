"""A CUDA graph: the copies and kernels of one frame, recorded once, so that a frame costs one launch instead of dozens."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Callable

from remote.perception.engines.tensorrt.driver import CudaError, Driver

_THREAD_LOCAL = 1  # CU_STREAM_CAPTURE_MODE_THREAD_LOCAL: what other threads do does not disturb


class Graph:
    """Recorded work. `close` gives it back."""

    def __init__(self, driver: Driver, graph: ctypes.c_void_p, ready: ctypes.c_void_p, stream: int) -> None:
        self._driver, self._graph, self._ready, self._stream = driver, graph, ready, ctypes.c_void_p(stream)

    def launch(self) -> None:
        """Start the recorded work on its stream. Raises CudaError."""
        self._driver.call("cuGraphLaunch", self._ready, self._stream)

    def close(self) -> None:
        """Let it go."""
        with contextlib.suppress(CudaError):  # a device that is gone has nothing to give back
            self._driver.call("cuGraphExecDestroy", self._ready)
            self._driver.call("cuGraphDestroy", self._graph)


def record(driver: Driver, stream: int, work: Callable[[], None]) -> Graph:
    """Record what `work` puts on `stream`; nothing of it is done. Raises CudaError, or what `work` raises."""
    handle, graph, ready = ctypes.c_void_p(stream), ctypes.c_void_p(), ctypes.c_void_p()
    driver.call("cuStreamBeginCapture_v2", handle, ctypes.c_int(_THREAD_LOCAL))
    try:
        work()
    except BaseException:
        with contextlib.suppress(CudaError):  # it ends the recording; that it is spoilt is known
            driver.call("cuStreamEndCapture", handle, ctypes.byref(graph))
        raise
    driver.call("cuStreamEndCapture", handle, ctypes.byref(graph))
    driver.call("cuGraphInstantiateWithFlags", ctypes.byref(ready), graph, ctypes.c_ulonglong(0))
    return Graph(driver, graph, ready, stream)
