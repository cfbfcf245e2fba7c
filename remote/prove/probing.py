"""`python -m remote.prove.probing`: what CUDA and TensorRT are here, as one JSON object. In a process of its own: it may
die.
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import msgspec

from remote.child_side import claim_answers
from remote.perception.engines.tensorrt import attributes
from remote.perception.engines.tensorrt.driver import CudaError, ask_cuda
from remote.perception.engines.tensorrt.probe import import_tensorrt


class Probed(msgspec.Struct, frozen=True, kw_only=True):
    """What is here. `why` says why TensorRT is not used, empty where it is; `has` and `lacks` are names of its API."""

    why: str = ""
    gpu: str = ""
    capability: str = ""
    cuda: str = ""
    memory_mb: int = 0
    tensorrt: str = ""
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    buffers: str = ""


def probe() -> Probed:
    """Look. CUDA is asked before TensorRT is imported."""
    device = ask_cuda()
    if isinstance(device, str):
        return Probed(why=device)
    known = {"gpu": device.name, "capability": device.capability, "cuda": device.cuda, "memory_mb": device.memory_mb}
    trt = import_tensorrt(importlib.import_module)
    if isinstance(trt, str):
        return Probed(why=trt, **known)  # type: ignore[arg-type]
    lacking = attributes.missing(trt)
    return Probed(
        why=f"TensorRT lacks {', '.join(lacking)}" if lacking else "",
        tensorrt=str(getattr(trt, "__version__", "")),
        has=tuple(name for name, there in _names(trt) if there),
        lacks=tuple(name for name, there in _names(trt) if not there),
        missing=lacking,
        buffers=_buffers(),
        **known,  # type: ignore[arg-type]
    )


def _names(trt: Any) -> list[tuple[str, bool]]:
    ones = [(owner, name) for owner, names in attributes.REQUIRED.items() for name in names]
    ones += [one for group in attributes.EITHER for one in group] + list(attributes.OPTIONAL)
    return [(".".join(one), attributes.has(trt, *one)) for one in ones]


def _buffers() -> str:
    from remote.perception.engines.tensorrt.memory import open_memory

    try:
        memory = open_memory()
    except (OSError, CudaError) as error:
        return f"none: {error}"
    name = memory.name
    memory.close()
    return name


if __name__ == "__main__":
    answer = claim_answers()
    answer(probe())
    os._exit(0)
