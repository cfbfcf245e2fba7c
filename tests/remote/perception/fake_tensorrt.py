"""TensorRT as its versions look from Python, computing with ONNX Runtime: what an adapter sees, and each way to fail.

A plan is the ONNX file behind a header, so the numbers that come out are those of the model.
"""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime

from tests.remote.perception.fake_gpu import FakeGpu

Look = Literal["8.4", "8.6", "10.3", "10.13", "11.4"]
LOOKS: tuple[Look, ...] = ("8.4", "8.6", "10.3", "10.13", "11.4")
HEADER = b"FAKEPLAN"
KNOWN_DOMAINS = ("", "ai.onnx")


@dataclass
class Seen:
    """What the adapter did. `fault`: `none`, `memory`, `layer`, `raises`, `no_engine`, `no_context`, `no_builder`, `run`."""

    fault: str = ""
    flags: list[str] = field(default_factory=list)
    network_flags: list[str] = field(default_factory=list)
    workspace: int = 0
    profiles: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)
    timing: bytes = b""
    built: int = 0
    slow_s: float = 0.0


def fake_tensorrt(look: Look, gpu: FakeGpu, seen: Seen | None = None) -> Any:
    """The module `tensorrt` of that version."""
    return _Fake(look, gpu, seen or Seen()).module()


def _members(name: str, members: dict[str, int]) -> Any:
    return enum.IntEnum(name, members)


