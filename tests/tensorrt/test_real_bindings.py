"""The Python faces of TensorRT 10.3, 10.13 and 11.4 have every name that we use.

The wheels want NVIDIA's libraries, which can't be had here; a library that exports the same few functions and gives nothing is
enough to load them and to see which classes and names there are.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from remote.perception.engines.tensorrt.cuda_python_memory import ATTRIBUTES, CudaPythonMemory
from remote.perception.engines.tensorrt.driver import CudaError, ask_cuda
from tests.tensorrt.real_builder import ROOT

WHEELS = Path(os.environ.get("TENSORRT_BINDINGS") or Path(sys.prefix) / "bindings")
EXPORTS = (
    "createInferBuilder_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "getBuilderPluginRegistry",
    "getNvOnnxParserVersion",
    "getPluginRegistry",
    "initLibNvInferPlugins",
)
LIBRARIES = ("nvinfer", "nvonnxparser", "nvinfer_plugin")
LOOK = """
import json, tensorrt_bindings as trt
from remote.perception.engines.tensorrt import attributes
from remote.perception.engines.tensorrt.build import build_plan
from remote.perception.engines.wishes import Wishes
from remote.perception.engines.tensorrt.driver import Device
from remote.perception.engines.tensorrt.probe import Found
from remote.errors import Trouble

found = Found(trt, trt.__version__, Device("none", "8.7", "12.6", 0))
try:
    build_plan(found, b"", {}, Wishes(), say=lambda _: None, cancelled=lambda: False)
    refused = ""
except Trouble as trouble:
    refused = trouble.code
print(json.dumps({
    "version": found.version, "missing": attributes.missing(trt), "typed": found.typed, "half": found.half_flag,
    "monitored": found.monitored, "named": attributes.has(trt, "IExecutionContext", "execute_async_v3"),
    "optional": [".".join(one) for one in attributes.OPTIONAL if not attributes.has(trt, *one)], "refused": refused,
}))
"""


@pytest.fixture(scope="module")
def stubs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with libraries of both major versions that export what the bindings look for."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler here")
    folder = tmp_path_factory.mktemp("stubs")
    source = folder / "stub.c"
    source.write_text("\n".join(f"void *{name}(void) {{ return 0; }}" for name in EXPORTS))
    for major in (10, 11):
        for name in LIBRARIES:
            library = f"lib{name}.so.{major}"
            command = [compiler, "-shared", "-fPIC", "-o", library, f"-Wl,-soname,{library}", source.name]
            subprocess.run(command, cwd=folder, check=True)
    return folder


@pytest.mark.parametrize(
    ("version", "half", "lacks"),
    [
        ("10.3.", True, []),
        ("10.13.", True, []),
        ("11.4.", False, ["BuilderFlag.FP16", "BuilderFlag.INT8"]),
    ],
)
def test_each_name_that_is_used_is_there(
    version: str, half: bool, lacks: list[str], stubs: Path, tmp_path: Path
) -> None:
    wheels = sorted(WHEELS.glob(f"tensorrt_cu*_bindings-{version}*.whl"))
    if not wheels:
        pytest.skip(f"the bindings of TensorRT {version}* could not be fetched")
    with zipfile.ZipFile(wheels[0]) as wheel:
        wheel.extractall(tmp_path)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(stubs), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    ended = subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    seen = json.loads(ended.stdout.splitlines()[-1])
    assert seen.pop("version").startswith(version)
    assert seen == {
        "missing": [],
        "typed": True,
        "half": half,
        "monitored": True,
        "named": True,
        "optional": lacks,
        "refused": "engine_not_built",  # its libraries give no builder: said, and no crash
    }


def test_cuda_python_has_each_function_that_is_used() -> None:
    driver = pytest.importorskip("cuda.bindings.driver", reason="cuda-bindings could not be fetched")
    assert [name for name in ATTRIBUTES if not hasattr(driver, name)] == []
    if isinstance(ask_cuda(), str):  # without a driver its first call raises: said, and no crash
        with pytest.raises(CudaError, match="cuInit failed"):
            CudaPythonMemory(driver)
