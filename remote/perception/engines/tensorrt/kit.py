"""Everything that is needed to build and run engines on one machine, put together once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from remote.models.contract import Contract
from remote.perception.engines.tensorrt.build import Plan, Shapes, build_plan
from remote.perception.engines.tensorrt.cache import EngineCache
from remote.perception.engines.tensorrt.driver import CudaError, Driver
from remote.perception.engines.tensorrt.engine import TensorRTEngine
from remote.perception.engines.tensorrt.key import EngineKey, key_for, machine
from remote.perception.engines.tensorrt.memory import Memory, open_memory
from remote.perception.engines.tensorrt.probe import Found, find
from remote.perception.engines.tensorrt.progress import Cancelled, Say
from remote.perception.engines.wishes import Wishes
from remote.perception.preprocess import input_shape


@dataclass(frozen=True)
class Kit:
    """This machine's TensorRT with what it stands on.

    Attributes:
        found: TensorRT and the GPU.
        open_memory: gives an engine its buffers and its stream.
        driver: CUDA's driver, for graphs; None: no graphs.
        root: where the files that tell what this machine is are found.
    """

    found: Found
    open_memory: Callable[[], Memory]
    driver: Driver | None
    root: Path = Path("/")

    def cache(self, folder: Path) -> EngineCache:
        """The engines that this machine built."""
        return EngineCache(folder, machine(self.root))

    def key(self, model: bytes, contract: Contract, wishes: Wishes) -> EngineKey:
        """What an engine for this model belongs to, here and now."""
        return key_for(self.found, model, shapes_of(contract), wishes, self.root)

    def open(self, model: Path, contract: Contract, cache: Path, wishes: Wishes | None = None) -> TensorRTEngine | str:
        """The engine that was built here for this model, or one sentence why there is none. Raises Trouble."""
        plan = self.cache(cache).load(self.key(model.read_bytes(), contract, wishes or Wishes()))
        return plan if isinstance(plan, str) else self.load(plan, contract)

    def load(self, plan: bytes, contract: Contract) -> TensorRTEngine:
        """A plan, loaded. Raises Trouble `engine_unusable`, `engine_out_of_memory`, `model_mismatch`."""
        from remote.perception.engines.tensorrt import refusals

        try:
            memory = self.open_memory()
        except (CudaError, OSError) as error:
            raise refusals.unusable(str(error)) from error
        return TensorRTEngine(self.found, plan, contract, memory, self.driver)

    def build(
        self,
        model: bytes,
        contract: Contract,
        cache: Path,
        wishes: Wishes,
        *,
        say: Say,
        cancelled: Cancelled,
        trial: Callable[[bytes], None] = lambda plan: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> Plan:
        """Build the engine, try it, keep it. Raises Trouble as build_plan, and what `trial` raises of the plan.

        It is kept last: a plan that kills this process in its trial would kill every worker that finds it.
        """
        kept, key, started = self.cache(cache), self.key(model, contract, wishes), clock()
        timing = kept.timing(key)
        plan = build_plan(self.found, model, shapes_of(contract), wishes, say=say, cancelled=cancelled, timing=timing)
        seconds = clock() - started
        kept.keep_timing(key, plan.timing)
        trial(plan.data)
        kept.store(key, plan.data, seconds)
        return plan


def shapes_of(contract: Contract) -> Shapes:
    """The shape of each of the contract's inputs."""
    return {contract.input.name: input_shape(contract.input)}


def open_kit() -> Kit | str:
    """This machine's TensorRT, or one sentence why there is none. Only for a process of its own, see probe.find."""
    found = find()
    if isinstance(found, str):
        return found
    return Kit(found, open_memory, Driver())
