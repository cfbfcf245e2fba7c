"""jetson-stats' client, where its owner installed it and its service answers. It lives in a thread: it may block for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from remote.monitor.background import RETRY_S, BackgroundSource
from remote.monitor.readings import Readings

SERVICE = Path("/run/jtop.sock")


class JtopSource(BackgroundSource):
    """Keeps the newest answer of the service. Nothing is imported where its socket is not there."""

    def __init__(
        self, service: Path = SERVICE, clock_s: Callable[[], float] = time.monotonic, retry_s: float = RETRY_S
    ) -> None:
        super().__init__("the service jtop does not run", clock_s, retry_s)
        self._service = service
        self._start("jtop")

    def _listen(self) -> None:
        if not self._service.exists():
            return
        from jtop import jtop

        with jtop(interval=1) as client:
            while not self._stop.is_set() and client.ok():
                self._keep(readings_of(client))


def readings_of(client: Any) -> Readings:
    """The metrics of one state of jtop's client. Offline sensors (-256) are left out; its CPU totals are not used at all:
    they are wrong on every second read."""
    found = Readings()
    for gpu in _mapping(client.gpu).values():
        _take(found.values, "gpu_percent", _at(gpu, "status", "load"), 1)
        _take(found.values, "gpu_mhz", _at(gpu, "freq", "cur"), 1e-3)
    _take(found.values, "emc_percent", _at(client.memory, "EMC", "val"), 1)
    temperatures = {
        str(name): float(one["temp"])
        for name, one in _mapping(client.temperature).items()
        if _at(one, "online") and isinstance(one.get("temp"), (int, float)) and -55 < one["temp"] < 200
    }
    power = _mapping(client.power)
    rails = {
        str(name): float(one["power"])
        for name, one in _mapping(power.get("rail")).items()
        if _number(_at(one, "power"))
    }
    fans = {
        f"{name} {i}": float(rpm)
        for name, one in _mapping(client.fan).items()
        for i, rpm in enumerate(_at(one, "rpm") or ())
        if _number(rpm)
    }
    for series, numbers in (("temp_c", temperatures), ("power_mw", rails), ("fan_rpm", fans)):
        if numbers:
            found.series[series] = numbers
    _take(found.values, "power_total_mw", _at(power, "tot", "power"), 1)
    if mode := str(client.nvpmodel or ""):
        found.text["power_mode"] = mode
    return found


def _mapping(value: Any) -> Mapping[Any, Any]:
    """`value` where it has items: jtop's gpu, memory and fan are objects of its own that only look like a dict."""
    return dict(value.items()) if hasattr(value, "items") else {}


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = _mapping(value).get(key)
    return value


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _take(values: dict[str, float], name: str, value: Any, factor: float) -> None:
    if _number(value) and value >= 0:
        values[name] = round(value * factor, 2)
