"""A folder that makes child processes see a GPU and a TensorRT: a driver library in C, and modules that are our fakes.

CUDA is asked through the real ctypes, TensorRT is imported as on a robot; only what they do is none.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.remote.perception.fake_gpu import FakeGpu
from tests.remote.perception.fake_tensorrt import Seen, fake_tensorrt

ROOT = Path(__file__).parents[3]
GPU = FakeGpu()
TRT = fake_tensorrt(
    "10.3", GPU, Seen(os.environ.get("FAKE_FAULT", ""), slow_s=float(os.environ.get("FAKE_STEP_S", "0")))
)

DRIVER = """
#include <string.h>
int cuInit(unsigned flags) { return 0; }
int cuDeviceGetCount(int *count) { *count = 1; return 0; }
int cuDeviceGet(int *device, int index) { *device = index; return 0; }
int cuDriverGetVersion(int *version) { *version = 12060; return 0; }
int cuDeviceGetName(char *name, int size, int device) { strncpy(name, "Orin of the tests", size); return 0; }
int cuDeviceGetAttribute(int *value, int which, int device) { *value = which == 75 ? 8 : 7; return 0; }
int cuDeviceTotalMem_v2(size_t *size, int device) { *size = (size_t)8 << 30; return 0; }
int cuGetErrorName(int code, const char **name) { *name = "CUDA_ERROR_NOT_SUPPORTED"; return 0; }
int cuStreamBeginCapture_v2(void *stream, int mode) { return 801; }
"""
MODULES = {
    "tensorrt.py": "from tests.remote.perception.a_site import TRT\nglobals().update(vars(TRT))\n",
    "pycuda/__init__.py": "",
    "pycuda/driver.py": "from tests.remote.perception.a_site import GPU\nglobals().update(vars(GPU.pycuda()))\n",
}


@functools.cache
def _driver(compiler: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "driver.c").write_text(DRIVER)
        subprocess.run([compiler, "-shared", "-fPIC", "-o", "libcuda.so.1", "driver.c"], cwd=folder, check=True)
        return (Path(folder) / "libcuda.so.1").read_bytes()


def site(folder: Path, *, step_s: float = 0.0) -> dict[str, str]:
    """The environment for children that see all that. Skips the test where there is no C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("there is no C compiler here")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "libcuda.so.1").write_bytes(_driver(compiler))
    for name, text in MODULES.items():
        module = folder / "site" / name
        module.parent.mkdir(parents=True, exist_ok=True)
        module.write_text(text)
    path = os.pathsep.join([str(folder / "site"), str(ROOT)])
    return {**os.environ, "LD_LIBRARY_PATH": str(folder), "PYTHONPATH": path, "FAKE_STEP_S": str(step_s)}
