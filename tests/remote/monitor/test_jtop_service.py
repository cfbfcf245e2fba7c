"""The real jtop service and its real client, in a box whose /sys looks like an Orin Nano.

jetson-stats is AGPL and no dependency of ours: the test runs where it is installed, or with the Python that $JTOP_PYTHON names
(`python -m venv --system-site-packages V && V/bin/pip install jetson-stats`, run as root).
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
BOX = REPOSITORY.parent / "shared" / "tools" / "fake_jetson" / "in_box.sh"
PYTHON = os.environ.get("JTOP_PYTHON") or (sys.executable if importlib.util.find_spec("jtop") else "")

# jtop asks for the machine's name before anything else; the box can fake files, not that.
SERVICE = """
import platform, sys
platform.machine = lambda: "aarch64"
sys.argv = ["jtop", "--force"]
from jtop.__main__ import main
main()
"""
CLIENT = """
import json, platform, sys, time
platform.machine = lambda: "aarch64"
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from remote.monitor.jtop import SERVICE, JtopSource
end = time.monotonic() + 30
while not SERVICE.exists() and time.monotonic() < end:
    time.sleep(0.05)
source = JtopSource(retry_s=0.2)
found = None
while (found is None or "gpu_percent" not in found.values) and time.monotonic() < end:
    time.sleep(0.05)
    found = source.read()
source.close()
print(json.dumps([found.values, found.series] if found else None))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="the box needs root")
@pytest.mark.skipif(not BOX.exists(), reason=f"no box here ({BOX})")
@pytest.mark.skipif(not PYTHON, reason="jetson-stats is not installed, and $JTOP_PYTHON names no Python that has it")
def test_what_the_real_service_tells_reaches_the_metrics(tmp_path: Path) -> None:
    (tmp_path / "service.py").write_text(SERVICE)
    (tmp_path / "client.py").write_text(CLIENT)
    script = (
        f"JTOP_SERVICE=True {PYTHON} {tmp_path}/service.py >/dev/null 2>&1 & "
        f"{PYTHON} {tmp_path}/client.py {REPOSITORY}; kill %1"
    )
    done = subprocess.run([BOX, "bash", "-mc", script], capture_output=True, text=True, check=False, timeout=60)
    told = next((line for line in done.stdout.splitlines() if line.startswith("[{")), "")
    assert told, done.stdout + done.stderr
    values, series = json.loads(told)
    assert (values["gpu_percent"], values["gpu_mhz"], values["power_total_mw"]) == (43.7, 510.0, 5909)
    assert series["temp_c"]["gpu"] == 47.656
    assert series["power_mw"] == {"VDD_CPU_GPU_CV": 2160.0, "VDD_SOC": 1480.0}
    assert series["fan_rpm"] == {"pwmfan 0": 2210.0}
