"""Whether the computer slows itself down against heat or over-current, read from /sys without root.

The kernel's cooling devices (its documentation: driver-api/thermal/sysfs-api) show in `cur_state` how hard each one cools: 0
is not at all. All but fans cool by slowing down. Tegra's over-current counters (`oc*_event_cnt` of soctherm) and x86's
counters of thermal throttling tell of it by rising.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from remote.monitor.readings import Readings

MOST_FILES = 512
NO_SLOWING = re.compile(r"fan|lcd|backlight|light|hot-surface", re.IGNORECASE)
"""Cooling devices that do not slow the processor down; a hot surface is a warning to whoever touches it."""


@dataclass(frozen=True)
class _Counter:
    name: str
    path: Path


class ThrottleSource:
    """Finds the files once below `root`, reads them at each look: metric `throttled` (0 or 1) and the text `throttled_by`."""

    def __init__(self, root: Path = Path("/")) -> None:
        found = sorted((root / "sys/class/thermal").glob("cooling_device*"))
        found = found or sorted((root / "sys/devices/virtual/thermal").glob("cooling_device*"))
        named = [(_text(path / "type"), path / "cur_state") for path in found[:MOST_FILES]]
        self._devices = [(name, path) for name, path in named if name and not NO_SLOWING.search(name)]
        self._counters = [*_over_current(root), *_throttle_counts(root)][:MOST_FILES]
        self._counted: dict[Path, int] = {}
        self._rises()

    def read(self) -> Readings:
        """What slows down now; unavailable, with the reason, where /sys shows nothing that could tell."""
        states = [(name, state) for name, path in self._devices if (state := _number(path)) is not None]
        known = bool(states) or bool(self._counted)
        rises = self._rises()
        if not known:
            reason = "/sys shows no cooling device and no counter that tells of slowing down"
            return Readings(unavailable={"throttled": reason, "throttled_by": reason})
        active = sorted({name for name, state in states if state > 0} | set(rises))
        found = Readings(values={"throttled": 1.0 if active else 0.0})
        found.text["throttled_by"] = ", ".join(active)
        return found

    def _rises(self) -> list[str]:
        """The counters that rose since the last look; one that went back was reset and tells nothing."""
        risen = []
        for counter in self._counters:
            now = _number(counter.path)
            if now is None:
                self._counted.pop(counter.path, None)
                continue
            if now > self._counted.get(counter.path, now):
                risen.append(counter.name)
            self._counted[counter.path] = now
        return risen


def _over_current(root: Path) -> list[_Counter]:
    files = sorted((root / "sys/class/hwmon").glob("hwmon*/oc*_event_cnt"))
    return [_Counter(f"over-current {path.name.removesuffix('_event_cnt')}", path) for path in files]


def _throttle_counts(root: Path) -> list[_Counter]:
    cores = sorted((root / "sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle"))
    names = ("core_throttle_count", "package_throttle_count")
    return [
        _Counter(name.removesuffix("_throttle_count") + " too hot", core / name) for core in cores for name in names
    ]


def _number(path: Path) -> int | None:
    word = _text(path)
    return int(word) if re.fullmatch(r"\d{1,18}", word) else None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(256).decode("utf-8", "replace").strip("\0 \n\t")
    except OSError:
        return ""
