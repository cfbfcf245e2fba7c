"""Host metrics: every one that remote.metrics names is there with a plausible number, or its absence has a reason."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from remote.metrics import METRICS
from remote.monitor.host import HostSource
from remote.monitor.jetson import JetsonSource
from remote.monitor.monitor import Monitor
from remote.monitor.readings import Readings, host_of
from remote.monitor.throttle import ThrottleSource
from remote.protocol import Body, Host
from tests.waiting import wait_until

HOST = {name: metric for name, metric in METRICS.items() if metric.home == "host"}


@pytest.fixture(scope="module")
def host() -> Host:
    source = HostSource(Path("/tmp"), lambda: None)
    time.sleep(0.2)  # rates need a span between two looks
    return host_of([source.read(), JetsonSource().read(), ThrottleSource().read()])


def test_no_metric_is_silently_missing(host: Host) -> None:
    told = {*host.values, *host.series, *host.text, *host.unavailable}
    assert told == set(HOST)
    assert all(host.unavailable.values())


def test_each_metric_has_the_shape_that_the_table_says(host: Host) -> None:
    for name, shape in ((name, metric.shape) for name, metric in HOST.items() if name not in host.unavailable):
        known = {"value": set(host.values), "series": set(host.series), "text": set(host.text)}
        assert name in known[shape], name


def test_the_numbers_can_be_true(host: Host) -> None:
    for name, value in host.values.items():
        if name.endswith("_percent"):
            assert 0 <= value <= 100, name
        assert value >= 0, name
    assert len(host.series["core_percent"]) == psutil.cpu_count()
    assert host.values["memory_total_bytes"] == psutil.virtual_memory().total
    assert host.values["memory_used_bytes"] < host.values["memory_total_bytes"]
    with open("/proc/uptime") as file:  # noqa: PTH123
        assert host.values["uptime_s"] == pytest.approx(float(file.read().split()[0]), abs=5)


def test_the_agents_own_share_is_shown(host: Host) -> None:
    rss = psutil.Process().memory_info().rss
    assert host.series["process_memory_bytes"]["agent"] == pytest.approx(rss, rel=0.5)


def test_the_worker_is_followed_over_a_restart_and_vanishes_with_its_end() -> None:
    pid: list[int | None] = [None]
    source = HostSource(Path("/tmp"), lambda: pid[0])
    busy = [sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(busy) as first, subprocess.Popen(busy) as second:
        for process in (first, second):
            pid[0] = process.pid
            source.read()
            wait_until(lambda: source.read().series["process_cpu_percent"]["worker"] > 5, 5, "the worker's share")
            process.kill()
            process.wait()
    assert "worker" not in source.read().series["process_cpu_percent"]
    pid[0] = None
    assert "worker" not in source.read().series["process_memory_bytes"]


def test_a_source_that_fails_is_named_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    source = HostSource(Path("/tmp"), lambda: None)

    def broken() -> None:
        raise PermissionError(13, "Permission denied", "/proc/meminfo")

    monkeypatch.setattr(psutil, "virtual_memory", broken)
    found = source.read()
    assert "Permission denied" in found.unavailable["memory_percent"]
    assert "load_1m" in found.values


def test_a_folder_that_is_gone_makes_the_disk_unavailable() -> None:
    found = HostSource(Path("/no/such/folder"), lambda: None).read()
    assert "disk_percent" in found.unavailable
    assert "disk_percent" not in found.values


def test_on_a_pc_the_reason_says_that_it_is_no_jetson(tmp_path: Path) -> None:
    found = JetsonSource(tmp_path).read()
    assert found.unavailable["gpu_percent"] == "not a Jetson (/proc/device-tree/model is missing)"
    assert found.unavailable["power_mode"] == found.unavailable["gpu_percent"]


def test_sources_are_laid_together_and_a_reason_stands_only_where_nothing_was_read() -> None:
    one = Readings(series={"temp_c": {"cpu": 40.0}}, unavailable={"gpu_percent": "no", "fan_rpm": "no fan"})
    two = Readings(values={"gpu_percent": 3.0}, series={"temp_c": {"gpu": 50.5}})
    host = host_of([one, two])
    assert host.values == {"gpu_percent": 3.0, "temp_max_c": 50.5}
    assert host.series["temp_c"] == {"cpu": 40.0, "gpu": 50.5}
    assert host.unavailable == {"fan_rpm": "no fan"}


class Stubborn:
    """A source whose first look fails in a way that nobody foresaw."""

    def __init__(self) -> None:
        self.looks = 0

    def read(self) -> Readings:
        self.looks += 1
        if self.looks == 1:
            raise ZeroDivisionError
        return Readings(values={"load_1m": float(self.looks)})


def test_the_monitor_goes_on_after_a_failed_look_and_ends_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remote.monitor.monitor.PERIOD_S", 0.01)
    bodies: list[Body] = []
    monitor = Monitor(Path("/tmp"), bodies.append, lambda: None, sources=[Stubborn()])
    monitor.start()
    wait_until(lambda: len(bodies) >= 2, 5, "two bodies")
    monitor.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "monitor"]
    assert isinstance(bodies[0], Host)
    assert bodies[0].values == {"load_1m": 2.0}


def test_one_look_is_cheap() -> None:
    source = HostSource(Path("/tmp"), lambda: os.getppid())
    begin = time.process_time()
    for _ in range(20):
        source.read()
    assert (time.process_time() - begin) / 20 < 0.010  # 1 % of a core at one look a second
