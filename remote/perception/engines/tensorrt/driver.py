"""CUDA's driver, asked through its C library alone: before anything is imported that crashes a process without a GPU."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LIBRARY = "libcuda.so.1"
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, _MINOR
_NAME_BYTES = 256

Load = Callable[[str], Any]


class CudaError(Exception):
    """A CUDA call failed; the text names the call and says CUDA's word for it."""


@dataclass(frozen=True)
class Device:
    """The first GPU: its name, its compute capability (`8.7`), the driver's CUDA version (`12.6`), its memory."""

    name: str
    capability: str
    cuda: str
    memory_mb: int


class Driver:
    """CUDA's driver library. Raises OSError where there is none."""

    def __init__(self, load: Load = ctypes.CDLL) -> None:
        self._library = load(LIBRARY)

    def call(self, name: str, *arguments: Any) -> None:
        """Call a function that returns a CUresult. Raises CudaError where that is no success, or the function is missing."""
        try:
            function = getattr(self._library, name)
        except AttributeError:
            raise CudaError(f"this CUDA driver has no {name}") from None
        code = function(*arguments)
        if code:
            raise CudaError(f"{name} failed: {self.word(code)}")

    def word(self, code: int) -> str:
        """CUDA's name of an error, like `CUDA_ERROR_NO_DEVICE (100)`."""
        name = ctypes.c_char_p()
        try:
            self._library.cuGetErrorName(ctypes.c_int(code), ctypes.byref(name))
        except AttributeError:
            return f"CUDA error {code}"
        return f"{name.value.decode('ascii', 'replace')} ({code})" if name.value else f"CUDA error {code}"

    def first_device(self) -> Device:
        """Initialise CUDA and look at its first GPU. Raises CudaError where there is none."""
        self.call("cuInit", ctypes.c_uint(0))
        count, device, version = ctypes.c_int(), ctypes.c_int(), ctypes.c_int()
        self.call("cuDeviceGetCount", ctypes.byref(count))
        if count.value < 1:
            raise CudaError("CUDA has no GPU here")
        self.call("cuDeviceGet", ctypes.byref(device), ctypes.c_int(0))
        self.call("cuDriverGetVersion", ctypes.byref(version))
        capability = f"{self._attribute(_MAJOR, device)}.{self._attribute(_MINOR, device)}"
        cuda = f"{version.value // 1000}.{version.value % 1000 // 10}"
        return Device(self._name(device), capability, cuda, self._memory_mb(device))

    def _name(self, device: ctypes.c_int) -> str:
        name = ctypes.create_string_buffer(_NAME_BYTES)
        self.call("cuDeviceGetName", name, ctypes.c_int(_NAME_BYTES), device)
        return name.value.decode("utf-8", "replace")

    def _memory_mb(self, device: ctypes.c_int) -> int:
        size = ctypes.c_size_t()
        self.call("cuDeviceTotalMem_v2", ctypes.byref(size), device)
        return size.value // (1024 * 1024)

    def _attribute(self, which: int, device: ctypes.c_int) -> int:
        value = ctypes.c_int()
        self.call("cuDeviceGetAttribute", ctypes.byref(value), ctypes.c_int(which), device)
        return value.value


def ask_cuda(load: Load = ctypes.CDLL) -> Device | str:
    """The first GPU, or one sentence why CUDA does not answer here."""
    try:
        return Driver(load).first_device()
    except OSError:
        return f"there is no CUDA driver here ({LIBRARY} is missing)"
    except CudaError as error:
        return f"CUDA does not answer: {error}"
