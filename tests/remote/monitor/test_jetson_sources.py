"""A Jetson's own sources: a small tree of /sys as the kernel shows it, lines of tegrastats, states of jtop's client."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import ItemsView
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.metrics import METRICS
from remote.monitor.background import BackgroundSource
from remote.monitor.host import HostSource
from remote.monitor.jetson import JetsonSource
from remote.monitor.jtop import JtopSource, readings_of
from remote.monitor.readings import Readings, host_of
from remote.monitor.sysfs import SysfsSource, board_model
from remote.monitor.tegrastats import TegrastatsSource, parse
from tests.waiting import wait_until

ORIN = (
    "01-08-2025 10:11:12 RAM 2448/7620MB (lfb 4x4MB) SWAP 0/3810MB (cached 0MB) CPU [5%@729,0%@729,off,off] "
    "EMC_FREQ 3%@2133 GR3D_FREQ 43%@[509] NVDEC off VIC 0%@115 cpu@48.312C soc2@46.5C gpu@47.656C cv0@-256C "
    "tj@48.312C VDD_IN 5008mW/4950mW VDD_CPU_GPU_CV 432mW/430mW VDD_SOC 1480mW/1481mW"
)
NANO = (
    "RAM 2448/3964MB (lfb 1x1MB) CPU [20%@1428,11%@1428] EMC_FREQ 4%@1600 GR3D_FREQ 7%@921 PLL@38C CPU@41.5C "
    "PMIC@100C GPU@40C AO@46C thermal@40.75C POM_5V_IN 3000/2900 POM_5V_GPU 120/100"
)


def test_an_orins_line() -> None:
    found = parse(ORIN)
    assert found.values == {"gpu_percent": 43, "gpu_mhz": 509, "emc_percent": 3, "power_total_mw": 5008}
    assert found.series["temp_c"] == {"cpu": 48.312, "soc2": 46.5, "gpu": 47.656, "tj": 48.312}
    assert found.series["power_mw"] == {"VDD_IN": 5008, "VDD_CPU_GPU_CV": 432, "VDD_SOC": 1480}


def test_a_nanos_line() -> None:
    found = parse(NANO)
    assert found.values == {"gpu_percent": 7, "gpu_mhz": 921, "emc_percent": 4, "power_total_mw": 3000}
    assert found.series["temp_c"]["PMIC"] == 100
    assert found.series["power_mw"] == {"POM_5V_IN": 3000, "POM_5V_GPU": 120}


@pytest.mark.parametrize(
    "text",
    ["", "GR3D_FREQ", "GR3D_FREQ 250%", "cpu@9999C", "VDD_IN mW/mW", "tegrastats: not found", "cpu@C", "@@@@ %%% ///"],
)
def test_a_line_without_sense_gives_nothing_rather_than_wrong_numbers(text: str) -> None:
    found = parse(text)
    assert not found.values
    assert not found.series


@given(cut=st.integers(0, len(ORIN)))
def test_a_truncated_line_gives_no_number_that_the_whole_one_would_not(cut: int) -> None:
    whole, part = parse(ORIN), parse(ORIN[:cut])
    assert part.series.get("temp_c", {}).items() <= whole.series["temp_c"].items()
    assert part.values.items() <= whole.values.items()


@given(st.text(max_size=400))
def test_no_line_breaks_the_parser(text: str) -> None:
    found = parse(text + ORIN[:30])
    assert all(0 <= value <= 10**8 for value in found.values.values())


def test_a_hostile_line_takes_no_time() -> None:
    assert not parse("a@" * 10**6 + "1" * 10**6).values


def script(tmp_path: Path, body: str) -> tuple[str, ...]:
    file = tmp_path / "tegrastats.py"
    file.write_text(body)
    return (sys.executable, str(file))


def test_the_program_is_listened_to_and_started_again_when_it_ends(tmp_path: Path) -> None:
    command = script(tmp_path, f"print({ORIN!r}, flush=True)")
    source = TegrastatsSource(command, retry_s=0.01)
    wait_until(lambda: source.read() is not None, 10, "a reading")
    (tmp_path / "tegrastats.py").write_text(f"import time\nprint({NANO!r}, flush=True)\ntime.sleep(60)")
    wait_until(
        lambda: (found := source.read()) is not None and found.values["gpu_percent"] == 7, 10, "the second program"
    )
    source.close()


def test_a_program_that_hangs_is_ended_and_started_again(tmp_path: Path) -> None:
    """Its numbers were away until the agent began anew."""
    now = [0.0]
    code = f"import os, time\nprint({ORIN!r}, flush=True)\nos.fork()\ntime.sleep(60)"  # the child holds its output too
    source = TegrastatsSource(script(tmp_path, code), clock_s=lambda: now[0], retry_s=0.01)
    wait_until(lambda: source.read() is not None, 10, "a reading")
    (tmp_path / "tegrastats.py").write_text(f"import time\nprint({NANO!r}, flush=True)\ntime.sleep(60)")
    now[0] = 29.0
    assert source.read() is None
    assert source.why != "tegrastats said nothing for 30 s and was ended"
    now[0] = 31.0
    wait_until(lambda: source.read() is not None, 10, "the second program")
    assert source.why == "tegrastats said nothing for 30 s and was ended"
    source.close()


def test_an_old_line_is_no_reading_and_a_missing_program_has_a_reason(tmp_path: Path) -> None:
    now = [0.0]
    source = TegrastatsSource(script(tmp_path, f"print({ORIN!r}, flush=True)"), clock_s=lambda: now[0], retry_s=60)
    wait_until(lambda: source.read() is not None, 10, "a reading")
    now[0] = 3.1
    assert source.read() is None
    source.close()
    missing = TegrastatsSource(("no-such-tegrastats",))
    assert missing.read() is None
    assert missing.why == "tegrastats is not installed"


# ------------------------------------------------------------ /sys


def put(root: Path, path: str, text: str) -> None:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """What the sources read, as an Orin Nano's kernel shows it."""
    put(tmp_path, "proc/device-tree/model", "NVIDIA Jetson Orin Nano Developer Kit\0")
    put(tmp_path, "sys/class/devfreq/17000000.gpu/cur_freq", "510000000\n")
    put(tmp_path, "sys/class/devfreq/17000000.gpu/device/load", "437\n")
    for i, (name, raw) in enumerate((("cpu-thermal", "48312"), ("gpu-thermal", "47656"), ("cv0-thermal", "-256000"))):
        put(tmp_path, f"sys/devices/virtual/thermal/thermal_zone{i}/type", f"{name}\n")
        put(tmp_path, f"sys/devices/virtual/thermal/thermal_zone{i}/temp", f"{raw}\n")
    rails = "sys/bus/i2c/devices/1-0040/hwmon/hwmon1"
    for n, (name, mv, ma) in enumerate((("VDD_IN", 5008, 1180), ("VDD_SOC", 5000, 296)), 1):
        put(tmp_path, f"{rails}/in{n}_label", name)
        put(tmp_path, f"{rails}/in{n}_input", str(mv))
        put(tmp_path, f"{rails}/curr{n}_input", str(ma))
    put(tmp_path, "sys/class/hwmon/hwmon3/rpm", "2210")
    put(tmp_path, "var/lib/nvpmodel/status", "pmode:0001")
    put(tmp_path, "etc/nvpmodel.conf", "< POWER_MODEL ID=0 NAME=15W >\n< POWER_MODEL ID=1 NAME=7W >\n")
    return tmp_path


