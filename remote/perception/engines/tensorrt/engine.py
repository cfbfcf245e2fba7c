"""A plan at work: pinned buffers, one stream, asynchronous copies, and a CUDA graph of it all where that can be recorded."""

from __future__ import annotations

import contextlib
import math
from typing import Any

import numpy as np

from remote.errors import Trouble
from remote.models.contract import Contract
from remote.perception.arrays import Tensor
from remote.perception.engines.tensorrt import refusals
from remote.perception.engines.tensorrt.driver import CudaError, Driver
from remote.perception.engines.tensorrt.graph import Graph, record
from remote.perception.engines.tensorrt.memory import Memory
from remote.perception.engines.tensorrt.probe import Found
from remote.perception.engines.tensorrt.tensors import tensors_of
from remote.perception.engines.tensorrt.words import Words
from remote.perception.faults import EngineLost, InferenceError
from remote.perception.preprocess import input_shape

LOST_AFTER = 3
"""So many failed frames in a row mean that the GPU's context is gone, which only a new process gets back."""
_GRAPH_TOLERANCE = 1e-3


class TensorRTEngine:
    """A loaded plan; see base.Engine. For one thread, the one that made it.

    Args:
        found: the TensorRT that built the plan.
        plan: built on this robot, see cache.EngineCache: it is native code.
        contract: names, sizes and types of what goes in and comes out.
        memory: its buffers and stream, closed with it, also when this fails.
        driver: records the CUDA graph; None: every frame is launched piece by piece.

    Raises:
        Trouble: `engine_unusable`, `engine_out_of_memory` or `model_mismatch`.
    """

    def __init__(self, found: Found, plan: bytes, contract: Contract, memory: Memory, driver: Driver | None) -> None:
        self._memory, self._words = memory, Words(found.trt)
        self._graph: Graph | None = None
        self._failed = 0
        try:
            self._load(found.trt, plan)
            self._bind(found.trt, contract)
        except CudaError as error:
            self.close()
            raise _no_room(error) from error
        except BaseException:
            self.close()
            raise
        how = self._record(driver)
        types = {"float32": "FP32", "float16": "FP16", "uint8": "UINT8"}.get(contract.input.dtype, "")
        device = found.device
        self.name = f"TensorRT {found.version}, {device.name} ({device.capability}), {types} in, {memory.name}, {how}"

    def _load(self, trt: Any, plan: bytes) -> None:
        try:
            self._runtime = trt.Runtime(self._words.logger)
        except (RuntimeError, TypeError) as error:  # pybind11's word for "there is none" is a TypeError
            raise refusals.unusable(self._words.last or str(error)) from error
        self._engine = self._runtime.deserialize_cuda_engine(plan)
        if self._engine is None:
            raise refusals.unusable(self._words.last or "TensorRT gives no reason")
        self._context = self._engine.create_execution_context()
        if self._context is None:
            said = self._words.last or "TensorRT gives no execution context"
            raise _no_room(CudaError(said))

    def _bind(self, trt: Any, contract: Contract) -> None:
        self._tensors = tensors = tensors_of(trt, self._engine, self._context)
        given, wanted = contract.input, contract.output.name
        if tensors.inputs != (given.name,):
            raise refusals.mismatch(f"the model's inputs are {list(tensors.inputs)}; the contract's is {given.name!r}")
        if wanted not in tensors.outputs:
            raise refusals.mismatch(f"the model's outputs are {list(tensors.outputs)}; the contract's is {wanted!r}")
        if tensors.dtype(given.name) != given.dtype:
            raise refusals.mismatch(f"the model takes {tensors.dtype(given.name)}; the contract says {given.dtype}")
        tensors.set_shape(given.name, input_shape(given))
        hosts: dict[str, Tensor] = {}
        self._addresses: dict[str, int] = {}
        for name in (given.name, *tensors.outputs):
            shape = tensors.shape(name)
            if -1 in shape:
                raise refusals.mismatch(f"the size of output {name!r} depends on the picture: {list(shape)}")
            size = max(1, math.prod(shape) * np.dtype(tensors.dtype(name)).itemsize)
            self._addresses[name] = self._memory.device(size)
            if name in (given.name, wanted):
                hosts[name] = self._memory.pinned(shape, tensors.dtype(name))
        tensors.place(self._addresses)
        self.input, self.output = hosts[given.name], hosts[wanted]
        self._in, self._out = self._addresses[given.name], self._addresses[wanted]

    # ------------------------------------------------------------ a frame

    def run(self) -> None:
        """See Engine.run. Raises EngineLost where frame after frame fails."""
        try:
            if self._graph is not None:
                self._graph.launch()
            else:
                self._enqueue()
            self._memory.wait()
        except CudaError as error:
            self._failed += 1
            said = f"the engine failed: {error}"
            if self._words.errors:
                said += f"; TensorRT says: {self._words.errors[-1]}"
            if self._failed >= LOST_AFTER:
                raise EngineLost(f"{said}; {self._failed} frames failed one after the other") from error
            raise InferenceError(said) from error
        self._failed = 0

    def warm_up(self, runs: int) -> None:
        """See Engine.warm_up."""
        for _ in range(runs):
            self.run()

    def close(self) -> None:
        """See Engine.close."""
        if self._graph is not None:
            self._graph.close()
        self._graph = None
        for name in ("_tensors", "_context", "_engine", "_runtime"):  # in this order, or TensorRT reads freed memory
            with contextlib.suppress(AttributeError):
                delattr(self, name)
        self._memory.close()

    def _enqueue(self) -> None:
        self._memory.to_device(self._in, self.input)
        self._tensors.start(self._memory.stream)
        self._memory.to_host(self.output, self._out)

    # ------------------------------------------------------------ the graph

    def _record(self, driver: Driver | None) -> str:
        """Record a frame's work; `CUDA graph`, or why not. TensorRT wants one run before, which sets up what it needs."""
        if driver is None:
            return "no CUDA graph"
        try:
            self._enqueue()
            self._memory.wait()
        except CudaError as error:
            self.close()
            raise _no_room(error) from error
        before = self.output.copy()
        try:
            self._graph = record(driver, self._memory.stream, self._enqueue)
            self.output[...] = 0
            self._graph.launch()
            self._memory.wait()
        except CudaError as error:
            self._drop_graph()
            return f"no CUDA graph: {error}"
        if not np.allclose(before, self.output, rtol=_GRAPH_TOLERANCE, atol=_GRAPH_TOLERANCE, equal_nan=True):
            self._drop_graph()
            return "no CUDA graph: it gave other numbers"
        return "CUDA graph"

    def _drop_graph(self) -> None:
        if self._graph is not None:
            self._graph.close()
        self._graph = None


def _no_room(error: CudaError) -> Trouble:
    """A plan that was built here and can't be given its memory."""
    if "memory" in str(error).lower():
        cure = "Close other programs that use the GPU's memory, or use a smaller model"
        what = f"too little GPU memory to load the engine: {error}"
        return Trouble(what, cure=cure, code="engine_out_of_memory")
    return refusals.unusable(str(error))
