"""Slowed down by heat: a robot that is throttled and says it is not makes every latency of the day a riddle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from remote.metrics import METRICS
from remote.monitor.readings import Readings
from remote.monitor.throttle import ThrottleSource

ROOT = Path(__file__).resolve().parents[3]


def put(root: Path, path: str, text: object) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{text}\n")
    return file


def device(root: Path, number: int, name: str, state: object) -> Path:
    folder = f"sys/class/thermal/cooling_device{number}"
    put(root, f"{folder}/type", name)
    return put(root, f"{folder}/cur_state", state)


def said(found: Readings) -> tuple[float | None, str | None]:
    return found.values.get("throttled"), found.text.get("throttled_by")


def test_a_cooling_device_that_is_at_work_is_named_and_one_at_rest_is_not(tmp_path: Path) -> None:
    state = device(tmp_path, 0, "gpu-throttle-alert", 0)
    device(tmp_path, 1, "cpufreq-cpu0", 0)
    source = ThrottleSource(tmp_path)
    assert said(source.read()) == (0.0, "")
    state.write_text("1\n")
    assert said(source.read()) == (1.0, "gpu-throttle-alert")


@pytest.mark.parametrize("name", ["pwm-fan", "Fan", "hot-surface-alert", "LCD"])
def test_a_fan_that_runs_is_no_throttling(tmp_path: Path, name: str) -> None:
    device(tmp_path, 0, "Processor", 0)
    device(tmp_path, 1, name, 3)
    assert said(ThrottleSource(tmp_path).read()) == (0.0, "")


@pytest.mark.parametrize("state", ["", "-1", "many", "0" * 300])
def test_what_is_no_number_tells_nothing(tmp_path: Path, state: str) -> None:
    device(tmp_path, 0, "Processor", state)
    assert "throttled" in ThrottleSource(tmp_path).read().unavailable


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("sys/class/hwmon/hwmon4/oc1_event_cnt", "over-current oc1"),
        ("sys/devices/system/cpu/cpu3/thermal_throttle/core_throttle_count", "core too hot"),
    ],
)
def test_a_counter_that_rises_is_throttling_for_that_second(tmp_path: Path, path: str, name: str) -> None:
    counter = put(tmp_path, path, 7)
    source = ThrottleSource(tmp_path)
    assert said(source.read()) == (0.0, "")  # it stood at 7 before anybody looked
    counter.write_text("8\n")
    assert said(source.read()) == (1.0, name)
    assert said(source.read()) == (0.0, "")
    counter.write_text("0\n")  # reset
    assert said(source.read()) == (0.0, "")


def test_where_nothing_can_be_known_the_reason_is_said(tmp_path: Path) -> None:
    device(tmp_path, 0, "pwm-fan", 3)
    found = ThrottleSource(tmp_path).read()
    assert (found.values, found.text) == ({}, {})
    assert set(found.unavailable) == {"throttled", "throttled_by"} <= METRICS.keys()


def test_a_device_that_vanishes_does_not_leave_a_word_of_rest(tmp_path: Path) -> None:
    state = device(tmp_path, 0, "Processor", 0)
    source = ThrottleSource(tmp_path)
    state.unlink()
    assert "throttled" in source.read().unavailable


def test_an_orins_tree(tmp_path: Path) -> None:
    made = ROOT.parent / "shared" / "tools" / "fake_jetson" / "make_tree.py"
    if not made.is_file():
        pytest.skip("the tree of an Orin is not here")
    subprocess.run([sys.executable, str(made), str(tmp_path)], check=True)
    assert "throttled" in ThrottleSource(tmp_path).read().unavailable  # that tree has no cooling devices
    device(tmp_path, 0, "pwm-fan", 2)
    alert = device(tmp_path, 1, "cpu-throttle-alert", 0)
    source = ThrottleSource(tmp_path)
    assert said(source.read()) == (0.0, "")
    alert.write_text("1\n")
    assert said(source.read()) == (1.0, "cpu-throttle-alert")