def no_services(tmp_path: Path) -> tuple[JtopSource, TegrastatsSource]:
    return JtopSource(tmp_path / "no.sock"), TegrastatsSource(("no-such-tegrastats",))


def test_the_tree_is_read_in_the_units_of_the_table(tree: Path) -> None:
    found = SysfsSource(tree).read()
    assert found.values["gpu_percent"] == 43.7
    assert found.values["gpu_mhz"] == 510
    assert found.values["power_total_mw"] == pytest.approx(5008 * 1.180, abs=0.1)
    assert found.series["power_mw"].keys() == {"VDD_IN", "VDD_SOC"}
    assert found.series["temp_c"] == {"cpu": 48.312, "gpu": 47.656}
    assert found.series["fan_rpm"] == {"hwmon3": 2210}
    assert found.text["power_mode"] == "7W"
    assert "emc_percent" in found.unavailable
    assert {*found.values, *found.series, *found.text, *found.unavailable} <= set(METRICS)


@pytest.mark.parametrize("content", ["", "garbage", "-1", "9" * 400, "0x10", "\xff"])
def test_a_broken_file_makes_its_metric_unavailable_and_no_other(tree: Path, content: str) -> None:
    put(tree, "sys/class/devfreq/17000000.gpu/device/load", content)
    found = SysfsSource(tree).read()
    assert "gpu_percent" in found.unavailable
    assert "gpu_percent" not in found.values
    assert found.values["gpu_mhz"] == 510


def test_where_nothing_answers_sysfs_does_and_the_rest_says_why(tree: Path, tmp_path: Path) -> None:
    source = JetsonSource(tree, *no_services(tmp_path))
    found = source.read()
    assert found.values["gpu_percent"] == 43.7
    assert "jtop does not run" in found.unavailable["emc_percent"]
    assert "tegrastats is not installed" in found.unavailable["emc_percent"]
    source.close()


def test_tegrastats_wins_over_sysfs_and_fills_what_that_lacks(tree: Path, tmp_path: Path) -> None:
    jtop, _ = no_services(tmp_path)
    program = script(tmp_path, f"import time\nprint({ORIN!r}, flush=True)\ntime.sleep(60)")
    tegrastats = TegrastatsSource(program)
    source = JetsonSource(tree, jtop, tegrastats)
    wait_until(lambda: tegrastats.read() is not None, 10, "a reading")
    found = source.read()
    assert (found.values["gpu_percent"], found.values["emc_percent"]) == (43, 3)
    assert found.text["power_mode"] == "7W"
    source.close()


