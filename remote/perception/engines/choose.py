"""Which engine runs a model here: TensorRT where it was built on this robot, else ONNX Runtime, with the reason."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from remote.errors import Trouble
from remote.models.contract import Contract
from remote.perception.engines.base import Engine
from remote.perception.engines.onnx_runtime import OnnxRuntimeEngine
from remote.perception.engines.wishes import NOT_TENSORRT, Wishes, why_only_onnx_runtime

if TYPE_CHECKING:
    from remote.perception.engines.tensorrt.kit import Kit

log = logging.getLogger("fieldgate.engines")

OpenKit = Callable[[], "Kit | str"]


def why_not_tensorrt() -> str:
    """One sentence why this process can't use TensorRT; empty where it can. CUDA is asked first. Takes up to seconds."""
    kit = this_kit()
    return kit if isinstance(kit, str) else ""


def open_engine(
    model: Path,
    contract: Contract,
    *,
    threads: int,
    cache: Path | None,
    wishes: Wishes | None = None,
    open_kit: OpenKit | None = None,
) -> Engine:
    """The best engine for this model on this machine; nothing is built.

    Args:
        model: the verified ONNX file.
        contract: what goes in and comes out.
        threads: of ONNX Runtime.
        cache: the folder of engines that this robot built; None: ONNX Runtime.
        wishes: how the engine was wished to be built.
        open_kit: gives the TensorRT of this machine.

    Raises:
        Trouble: as OnnxRuntimeEngine. Where the engine in the cache can't be used, or the bundle is made for ONNX Runtime
            alone, the model runs on ONNX Runtime, and its name says why.
    """
    if cache is None:
        return OnnxRuntimeEngine(model, contract, threads=threads)
    if only := why_only_onnx_runtime(model):
        return _told(OnnxRuntimeEngine(model, contract, threads=threads), only)
    kit = (open_kit or this_kit)()
    if isinstance(kit, str):
        log.info("TensorRT is not used: %s", kit)
        return OnnxRuntimeEngine(model, contract, threads=threads)
    try:
        opened = kit.open(model, contract, cache, wishes)
    except Trouble as trouble:
        opened = trouble.what
    if not isinstance(opened, str):
        return opened
    log.warning("TensorRT is not used: %s", opened)
    return _told(OnnxRuntimeEngine(model, contract, threads=threads), opened)


def _told(engine: OnnxRuntimeEngine, why: str) -> OnnxRuntimeEngine:
    """Somebody who owns a GPU wants to know."""
    engine.name += NOT_TENSORRT + why
    return engine


def this_kit() -> Kit | str:
    """This machine's TensorRT. Its modules are imported only here: nothing of them is loaded where there is no CUDA."""
    from remote.perception.engines.tensorrt.driver import ask_cuda

    device = ask_cuda()
    if isinstance(device, str):
        return device
    from remote.perception.engines.tensorrt.kit import open_kit

    return open_kit()
