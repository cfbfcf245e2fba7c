"""A machine with a GPU and a TensorRT that are none: what tests of the TensorRT engine stand on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from remote.perception.arrays import Tensor
from remote.perception.engines.tensorrt.driver import Device, Driver
from remote.perception.engines.tensorrt.kit import Kit
from remote.perception.engines.tensorrt.probe import Found
from remote.perception.engines.tensorrt.pycuda_memory import PyCudaMemory
from tests.remote.perception.fake_gpu import FakeGpu
from tests.remote.perception.fake_tensorrt import Look, Seen, fake_tensorrt


@dataclass
class Machine:
    """The pieces and what was seen of their use. `root` holds the files that tell which computer this is."""

    gpu: FakeGpu
    seen: Seen
    kit: Kit


def machine(root: Path, look: Look = "10.3", *, graphs: bool = True, serial: str = "1424100000001") -> Machine:
    """One with that TensorRT; several on one `root` are the same computer."""
    (root / "proc/device-tree").mkdir(parents=True, exist_ok=True)
    (root / "proc/device-tree/serial-number").write_text(serial + "\0")
    gpu, seen = FakeGpu(), Seen()
    found = Found(fake_tensorrt(look, gpu, seen), look, Device("Fake Orin", "8.7", "12.6", 8192))
    driver = Driver(gpu.library) if graphs else None
    return Machine(gpu, seen, Kit(found, lambda: PyCudaMemory(gpu.pycuda()), driver, root))


def picture(level: float, like: Tensor) -> Tensor:
    """Noise about that level: results differ from cell to cell."""
    made: Tensor = np.random.default_rng(7).normal(level, 0.1, like.shape).clip(0, 1).astype(like.dtype)
    return made


def model_of(
    nodes: list[onnx.NodeProto], *, half: bool = False, initial: list[onnx.TensorProto] | None = None
) -> bytes:
    """A model [1, 3, 64, 64] -> output0 of the same shape, of these nodes."""
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    given = helper.make_tensor_value_info("images", kind, [1, 3, 64, 64])
    output = helper.make_tensor_value_info("output0", kind, [1, 3, 64, 64])
    graph = helper.make_graph(nodes, "g", [given], [output], initial or [])
    opsets = [helper.make_opsetid("", 13), helper.make_opsetid("com.acme", 1)]
    return bytes(helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString())