class _Fake:
    def __init__(self, look: Look, gpu: FakeGpu, seen: Seen) -> None:
        self.gpu, self.seen = gpu, seen
        self.major = int(look.split(".")[0])
        self.look = look
        self.typed = self.major >= 10
        self.named = look != "8.4"
        self.trt = SimpleNamespace(__version__=look)

    def module(self) -> Any:
        trt = self.trt
        trt.DataType = _members("DataType", {"FLOAT": 0, "HALF": 1, "INT8": 2, "INT32": 3, "BOOL": 4, "UINT8": 5})
        trt.LayerType = _members("LayerType", {"QUANTIZE": 1, "OTHER": 2})
        trt.MemoryPoolType = _members("MemoryPoolType", {"WORKSPACE": 0})
        trt.TensorIOMode = _members("TensorIOMode", {"NONE": 0, "INPUT": 1, "OUTPUT": 2})
        trt.BuilderFlag = _members(
            "BuilderFlag", {"TF32": 7} if self.major >= 11 else {"FP16": 0, "INT8": 1, "TF32": 7}
        )
        flags = {"EXPLICIT_BATCH": 0} if self.major < 11 else {}
        trt.NetworkDefinitionCreationFlag = _members("Flag", flags | ({"STRONGLY_TYPED": 1} if self.typed else {}))
        trt.ILogger = type("ILogger", (), {"Severity": _members("Severity", {"ERROR": 1, "WARNING": 2}), "log": None})
        if self.look != "8.4":
            trt.IProgressMonitor = type("IProgressMonitor", (), {"__init__": lambda self: None})
        trt.Builder, trt.OnnxParser, trt.Runtime = self.builder(), self.parser(), self.runtime()
        trt.IBuilderConfig, trt.ICudaEngine, trt.IExecutionContext = self.config(), self.engine(), self.context()
        trt.INetworkDefinition, trt.IOptimizationProfile, trt.ITimingCache = _Network, _Profile, _Timing
        trt.ITensor, trt.ILayer, trt.ParserError = _Tensor, _Layer, self.parser_error()
        return trt

    def error(self, logger: Any, text: str) -> None:
        logger.log(self.trt.ILogger.Severity.ERROR, text)

    # ------------------------------------------------------------ building

    def builder(self) -> Any:
        fake, seen = self, self.seen

        class Builder:
            def __init__(self, logger: Any) -> None:
                if seen.fault == "no_builder":
                    raise TypeError("pybind11::init(): factory function returned nullptr")
                self.logger = logger

            def create_network(self, flags: int = 0) -> Any:
                names = fake.trt.NetworkDefinitionCreationFlag
                seen.network_flags = [one.name for one in names if flags & (1 << one.value)]
                return _Network(explicit=fake.major >= 10 or "EXPLICIT_BATCH" in seen.network_flags)

            def create_builder_config(self) -> Any:
                return fake.trt.IBuilderConfig()

            def create_optimization_profile(self) -> Any:
                return _Profile(seen)

            def build_serialized_network(self, network: Any, config: Any) -> Any:
                return fake.build(self.logger, network, config)

        return Builder

    def build(self, logger: Any, network: _Network, config: Any) -> bytes | None:
        seen = self.seen
        if seen.fault == "raises":
            raise RuntimeError("[memory] std::bad_alloc")
        said = {
            "none": "Internal error: something odd",
            "memory": "Requested amount of GPU memory (512 bytes) could not be allocated: OutOfMemory",
            "layer": "Could not find any implementation for node {ForeignNode[/head/Mul]}",
        }
        if seen.fault in said:
            self.error(logger, said[seen.fault])
            return None
        if "STRONGLY_TYPED" in seen.network_flags and {"FP16", "INT8"} & set(seen.flags):
            self.error(logger, "flags are not allowed in a strongly typed network")
            return None
        if network.open and not seen.profiles:
            self.error(logger, "a network with dynamic inputs needs a profile")
            return None
        if not self.tell(config):
            self.error(logger, "Build canceled by user")
            return None
        seen.built += 1
        return HEADER + network.model

    def tell(self, config: Any) -> bool:
        """Two phases, one within the other, as TensorRT tells them; false where it was called off."""
        monitor = getattr(config, "progress_monitor", None)
        if monitor is None:
            return True
        monitor.phase_start("Building Engine", None, 2)
        monitor.phase_start("Tactics", "Building Engine", 4)
        goes_on = all(self.slowly(monitor, step) for step in range(4))
        monitor.phase_finish("Tactics")
        goes_on = goes_on and all(monitor.step_complete("Building Engine", step) for step in range(2))
        monitor.phase_finish("Building Engine")
        return goes_on

    def slowly(self, monitor: Any, step: int) -> bool:
        time.sleep(self.seen.slow_s)
        return bool(monitor.step_complete("Tactics", step))

    def config(self) -> Any:
        seen = self.seen

        class Config:
            def set_memory_pool_limit(self, pool: Any, size: int) -> None:
                seen.workspace = size

            def set_flag(self, flag: Any) -> None:
                seen.flags.append(flag.name)

            def add_optimization_profile(self, profile: Any) -> int:
                return 0

            def create_timing_cache(self, data: bytes) -> Any:
                return None if data == b"another version's" else _Timing(data)

            def set_timing_cache(self, cache: Any, ignore_mismatch: bool) -> bool:
                assert not ignore_mismatch
                seen.timing = cache.data
                return True

            def get_timing_cache(self) -> Any:
                return _Timing(b"measured")

        if self.look != "8.4":
            Config.progress_monitor = None  # type: ignore[attr-defined]
        return Config

    def parser_error(self) -> Any:
        class Error:
            def __init__(self, code: str, desc: str, node: int, name: str) -> None:
                self._all = code, desc, node, name

            def code(self) -> Any:
                return SimpleNamespace(name=self._all[0])

            def desc(self) -> str:
                return self._all[1]

            def node(self) -> int:
                return self._all[2]

        if self.major >= 10:
            Error.node_name = lambda self: self._all[3]  # type: ignore[attr-defined]
        return Error

    def parser(self) -> Any:
        fake = self

        class Parser:
            def __init__(self, network: Any, logger: Any) -> None:
                self._network = network
                self._errors: list[Any] = []

            @property
            def num_errors(self) -> int:
                return len(self._errors)

            def get_error(self, index: int) -> Any:
                return self._errors[index]

            def parse(self, data: bytes) -> bool:
                self._errors = list(self._look(data))
                return not self._errors

            def _look(self, data: bytes) -> Any:
                error = fake.trt.ParserError
                if not self._network.explicit:
                    yield error("INVALID_VALUE", "this version only supports networks with an explicit batch", -1, "")
                    return
                try:
                    self._network.read(data, fake.trt)
                except Exception:  # noqa: BLE001 - protobuf and the checker raise what they like
                    yield error("MODEL_DESERIALIZE_FAILED", "Failed to parse the ONNX model", -1, "")
                    return
                for index, node in enumerate(self._network.graph.node):
                    if node.domain not in KNOWN_DOMAINS:
                        yield error("UNSUPPORTED_NODE", f"No importer for {node.op_type}", index, node.name)

        return Parser

    # ------------------------------------------------------------ running

    def runtime(self) -> Any:
        fake = self

        class Runtime:
            def __init__(self, logger: Any) -> None:
                self._logger = logger

            def deserialize_cuda_engine(self, plan: bytes) -> Any:
                if fake.seen.fault == "no_engine" or not plan.startswith(HEADER):
                    fake.error(self._logger, "Serialization assertion failed: stale plan")
                    return None
                return fake.trt.ICudaEngine(plan.removeprefix(HEADER), self._logger)

        return Runtime

    def engine(self) -> Any:
        fake = self

        class Engine:
            def __init__(self, model: bytes, logger: Any) -> None:
                self.session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
                self.logger = logger
                self.nodes = [*self.session.get_inputs(), *self.session.get_outputs()]

            def create_execution_context(self) -> Any:
                if fake.seen.fault == "no_context":
                    fake.error(self.logger, "Error Code 2: OutOfMemory (no further information)")
                    return None
                return fake.trt.IExecutionContext(self)

            def dtype(self, index: int) -> Any:
                words = {"tensor(float)": "FLOAT", "tensor(float16)": "HALF", "tensor(uint8)": "UINT8"}
                return fake.trt.DataType[words[self.nodes[index].type]]

            def name(self, index: int) -> str:
                return str(self.nodes[index].name)

            def index(self, name: str) -> int:
                return [node.name for node in self.nodes].index(name)

            def is_input(self, index: int) -> bool:
                return index < len(self.session.get_inputs())

        class Named(Engine):
            @property
            def num_io_tensors(self) -> int:
                return len(self.nodes)

            def get_tensor_name(self, index: int) -> str:
                return self.name(index)

            def get_tensor_mode(self, name: str) -> Any:
                return fake.trt.TensorIOMode.INPUT if self.is_input(self.index(name)) else fake.trt.TensorIOMode.OUTPUT

            def get_tensor_dtype(self, name: str) -> Any:
                return self.dtype(self.index(name))

        class Numbered(Engine):
            @property
            def num_bindings(self) -> int:
                return len(self.nodes)

            def get_binding_name(self, index: int) -> str:
                return self.name(index)

            def get_binding_index(self, name: str) -> int:
                return self.index(name)

            def binding_is_input(self, index: int) -> bool:
                return self.is_input(index)

            def get_binding_dtype(self, index: int) -> Any:
                return self.dtype(index)

        return Named if self.named else Numbered

    def context(self) -> Any:
        fake = self

        class Context:
            def __init__(self, engine: Any) -> None:
                self.engine = engine
                self.addresses: dict[int, int] = {}

            def give_shape(self, index: int, shape: tuple[int, ...]) -> bool:
                has = self.engine.nodes[index].shape
                return all(not isinstance(a, int) or a == b for a, b in zip(has, shape, strict=True))

            def shape(self, index: int) -> tuple[int, ...]:
                if self.engine.is_input(index):
                    return tuple(self._picture().shape)
                return tuple(self._run(np.zeros_like(self._picture()))[index - 1].shape)

            def _picture(self) -> Any:
                node = self.engine.nodes[0]
                shape = [one if isinstance(one, int) else 64 for one in node.shape]
                return np.zeros(shape, {"tensor(float)": "float32", "tensor(float16)": "float16"}[node.type])

            def _run(self, picture: Any) -> Any:
                return self.engine.session.run(None, {self.engine.name(0): picture})

            def start(self, stream: int) -> bool:
                if fake.seen.fault == "run":
                    fake.error(self.engine.logger, "Cuda Runtime (an illegal memory access was encountered)")
                    return False
                fake.gpu.streams[stream].put(self._work)
                return True

            def _work(self) -> None:
                picture = fake.gpu.read(self.addresses[0], self._picture())
                for number, result in enumerate(self._run(picture), 1):
                    fake.gpu.write(self.addresses[number], result)

        class Named(Context):
            def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
                return self.give_shape(self.engine.index(name), shape)

            def get_tensor_shape(self, name: str) -> tuple[int, ...]:
                return self.shape(self.engine.index(name))

            def set_tensor_address(self, name: str, address: int) -> bool:
                self.addresses[self.engine.index(name)] = address
                return True

            def execute_async_v3(self, stream: int) -> bool:
                return self.start(stream)

        class Numbered(Context):
            def set_binding_shape(self, index: int, shape: tuple[int, ...]) -> bool:
                return self.give_shape(index, shape)

            def get_binding_shape(self, index: int) -> tuple[int, ...]:
                return self.shape(index)

            def execute_async_v2(self, bindings: list[int], stream: int) -> bool:
                self.addresses = dict(enumerate(bindings))
                return self.start(stream)

        return Named if self.named else Numbered


