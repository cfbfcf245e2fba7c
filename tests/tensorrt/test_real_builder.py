"""What is sent to a Jetson can be built there: NVIDIA's own parser and builder take our bundles and refuse bad ones as said."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import helper

from remote.errors import Trouble
from remote.model_states import Progress
from remote.models.bundle import Bundle, load_bundle
from remote.perception.engines.tensorrt.attributes import missing
from remote.perception.engines.tensorrt.build import build_plan
from remote.perception.engines.wishes import Wishes
from tests.remote.perception.a_kit import model_of
from tests.tensorrt.real_builder import REAL, ROOT, build, builder, bundle_of, tabletop
from tests.tiny_models import base_yolov8, write_model

SHAPES = {"images": (1, 3, 64, 64)}
pytestmark = pytest.mark.filterwarnings("ignore:Use Deprecated in TensorRT-RTX")  # its timing cache does nothing


@pytest.fixture(scope="module", params=["tabletop", "yolox_nano"])
def bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    if request.param == "tabletop":
        return tabletop()
    if not (REAL / "yolox_nano.onnx").exists():
        pytest.skip("yolox_nano.onnx is not beside this checkout")
    model, labels = (REAL / "yolox_nano.onnx").read_bytes(), tuple(f"c{number}" for number in range(80))
    return bundle_of(model, tmp_path_factory.mktemp("real") / "yolox", "yolox", labels)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Smooth coloured pictures, as many as INT8 wants: what comes of them is not looked at, only whether it can be built."""
    folder, random = tmp_path_factory.mktemp("pictures"), np.random.default_rng(3)
    for number in range(100):
        coarse = random.integers(0, 256, (6, 8, 3), np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), cv2.resize(coarse, (256, 192), interpolation=cv2.INTER_CUBIC))
    return folder


def optimised(bundle: Bundle, output: Path, *options: object) -> list[Path]:
    """What `model optimise` makes of it for TensorRT."""
    command = [sys.executable, "-m", "remote", "model", "optimise", bundle.path, "--output", output, "--keep-refused"]
    words = map(str, [*command, "--runs", 0, "--for", "tensorrt", "--json", *options])
    ended = subprocess.run(list(words), cwd=ROOT, capture_output=True, text=True, check=False)
    made = [Path(one["path"]) for one in map(json.loads, ended.stdout.splitlines()) if one["path"]]
    assert made, ended.stderr[-2000:]
    return made


# ------------------------------------------------------------ ours


def test_the_float_bundle_builds_and_says_how_far_it_is(bundle: Bundle) -> None:
    said: list[Progress] = []
    plan = build(bundle, say=said.append)
    assert len(plan.data) > 10_000
    assert plan.layers > 50
    assert [one.done for one in said] == sorted(one.done for one in said)
    assert said[-1].done == 100


def test_the_fp16_bundle_builds(bundle: Bundle, tmp_path: Path) -> None:
    [made] = optimised(bundle, tmp_path / "made", "--fp16")
    assert len(build(load_bundle(made)).data) > 10_000


@pytest.mark.parametrize("form", [(), ("--pack",)], ids=["scales_only", "packed"])
def test_the_int8_bundle_builds(bundle: Bundle, form: tuple[str, ...], pictures: Path, tmp_path: Path) -> None:
    [made] = optimised(bundle, tmp_path / "made", "--int8", "--calibrate", pictures, *form)
    model = onnx.load(made / "model.onnx")
    assert {"QuantizeLinear", "DequantizeLinear"} <= {node.op_type for node in model.graph.node}
    assert len(build(load_bundle(made)).data) > 10_000


def shapes(bundle: Bundle) -> dict[str, tuple[int, ...]]:
    given = bundle.contract.input
    return {given.name: (1, 3, given.height, given.width)}


def test_an_open_size_builds_with_a_profile(tmp_path: Path) -> None:
    model = write_model(tmp_path / "open.onnx", *base_yolov8(), open_size=True).read_bytes()
    assert build_plan(builder(), model, SHAPES, Wishes(), say=lambda _: None, cancelled=lambda: False).data


def test_what_one_build_measured_is_taken_by_the_next(bundle: Bundle) -> None:
    first = build(bundle)
    model = bundle.model.read_bytes()
    for timing in (first.timing, b"", b"garbage" * 10):
        again = build_plan(
            builder(), model, shapes(bundle), Wishes(), say=lambda _: None, cancelled=lambda: False, timing=timing
        )
        assert again.data


# ------------------------------------------------------------ bad ones


def refusal(model: bytes, wishes: Wishes | None = None, *, off: bool = False) -> Trouble:
    with pytest.raises(Trouble) as refused:
        build_plan(builder(), model, SHAPES, wishes or Wishes(), say=lambda _: None, cancelled=lambda: off)
    assert refused.value.cure
    return refused.value


def test_a_layer_that_it_lacks_is_named_with_its_words() -> None:
    model = model_of([helper.make_node("Fancy", ["images"], ["output0"], name="/head/fancy", domain="com.acme")])
    refused = refusal(model)
    assert refused.code == "engine_layer"
    assert "node 0 (/head/fancy, Fancy)" in refused.what
    assert "Plugin not found" in refused.what


def test_a_model_quantised_at_run_time_is_refused_with_its_node() -> None:
    model = model_of(
        [
            helper.make_node("DynamicQuantizeLinear", ["images"], ["q", "scale", "zero"], name="dynamic"),
            helper.make_node("DequantizeLinear", ["q", "scale", "zero"], ["output0"]),
        ]
    )
    refused = refusal(model)
    assert refused.code == "engine_layer"
    assert "dynamic" in refused.what


@pytest.mark.parametrize("size", [0, 1, 100, 2000])
def test_a_cut_model_is_refused(size: int) -> None:
    assert refusal(tabletop().model.read_bytes()[:size]).code in ("model_unreadable", "model_mismatch")


def test_a_model_with_other_inputs_is_refused() -> None:
    assert refusal(tabletop().model.read_bytes()).code == "model_mismatch"


def test_a_broken_graph_is_refused() -> None:
    model = onnx.load_from_string(model_of([helper.make_node("Relu", ["nowhere"], ["output0"])]))
    assert refusal(bytes(model.SerializeToString())).code in ("engine_layer", "model_unreadable")


def test_half_precision_that_can_not_be_allowed_is_refused() -> None:
    model = model_of([helper.make_node("Relu", ["images"], ["output0"])])
    assert refusal(model, Wishes("fp16")).code == "engine_precision"


def test_a_build_is_called_off_at_its_next_step(bundle: Bundle) -> None:
    with pytest.raises(Trouble) as refused:
        build(bundle, off=True)
    assert refused.value.code == "build_cancelled"


# ------------------------------------------------------------ the whole


def test_all_that_we_use_is_there() -> None:
    assert missing(builder().trt) == ()


def test_without_a_gpu_the_real_child_says_so_and_names_onnx_runtime(tmp_path: Path) -> None:
    folder = load_bundle(ROOT / "remote" / "bundles" / "tabletop").path
    # `tensorrt` can be imported here, and its runtime would end the process: CUDA has to be asked first.
    (tmp_path / "tensorrt.py").write_text("import os; os.abort()\n")
    command = [sys.executable, "-m", "remote.perception.engines.build_process", str(folder), str(tmp_path / "e"), "1"]
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import runpy; sys.argv = {command[2:]!r}; "
    code += "runpy.run_module('remote.perception.engines.build_process', run_name='__main__')"
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, stdin=subprocess.PIPE, input=None
    )
    assert json.loads(ended.stdout.splitlines()[-1])["engine"].startswith("ONNX Runtime")