@pytest.mark.parametrize(
    ("model", "jetson"), [("NVIDIA Jetson AGX Orin\0", True), ("Raspberry Pi 5\0", False), ("", False)]
)
def test_an_arm_board_is_not_yet_a_jetson(tmp_path: Path, model: str, jetson: bool) -> None:
    put(tmp_path, "proc/device-tree/model", model)
    assert (board_model(tmp_path) is not None) == jetson
    if not jetson:
        assert JetsonSource(tmp_path).read().unavailable["gpu_percent"].startswith("not a Jetson")


MAKE_TREE = next(
    (
        path
        for path in (Path(__file__).parents[n] / "shared/tools/fake_jetson/make_tree.py" for n in (3, 4))
        if path.exists()
    ),
    None,
)


@pytest.mark.skipif(MAKE_TREE is None, reason="the larger Jetson tree is not beside this checkout")
def test_a_larger_tree_made_by_others_is_understood_too(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(MAKE_TREE), str(tmp_path)], check=True)
    source = JetsonSource(tmp_path, *no_services(tmp_path))
    found = source.read()
    assert found.values["gpu_percent"] == 43.7
    assert found.values["power_total_mw"] == pytest.approx(5909.4, abs=0.1)
    assert found.series["temp_c"]["tj"] == 48.312
    assert found.series["fan_rpm"] == {"hwmon3": 2210}
    assert found.values["emc_percent"] == pytest.approx(9.89, abs=0.01)
    source.close()


# ------------------------------------------------------------ jtop


class Own:
    """jtop's GenericInterface: it has a dict's items and is none."""

    def __init__(self, data: dict[str, object]) -> None:
        self._data = data

    def items(self) -> ItemsView[str, object]:
        return self._data.items()


def client(**changes: object) -> SimpleNamespace:
    """The attributes of jtop's client that are used, as its version 7.2 gives them."""
    state: dict[str, object] = {
        "gpu": Own({"gpu": {"status": {"load": 43.7}, "freq": {"cur": 510000}}}),
        "memory": Own({"RAM": {"tot": 1, "used": 1}, "EMC": {"val": 9}}),
        "temperature": {"cpu": {"temp": 48.3, "online": True}, "cv0": {"temp": -256, "online": False}},
        "power": {"rail": {"VDD_IN": {"volt": 5008, "curr": 1180, "power": 5909, "avg": 5900}}, "tot": {"power": 5909}},
        "fan": Own({"pwmfan": {"speed": [34.5], "rpm": [2210]}}),
        "nvpmodel": "15W",
    }
    return SimpleNamespace(**{**state, **changes})


def test_jtops_state_becomes_our_metrics_and_offline_sensors_are_left_out() -> None:
    found = readings_of(client())
    assert found.values == {"gpu_percent": 43.7, "gpu_mhz": 510, "emc_percent": 9, "power_total_mw": 5909}
    assert found.series["temp_c"] == {"cpu": 48.3}
    assert found.series["power_mw"] == {"VDD_IN": 5909}
    assert found.series["fan_rpm"] == {"pwmfan 0": 2210}
    assert found.text["power_mode"] == "15W"


@pytest.mark.parametrize("part", ["gpu", "memory", "temperature", "power", "fan", "nvpmodel"])
@pytest.mark.parametrize("value", [None, {}, {"x": None}], ids=["none", "empty", "odd"])
def test_a_board_without_a_part_has_no_number_for_it(part: str, value: object) -> None:
    found = readings_of(client(**{part: value}))
    assert isinstance(found, Readings)
    assert not [number for number in found.values.values() if number < 0]


def test_without_the_service_nothing_is_imported(tmp_path: Path) -> None:
    source = JtopSource(tmp_path / "no.sock")
    assert source.read() is None
    assert source.why == "the service jtop does not run"
    assert "jtop" not in sys.modules
    source.close()


def test_foreign_code_that_breaks_is_the_reason_and_is_asked_again(tmp_path: Path) -> None:
    class Broken(BackgroundSource):
        asked = 0

        def __init__(self) -> None:
            super().__init__("nothing yet", retry_s=0.01)
            self._start("broken")

        def _listen(self) -> None:
            self.asked += 1
            if self.asked < 3:
                raise RuntimeError("the socket went away")
            self._keep(Readings({"gpu_percent": 7.0}))

    source = Broken()
    wait_until(lambda: source.read() is not None, 10, "a reading")
    assert source.why == "broken: the socket went away"
    source.close()


def test_no_sensor_is_shown_twice_on_a_jetson(tree: Path, tmp_path: Path) -> None:
    jetson = JetsonSource(tree, *no_services(tmp_path))
    assert jetson.is_jetson
    host = HostSource(tmp_path, lambda: None, sensors=not jetson.is_jetson)
    both = host_of([host.read(), jetson.read()])
    assert both.series["temp_c"].keys() == {"cpu", "gpu"}
    assert both.values["temp_max_c"] == 48.312
    jetson.close()