class _Tensor:
    name: str = ""
    shape: tuple[int, ...] = ()
    dtype: Any = None

    def __init__(self, name: str, shape: tuple[int, ...], dtype: Any) -> None:
        self.name, self.shape, self.dtype = name, shape, dtype


class _Layer:
    type, name, num_outputs = None, "", 0

    def __init__(self, node: Any, types: dict[str, Any], trt: Any) -> None:
        self.type = trt.LayerType.QUANTIZE if node.op_type == "QuantizeLinear" else trt.LayerType.OTHER
        self.name, self._outputs = node.name, [types.get(name, trt.DataType.FLOAT) for name in node.output]
        self.num_outputs = len(self._outputs)

    def get_output(self, index: int) -> Any:
        return _Tensor("", (), self._outputs[index])


class _Network:
    num_inputs = num_outputs = num_layers = 0
    model = b""
    graph: Any = None

    def __init__(self, explicit: bool) -> None:
        self.explicit = explicit

    def read(self, data: bytes, trt: Any) -> None:
        self.model = data
        model = onnx.load_from_string(data)
        onnx.checker.check_model(model) if not any(node.domain for node in model.graph.node) else None
        self.graph = onnx.shape_inference.infer_shapes(model).graph
        kinds = {onnx.TensorProto.FLOAT16: trt.DataType.HALF, onnx.TensorProto.INT8: trt.DataType.INT8}
        self._types = {
            one.name: kinds.get(one.type.tensor_type.elem_type, trt.DataType.FLOAT)
            for one in (*self.graph.value_info, *self.graph.input, *self.graph.output)
        }
        self._layers = [_Layer(node, self._types, trt) for node in self.graph.node]
        self.num_inputs, self.num_outputs = len(self.graph.input), len(self.graph.output)
        self.num_layers = len(self._layers)
        self.open = any(-1 in self.get_input(index).shape for index in range(self.num_inputs))

    def get_input(self, index: int) -> Any:
        given = self.graph.input[index]
        dims = given.type.tensor_type.shape.dim
        shape = tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in dims)
        return _Tensor(given.name, shape, self._types[given.name])

    def get_output(self, index: int) -> Any:
        return _Tensor(self.graph.output[index].name, (), self._types[self.graph.output[index].name])

    def get_layer(self, index: int) -> Any:
        return self._layers[index]


class _Profile:
    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def set_shape(self, name: str, least: Any, best: Any, most: Any) -> None:
        assert least == best == most
        self._seen.profiles.append((name, best))


class _Timing:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def serialize(self) -> bytes:
        return self.data
