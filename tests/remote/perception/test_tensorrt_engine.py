"""TensorRT on a robot: the numbers are the model's, whichever version is there, and a GPU that fails is told, not hidden."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from remote.errors import Trouble
from remote.models.bundle import Bundle
from remote.perception.engines.onnx_runtime import OnnxRuntimeEngine
from remote.perception.engines.tensorrt.cuda_python_memory import ATTRIBUTES, CudaPythonMemory
from remote.perception.engines.tensorrt.driver import CudaError, Device, Driver, ask_cuda
from remote.perception.engines.tensorrt.driver_memory import DriverMemory
from remote.perception.engines.tensorrt.engine import LOST_AFTER, TensorRTEngine
from remote.perception.engines.tensorrt.memory import Memory, open_memory
from remote.perception.engines.tensorrt.probe import Found, find
from remote.perception.engines.wishes import Wishes
from remote.perception.faults import EngineLost, InferenceError
from tests.remote.perception.a_kit import Machine, machine, picture
from tests.remote.perception.fake_gpu import FakeGpu
from tests.remote.perception.fake_tensorrt import LOOKS, Look, fake_tensorrt
from tests.tiny_models import tiny_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return tiny_bundle(tmp_path_factory.mktemp("bundle"))


def built(made: Machine, bundle: Bundle) -> bytes:
    plan = made.kit.build(
        bundle.model.read_bytes(),
        bundle.contract,
        made.kit.root / "engines",
        Wishes(),
        say=lambda _: None,
        cancelled=lambda: False,
    )
    return plan.data


def loaded(made: Machine, bundle: Bundle) -> TensorRTEngine:
    return made.kit.load(built(made, bundle), bundle.contract)


# ------------------------------------------------------------ the numbers


@pytest.mark.parametrize("graphs", [True, False], ids=["graph", "piece_by_piece"])
@pytest.mark.parametrize("look", LOOKS)
def test_each_version_gives_the_numbers_of_the_model(look: Look, graphs: bool, tmp_path: Path, bundle: Bundle) -> None:
    made = machine(tmp_path, look, graphs=graphs)
    ours, peer = loaded(made, bundle), OnnxRuntimeEngine(bundle.model, bundle.contract)
    ours.warm_up(2)
    for level in (0.2, 0.9):  # two, so that a result that stays where it was is noticed
        ours.input[...] = peer.input[...] = picture(level, ours.input)
        ours.run()
        peer.run()
        np.testing.assert_array_equal(ours.output, peer.output)
    assert f"TensorRT {look}, Fake Orin (8.7)" in ours.name
    assert ours.name.endswith(", CUDA graph" if graphs else "no CUDA graph")
    assert bool(made.gpu.launches) == graphs
    ours.close()
    assert made.gpu.contexts == 0


@pytest.mark.parametrize("way", ["cuda-python", "CUDA driver"])
def test_others_stand_in_where_pycuda_can_not_be_built(way: str, tmp_path: Path, bundle: Bundle) -> None:
    made = machine(tmp_path)
    plan, gpu = built(made, bundle), made.gpu

    def memory() -> Memory:
        return CudaPythonMemory(gpu.cuda_python()) if way == "cuda-python" else DriverMemory(Driver(gpu.library))

    ours = TensorRTEngine(made.kit.found, plan, bundle.contract, memory(), made.kit.driver)
    peer = OnnxRuntimeEngine(bundle.model, bundle.contract)
    for level in (0.2, 0.7):
        ours.input[...] = peer.input[...] = picture(level, ours.input)
        ours.run()
        peer.run()
        np.testing.assert_array_equal(ours.output, peer.output)
    assert way in ours.name
    gpu.broken.add("synchronize")
    with pytest.raises(InferenceError, match=r"cuStreamSynchronize failed: CUDA_?\w* ?error|OF_THE_FAKE \(700\)"):
        ours.run()
    ours.close()
    assert gpu.contexts == 0
    gpu.broken = {"mem_alloc"}
    with pytest.raises(Trouble, match=r"too little GPU memory|can't be loaded"):
        TensorRTEngine(made.kit.found, plan, bundle.contract, memory(), made.kit.driver)


def test_what_is_used_of_cuda_python_is_one_table() -> None:
    assert set(ATTRIBUTES) == set(vars(FakeGpu().cuda_python()))


def test_the_memory_is_that_of_the_first_library_that_can_be_loaded() -> None:
    gpu = FakeGpu()
    installed: dict[str, Any] = {}

    def load(name: str) -> Any:
        if name not in installed:
            raise ModuleNotFoundError(name)
        if isinstance(installed[name], Exception):
            raise installed[name]
        return installed[name]

    assert open_memory(load, gpu.library).name == "CUDA driver"
    for module, face, name in (
        ("cuda.cuda", gpu.cuda_python(), "cuda-python"),
        ("cuda.bindings.driver", gpu.cuda_python(), "cuda-python"),
        ("pycuda.driver", AttributeError("_ARRAY_API not found"), "cuda-python"),  # built for another NumPy
        ("pycuda.driver", gpu.pycuda(), "pycuda"),
    ):
        installed[module] = face
        assert open_memory(load, gpu.library).name == name


# ------------------------------------------------------------ what goes wrong while it runs


def test_a_failed_frame_is_told_and_the_next_may_be_right(tmp_path: Path, bundle: Bundle) -> None:
    made = machine(tmp_path, graphs=False)
    engine = loaded(made, bundle)
    for _ in range(LOST_AFTER):  # never several in a row
        made.seen.fault = "run"
        with pytest.raises(InferenceError, match="did not start the inference; TensorRT says: Cuda Runtime"):
            engine.run()
        made.seen.fault = ""
        engine.run()


def test_a_gpu_that_is_gone_ends_the_worker_instead_of_failing_forever(tmp_path: Path, bundle: Bundle) -> None:
    made = machine(tmp_path)
    engine = loaded(made, bundle)
    made.gpu.broken.add("synchronize")
    for _ in range(LOST_AFTER - 1):
        with pytest.raises(InferenceError, match="an illegal memory access"):
            engine.run()
    with pytest.raises(EngineLost, match=f"{LOST_AFTER} frames failed one after the other"):
        engine.run()
    engine.close()


@pytest.mark.parametrize(
    ("broken", "why"),
    [("capture", "cuStreamEndCapture failed: CUDA_ERROR_OF_THE_FAKE"), ("graph_numbers", "it gave other numbers")],
)
def test_without_a_graph_it_goes_on_piece_by_piece(broken: str, why: str, tmp_path: Path, bundle: Bundle) -> None:
    made = machine(tmp_path)
    plan = built(made, bundle)
    made.gpu.broken.add(broken)
    engine = made.kit.load(plan, bundle.contract)
    assert f"no CUDA graph: {why}" in engine.name
    engine.input[...] = picture(0.9, engine.input)
    engine.run()
    assert float(engine.output.max()) > 0.5


@pytest.mark.parametrize(
    ("fault", "broken", "code", "says"),
    [
        ("no_engine", "", "engine_unusable", "stale plan"),
        ("no_context", "", "engine_out_of_memory", "OutOfMemory"),
        ("", "mem_alloc", "engine_out_of_memory", "out of memory"),
        ("run", "", "engine_unusable", "did not start"),
    ],
)
def test_an_engine_that_can_not_be_loaded_says_why_and_gives_all_back(
    fault: str, broken: str, code: str, says: str, tmp_path: Path, bundle: Bundle
) -> None:
    made = machine(tmp_path)
    plan = built(made, bundle)
    made.seen.fault, made.gpu.broken = fault, {broken}
    with pytest.raises(Trouble, match=says) as refused:
        made.kit.load(plan, bundle.contract)
    assert refused.value.code == code
    assert refused.value.cure
    assert made.gpu.contexts == 0


# ------------------------------------------------------------ CUDA is asked first


def test_without_cuda_tensorrt_is_not_even_imported() -> None:
    gpu = FakeGpu()
    gpu.broken.add("init")

    def never(name: str) -> Any:
        raise AssertionError(f"{name} was imported")

    said = find(never, lambda: ask_cuda(gpu.library))
    assert said == "CUDA does not answer: cuInit failed: CUDA_ERROR_OF_THE_FAKE (999)"
    assert gpu.asked == ["libcuda.so.1", "cuInit"]


def test_a_driver_without_a_gpu_and_a_machine_without_a_driver_are_told_apart() -> None:
    gpu = FakeGpu()
    assert ask_cuda(gpu.library) == Device("Fake Orin", "8.7", "12.6", 8192)
    gpu.broken.add("no_gpu")
    assert ask_cuda(gpu.library) == "CUDA does not answer: CUDA has no GPU here"

    def missing(name: str) -> Any:
        raise OSError(name)

    assert ask_cuda(missing) == "there is no CUDA driver here (libcuda.so.1 is missing)"


def test_a_driver_that_lacks_a_function_says_which() -> None:
    with pytest.raises(CudaError, match="has no cuNothing"):
        Driver(FakeGpu().library).call("cuNothing")


def _absent(name: str) -> Any:
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _broken(name: str) -> Any:
    raise ImportError("libnvinfer.so.10: cannot open shared object file")


def _half(name: str) -> Any:
    trt = fake_tensorrt("10.3", FakeGpu())
    del trt.Builder.build_serialized_network
    return trt


def _folder(name: str) -> Any:
    return SimpleNamespace(__file__=None)


@pytest.mark.parametrize(
    ("load", "why"),
    [
        (_folder, "TensorRT's Python package is not installed"),
        (_absent, "TensorRT's Python package is not installed"),
        (_broken, "TensorRT can't be loaded: libnvinfer.so.10: cannot open shared object file"),
        (_half, "TensorRT 10.3 lacks Builder.build_serialized_network"),
    ],
    ids=["folder", "absent", "broken", "half"],
)
def test_a_tensorrt_that_can_not_be_used_is_named_with_the_reason(load: Any, why: str) -> None:
    assert find(load, lambda: Device("g", "8.7", "12.6", 1)) == why


def test_a_whole_tensorrt_is_found() -> None:
    found = find(lambda name: fake_tensorrt("8.6", FakeGpu()), lambda: Device("g", "8.7", "12.6", 1))
    assert isinstance(found, Found)
    assert (found.version, found.typed, found.half_flag, found.monitored) == ("8.6", False, True, True)
