"""Building an engine: what each TensorRT is asked for, how far it is, and why there is none, with the cure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import helper, numpy_helper

from remote.errors import Trouble
from remote.model_states import Progress
from remote.perception.engines.tensorrt.build import Plan, build_plan
from remote.perception.engines.tensorrt.progress import Course
from remote.perception.engines.wishes import Wishes
from tests.remote.perception.a_kit import Machine, machine, model_of
from tests.remote.perception.fake_tensorrt import LOOKS, Look
from tests.tiny_models import base_yolov8, write_model

SHAPES = {"images": (1, 3, 64, 64)}
PLAIN = model_of([helper.make_node("Relu", ["images"], ["output0"])])
HALF = model_of([helper.make_node("Relu", ["images"], ["output0"])], half=True)
SCALE = [numpy_helper.from_array(np.float32(0.01), "scale"), numpy_helper.from_array(np.int8(0), "zero")]
QUANTISED = model_of(
    [
        helper.make_node("QuantizeLinear", ["images", "scale", "zero"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["output0"]),
    ],
    initial=SCALE,
)
FANCY = model_of([helper.make_node("Fancy", ["images"], ["output0"], name="/head/fancy", domain="com.acme")])


def build(made: Machine, model: bytes, wishes: Wishes | None = None, *, timing: bytes = b"", off: bool = False) -> Plan:
    return build_plan(
        made.kit.found,
        model,
        SHAPES,
        wishes or Wishes(),
        say=lambda _: None,
        cancelled=lambda: off,
        timing=timing,
    )


def refusal(made: Machine, model: bytes = PLAIN, wishes: Wishes | None = None, *, off: bool = False) -> Trouble:
    with pytest.raises(Trouble) as refused:
        build(made, model, wishes, off=off)
    assert refused.value.cure
    return refused.value


# ------------------------------------------------------------ what each version is asked for


@pytest.mark.parametrize(
    ("look", "network", "plain", "half", "quantised", "allowed"),
    [
        ("8.4", ["EXPLICIT_BATCH"], [], ["FP16"], ["INT8"], ["FP16"]),
        ("8.6", ["EXPLICIT_BATCH"], [], ["FP16"], ["INT8"], ["FP16"]),
        ("10.3", ["STRONGLY_TYPED"], [], [], [], ["FP16"]),
        ("10.13", ["STRONGLY_TYPED"], [], [], [], ["FP16"]),
        ("11.4", ["STRONGLY_TYPED"], [], [], [], None),
    ],
)
def test_a_version_is_given_the_flags_that_it_has(
    look: Look,
    network: list[str],
    plain: list[str],
    half: list[str],
    quantised: list[str],
    allowed: list[str] | None,
    tmp_path: Path,
) -> None:
    for model, flags in ((PLAIN, plain), (HALF, half), (QUANTISED, quantised)):
        made = machine(tmp_path, look)
        build(made, model)
        assert (made.seen.network_flags, made.seen.flags) == (network, flags)
    made = machine(tmp_path, look)
    if allowed is None:
        assert refusal(made, PLAIN, Wishes("fp16")).code == "engine_precision"
    else:
        build(made, PLAIN, Wishes("fp16"))
        assert made.seen.flags == allowed
        assert "STRONGLY_TYPED" not in made.seen.network_flags


@pytest.mark.parametrize("look", LOOKS)
def test_an_open_size_gets_a_profile_and_a_fixed_one_none(look: Look, tmp_path: Path) -> None:
    made = machine(tmp_path, look)
    build(made, PLAIN)
    assert made.seen.profiles == []
    build(made, write_model(tmp_path / "open.onnx", *base_yolov8(), open_size=True).read_bytes())
    assert made.seen.profiles == [("images", (1, 3, 64, 64))]


def test_memory_is_bounded_and_what_was_measured_is_used_again(tmp_path: Path) -> None:
    made = machine(tmp_path)
    plan = build(made, PLAIN, Wishes(workspace_mb=64), timing=b"earlier")
    assert (made.seen.workspace, made.seen.timing, plan.timing) == (64 * 1024 * 1024, b"earlier", b"measured")
    build(made, PLAIN, timing=b"another version's")
    assert made.seen.timing == b""


# ------------------------------------------------------------ how far it is


def test_progress_goes_up_to_the_end_and_never_back(tmp_path: Path) -> None:
    made, said = machine(tmp_path), list[Progress]()
    build_plan(made.kit.found, PLAIN, SHAPES, Wishes(), say=said.append, cancelled=lambda: False)
    done = [one.done for one in said[1:]]
    assert done == [0, 12, 25, 37, 50, 100]
    assert {(one.whole, one.unit, one.text) for one in said[1:]} == {(100.0, "%", "Building Engine")}


def test_phases_that_are_gone_through_twice_take_nothing_back() -> None:
    said = list[float]()
    course = Course(lambda progress: said.append(progress.done))
    course.start("build", None, 2)
    for _ in range(2):
        course.start("tactics", "build", 2)
        course.step("tactics", 0)
        course.step("tactics", 1)
        course.finish("tactics")
    course.step("unknown", 3)
    course.finish("unknown")
    course.start("orphan", "nobody", 0)
    assert said == [0, 25, 50, 0]


def test_a_build_that_was_called_off_is_no_failure_of_the_model(tmp_path: Path) -> None:
    assert refusal(machine(tmp_path), off=True).code == "build_cancelled"


# ------------------------------------------------------------ why there is none


@pytest.mark.parametrize(
    ("fault", "code", "says", "cure"),
    [
        ("memory", "engine_out_of_memory", "OutOfMemory", "Stop the worker"),
        ("raises", "engine_out_of_memory", "std::bad_alloc", "swap"),
        ("none", "engine_not_built", "something odd", "log"),
        ("layer", "engine_layer", "/head/Mul", "float bundle"),
        ("no_builder", "engine_not_built", "factory function returned nullptr", "prove"),
    ],
)
def test_an_engine_that_is_none_says_what_tensorrt_said(
    fault: str, code: str, says: str, cure: str, tmp_path: Path
) -> None:
    made = machine(tmp_path)
    made.seen.fault = fault
    refused = refusal(made)
    assert refused.code == code
    assert says in refused.what
    assert cure in refused.cure


@pytest.mark.parametrize("look", LOOKS)
def test_a_layer_that_tensorrt_lacks_is_named(look: Look, tmp_path: Path) -> None:
    refused = refusal(machine(tmp_path, look), FANCY)
    assert refused.code == "engine_layer"
    assert refused.what.startswith("TensorRT does not take node 0")
    assert "No importer for Fancy (UNSUPPORTED_NODE)" in refused.what
    assert ("/head/fancy" in refused.what) == (not look.startswith("8"))  # older ones don't know names


@pytest.mark.parametrize("model", [b"", b"no model", PLAIN[:-40]], ids=["empty", "text", "cut"])
def test_a_file_that_is_no_model_is_refused(model: bytes, tmp_path: Path) -> None:
    assert refusal(machine(tmp_path), model).code in ("model_unreadable", "model_mismatch")


def test_inputs_that_are_not_the_contracts_are_named(tmp_path: Path) -> None:
    found = machine(tmp_path).kit.found
    for shapes, says in (({"x": (1, 3, 64, 64)}, "['x']"), ({"images": (1, 3, 64, 32)}, "[1, 3, 64, 32]")):
        with pytest.raises(Trouble) as refused:
            build_plan(found, PLAIN, shapes, Wishes(), say=lambda _: None, cancelled=lambda: False)
        assert refused.value.code == "model_mismatch"
        assert says in refused.value.what
