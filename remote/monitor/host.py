"""Metrics of any Linux computer through psutil: cheap enough for once a second, processes are never walked."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from remote.monitor.readings import Readings

DISK_EVERY_S = 5.0


class HostSource:
    """Looks at this computer. The first look has no rates yet, so `__init__` takes one.

    Args:
        disk: a folder on the file system to report.
        worker_pid: tells the worker's process id, None while none runs.
        clock_s: monotonic seconds.
        sensors: whether temperatures and fans are looked at here; a Jetson's own source knows them better.
    """

    def __init__(
        self,
        disk: Path,
        worker_pid: Callable[[], int | None],
        clock_s: Callable[[], float] = time.monotonic,
        *,
        sensors: bool = True,
    ) -> None:
        self._with_sensors = sensors
        self._disk, self._worker_pid, self._clock_s = str(disk), worker_pid, clock_s
        self._booted_s = psutil.boot_time()
        self._processes = {"agent": psutil.Process(os.getpid())}
        self._busy: list[tuple[float, float]] = []
        self._network: tuple[float, int, int] | None = None
        self._disk_read: tuple[float, Readings] | None = None
        for _ in range(2):
            self.read()

    def read(self) -> Readings:
        """Everything once. What can't be read is named with its reason."""
        found = Readings()
        for look, names in (
            (self._cpu, ("cpu_percent", "core_percent", "load_1m")),
            (self._memory, ("memory_percent", "memory_used_bytes", "memory_total_bytes", "swap_percent")),
            (self._disks, ("disk_percent", "disk_free_bytes")),
            (self._net, ("network_received_bytes_per_s", "network_sent_bytes_per_s")),
            (self._uptime, ("uptime_s",)),
            (self._sensors, ("temp_c", "temp_max_c", "fan_rpm")),
            (self._own_processes, ("process_cpu_percent", "process_memory_bytes")),
        ):
            try:
                look(found)
            except (OSError, psutil.Error, RuntimeError, AttributeError, NotImplementedError) as error:
                found.unavailable.update({name: f"{type(error).__name__}: {error}" for name in names})
        return found

    def _cpu(self, found: Readings) -> None:
        """Shares from the difference of two looks at the cores' counters; the whole is the sum of its cores."""
        now = [(sum(times[:8]), times.idle + getattr(times, "iowait", 0.0)) for times in psutil.cpu_times(percpu=True)]
        before, self._busy = self._busy, now
        found.values["load_1m"] = os.getloadavg()[0]
        spans = [(n[0] - b[0], n[1] - b[1]) for n, b in zip(now, before, strict=False)]
        whole = sum(total for total, _ in spans)
        if len(before) != len(now) or whole <= 0:
            found.unavailable.update(dict.fromkeys(("cpu_percent", "core_percent"), "the cores' counters did not move"))
            return
        cores = {str(i): _percent(total, idle) for i, (total, idle) in enumerate(spans) if total > 0}
        found.series["core_percent"] = cores
        found.values["cpu_percent"] = _percent(whole, sum(idle for _, idle in spans))

    def _memory(self, found: Readings) -> None:
        memory = psutil.virtual_memory()
        found.values["memory_total_bytes"] = memory.total
        found.values["memory_used_bytes"] = memory.total - memory.available
        found.values["memory_percent"] = round(100 * (1 - memory.available / memory.total), 2)
        swap = psutil.swap_memory()
        if swap.total:
            found.values["swap_percent"] = swap.percent
        else:
            found.unavailable["swap_percent"] = "no swap"

    def _disks(self, found: Readings) -> None:
        now = self._clock_s()
        if self._disk_read is None or now - self._disk_read[0] >= DISK_EVERY_S:
            usage = psutil.disk_usage(self._disk)
            self._disk_read = now, Readings(values={"disk_percent": usage.percent, "disk_free_bytes": usage.free})
        found.values.update(self._disk_read[1].values)

    def _net(self, found: Readings) -> None:
        interfaces = psutil.net_io_counters(pernic=True, nowrap=False)
        received = sum(one.bytes_recv for name, one in interfaces.items() if name != "lo")
        sent = sum(one.bytes_sent for name, one in interfaces.items() if name != "lo")
        now, before = self._clock_s(), self._network
        self._network = now, received, sent
        names = ("network_received_bytes_per_s", "network_sent_bytes_per_s")
        if before is None or now <= before[0]:
            found.unavailable.update(dict.fromkeys(names, "no second look yet"))
            return
        for name, new, old in zip(names, (received, sent), before[1:], strict=True):
            if new >= old:
                found.values[name] = round((new - old) / (now - before[0]), 1)
            else:
                found.unavailable[name] = "an interface vanished or was reset"

    def _uptime(self, found: Readings) -> None:
        clock = getattr(
            time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC
        )  # unlike wall time minus boot time it can't be set
        found.values["uptime_s"] = round(time.clock_gettime(clock), 1)

    def _sensors(self, found: Readings) -> None:
        if not self._with_sensors:
            return
        temperatures = {
            _unique(one.label or chip, i, ones): one.current
            for chip, ones in psutil.sensors_temperatures().items()
            for i, one in enumerate(ones)
            if one.current is not None and -55 < one.current < 200
        }
        fans = {
            _unique(one.label or chip, i, ones): float(one.current)
            for chip, ones in psutil.sensors_fans().items()
            for i, one in enumerate(ones)
        }
        for name, numbers, what in (("temp_c", temperatures, "temperature sensor"), ("fan_rpm", fans, "fan")):
            if numbers:
                found.series[name] = numbers
            else:
                found.unavailable[name] = f"this computer shows no {what}"
        if not temperatures:
            found.unavailable["temp_max_c"] = found.unavailable["temp_c"]

    def _own_processes(self, found: Readings) -> None:
        self._follow_worker()
        cpu, memory = {}, {}
        for name, process in list(self._processes.items()):
            try:
                with process.oneshot():
                    cpu[name] = process.cpu_percent(None)
                    memory[name] = float(process.memory_info().rss)
            except psutil.NoSuchProcess:
                del self._processes[name]
        found.series["process_cpu_percent"], found.series["process_memory_bytes"] = cpu, memory

    def _follow_worker(self) -> None:
        pid, known = self._worker_pid(), self._processes.get("worker")
        if known is not None and known.pid != pid:
            del self._processes["worker"]
        if pid is not None and (known is None or known.pid != pid):
            try:
                self._processes["worker"] = psutil.Process(pid)
            except psutil.NoSuchProcess:
                return  # it ended between the two looks; the next one sees the new worker


def _percent(total: float, idle: float) -> float:
    return round(min(100.0, max(0.0, 100 * (total - idle) / total)), 1)


def _unique(label: str, index: int, ones: Sequence[object]) -> str:
    labels = [getattr(one, "label", "") for one in ones]
    return label if labels.count(labels[index]) == 1 else f"{label} {index}"
