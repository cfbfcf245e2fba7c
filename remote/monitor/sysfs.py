"""A Jetson's GPU, thermal zones, power rails and fan, read from /sys without root and without NVIDIA's programs."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from pathlib import Path

from remote.monitor.readings import Readings

TOTAL_RAILS = ("VDD_IN", "POM_5V_IN", "SYS5V", "VIN_SYS_5V0")
_MODE = re.compile(r"<\s*POWER_MODEL\s+ID=(\d+)\s+NAME=([^\s>]+)")
_LOWEST_C, _HIGHEST_C = -55.0, 200.0


def board_model(root: Path = Path("/")) -> str | None:
    """The board's name where it is a Jetson, by its device tree; None elsewhere (an aarch64 alone makes no Jetson)."""
    for folder in ("proc/device-tree", "sys/firmware/devicetree/base"):
        with contextlib.suppress(OSError):
            model = (root / folder / "model").read_bytes().rstrip(b"\0").decode("utf-8", "replace").strip()
            return model if "jetson" in model.lower() or "nvidia" in model.lower() else None
    return None


class SysfsSource:
    """Finds the files once below `root`, reads them at each look."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._root = root
        self._gpu = next((path for path in sorted((root / "sys/class/devfreq").glob("*")) if _is_gpu(path)), None)
        self._zones = sorted((root / "sys/devices/virtual/thermal").glob("thermal_zone*"))
        self._zones = self._zones or sorted((root / "sys/class/thermal").glob("thermal_zone*"))
        labels = (root / "sys/bus/i2c/devices").glob("*/hwmon/hwmon*/in*_label")
        self._rails = sorted(path for path in labels if re.fullmatch(r"in\d+_label", path.name))
        fans = [*(root / "sys/class/hwmon").glob("hwmon*/rpm"), *(root / "sys/class/hwmon").glob("hwmon*/fan1_input")]
        self._fans = sorted(fans)

    def read(self) -> Readings:
        """What can be read now, with a reason for each metric that can't."""
        found = Readings()
        self._read_gpu(found)
        self._read_emc(found)
        self._read_power(found)
        self._read_mode(found)
        _series(
            found,
            "temp_c",
            {self._zone_name(z): c for z in self._zones if (c := _celsius(z)) is not None},
            "thermal zone",
        )
        _series(found, "fan_rpm", {f.parent.name: rpm for f in self._fans if (rpm := _number(f)) is not None}, "fan")
        return found

    def _read_gpu(self, found: Readings) -> None:
        load = _number(self._gpu / "device" / "load") if self._gpu else None
        rate = _number(self._gpu / "cur_freq") if self._gpu else None
        _value(found, "gpu_percent", load, lambda permille: min(100.0, permille / 10), "the GPU's load")
        _value(found, "gpu_mhz", rate, lambda hertz: hertz / 1e6, "the GPU's clock")

    def _read_emc(self, found: Readings) -> None:
        busy = _number(self._root / "sys/kernel/actmon_avg_activity/mc_all")
        rate = _number(self._root / "sys/kernel/debug/bpmp/debug/clk/emc/rate")
        share = 100 * busy * 1000 / rate if busy is not None and rate else None
        _value(
            found,
            "emc_percent",
            share,
            lambda percent: min(100.0, percent),
            "the memory controller's use (root may read it)",
        )

    def _read_power(self, found: Readings) -> None:
        rails = {}
        for label in self._rails:
            number = label.name[2:-6]
            millivolt, milliamp = (
                _number(label.with_name(f"in{number}_input")),
                _number(label.with_name(f"curr{number}_input")),
            )
            name = _word(label)
            if name and millivolt is not None and milliamp is not None:
                rails[name] = round(millivolt * milliamp / 1000, 1)
        _series(found, "power_mw", rails, "INA3221 power rail")
        total = next((rails[name] for name in TOTAL_RAILS if name in rails), None)
        _value(found, "power_total_mw", total, lambda mw: mw, f"the board's input rail ({', '.join(TOTAL_RAILS)})")

    def _read_mode(self, found: Readings) -> None:
        status, names = _word(self._root / "var/lib/nvpmodel/status"), _word(self._root / "etc/nvpmodel.conf")
        number = re.search(r"pmode:0*(\d+)", status or "")
        if number is None:
            found.unavailable["power_mode"] = "nvpmodel left no /var/lib/nvpmodel/status"
            return
        modes = dict(_MODE.findall(names or ""))
        found.text["power_mode"] = modes.get(number[1], f"mode {number[1]}")

    @staticmethod
    def _zone_name(zone: Path) -> str:
        return (_word(zone / "type") or zone.name).removesuffix("-thermal").removesuffix("-therm")


def _is_gpu(devfreq: Path) -> bool:
    names = (devfreq.name, _word(devfreq / "device" / "of_node" / "name") or "")
    return any(word in name for name in names for word in ("gpu", "gv11b", "gp10b", "ga10b"))


def _celsius(zone: Path) -> float | None:
    """Degrees of a zone; None for one that is off (it fails to read, or says -256)."""
    raw = _number(zone / "temp")
    return raw / 1000 if raw is not None and _LOWEST_C < raw / 1000 < _HIGHEST_C else None


def _number(path: Path) -> float | None:
    word = _word(path)
    return float(word) if word and re.fullmatch(r"-?\d{1,18}", word) else None


def _word(path: Path) -> str | None:
    try:
        return path.read_bytes()[:65536].decode("utf-8", "replace").strip("\0 \n\t")
    except OSError:
        return None


def _value(found: Readings, name: str, raw: float | None, convert: Callable[[float], float], what: str) -> None:
    if raw is None or raw < 0:
        found.unavailable[name] = f"/sys does not show {what}"
    else:
        found.values[name] = round(convert(raw), 2)


def _series(found: Readings, name: str, numbers: dict[str, float], what: str) -> None:
    if numbers:
        found.series[name] = numbers
    else:
        found.unavailable[name] = f"/sys shows no {what}"
