"""jetson-stats' client, where its owner installed it and its service answers. It lives in a thread: it may block for ever."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from remote.monitor.readings import Readings

SERVICE = Path("/run/jtop.sock")
FRESH_S = 3.0
RETRY_S = 30.0


class JtopSource:
    """Keeps the newest answer of the service. Nothing is imported where its socket is not there."""

    def __init__(
        self, service: Path = SERVICE, clock_s: Callable[[], float] = time.monotonic, retry_s: float = RETRY_S
    ) -> None:
        self._service, self._clock_s, self._retry_s = service, clock_s, retry_s
        self._newest: tuple[float, Readings] | None = None
        self._why = "the service jtop does not run"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="jtop", daemon=True)
        self._thread.start()

    @property
    def why(self) -> str:
        """Why `read` gives nothing."""
        return self._why

    def read(self) -> Readings | None:
        """The newest answer; None where there is none younger than FRESH_S."""
        newest = self._newest
        return newest[1] if newest and self._clock_s() - newest[0] <= FRESH_S else None

    def close(self) -> None:
        """Let the thread end at its next turn."""
        self._stop.set()

    def _work(self) -> None:
        while not self._stop.is_set():
            if self._service.exists():
                try:
                    self._listen()
                except Exception as error:  # noqa: BLE001 - the thread's outer catch: foreign code, the reason is shown
                    self._why = f"jtop: {error}"
            self._stop.wait(self._retry_s)

    def _listen(self) -> None:
        from jtop import jtop

        with jtop(interval=1) as client:
            while not self._stop.is_set() and client.ok():
                self._newest = self._clock_s(), readings_of(client)


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
    return value if isinstance(value, Mapping) else {}


def _at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = _mapping(value).get(key)
    return value


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _take(values: dict[str, float], name: str, value: Any, factor: float) -> None:
    if _number(value) and value >= 0:
        values[name] = round(value * factor, 2)
