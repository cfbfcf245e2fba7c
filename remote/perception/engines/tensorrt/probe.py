"""Finding out what is here: CUDA first, then TensorRT's bindings, then what these have."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from remote.perception.engines.tensorrt.attributes import has, missing
from remote.perception.engines.tensorrt.driver import Device, ask_cuda
from remote.perception.engines.tensorrt.memory import ImportModule

MODULE = "tensorrt"
_LONGEST_REASON = 300

AskCuda = Callable[[], "Device | str"]


@dataclass(frozen=True)
class Found:
    """A TensorRT that can be used: its module, its version (for keys and people only), the GPU that it works for."""

    trt: Any
    version: str
    device: Device

    @property
    def typed(self) -> bool:
        """Whether networks can be strongly typed: the model's own types are kept, without flags."""
        return has(self.trt, "NetworkDefinitionCreationFlag", "STRONGLY_TYPED")

    @property
    def half_flag(self) -> bool:
        """Whether TensorRT may be allowed to use half precision where the model says float."""
        return has(self.trt, "BuilderFlag", "FP16")

    @property
    def monitored(self) -> bool:
        """Whether a build tells how far it is and can be called off."""
        return has(self.trt, "IProgressMonitor", "__init__") and has(self.trt, "IBuilderConfig", "progress_monitor")


def find(import_module: ImportModule = importlib.import_module, ask: AskCuda = ask_cuda) -> Found | str:
    """TensorRT, or one sentence why it is not used. CUDA is asked before TensorRT is imported.

    Only for a worker or a process of its own: without a working GPU TensorRT can end the process.
    """
    device = ask()
    if isinstance(device, str):
        return device
    trt = import_tensorrt(import_module)
    if isinstance(trt, str):
        return trt
    lacking = missing(trt)
    version = str(getattr(trt, "__version__", "of no known version"))
    if lacking:
        return f"TensorRT {version} lacks {', '.join(lacking[:5])}"
    return Found(trt, version, device)


def import_tensorrt(import_module: ImportModule = importlib.import_module) -> Any:
    """The module, or one sentence why there is none."""
    try:
        trt = import_module(MODULE)
    except Exception as error:  # noqa: BLE001 - its libraries raise what they like; each means that there is no TensorRT
        if isinstance(error, ModuleNotFoundError) and error.name == MODULE:
            return "TensorRT's Python package is not installed"
        return f"TensorRT can't be loaded: {str(error).strip()[:_LONGEST_REASON] or type(error).__name__}"
    # A folder of that name on the path can be imported too; it has no file.
    return trt if getattr(trt, "__file__", "") is not None else "TensorRT's Python package is not installed"
