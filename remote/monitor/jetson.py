"""What only a Jetson shows: jtop's client where its service answers, else tegrastats, else /sys; elsewhere why not."""

from __future__ import annotations

from pathlib import Path

from remote.monitor.jtop import JtopSource
from remote.monitor.readings import Readings
from remote.monitor.sysfs import SysfsSource, board_model
from remote.monitor.tegrastats import TegrastatsSource

METRICS = ("gpu_percent", "gpu_mhz", "emc_percent", "power_mw", "power_total_mw", "power_mode")
NOT_A_JETSON = "not a Jetson (/proc/device-tree/model is missing)"
OTHER_BOARD = "not a Jetson (by /proc/device-tree/model)"


class JetsonSource:
    """Looks at the best source that answers now.

    Args:
        root: where /proc, /sys, /etc and /var are found.
    """

    def __init__(
        self, root: Path = Path("/"), jtop: JtopSource | None = None, tegrastats: TegrastatsSource | None = None
    ) -> None:
        self._model = board_model(root)
        self._reason = OTHER_BOARD if (root / "proc/device-tree/model").exists() else NOT_A_JETSON
        self._jtop = self._tegrastats = None
        if self._model:
            self._jtop, self._tegrastats = jtop or JtopSource(), tegrastats or TegrastatsSource()
            self._sysfs = SysfsSource(root)

    @property
    def is_jetson(self) -> bool:
        """Whether this computer is one, by its device tree."""
        return self._model is not None

    def read(self) -> Readings:
        """The metrics of METRICS with temperatures and fans; what the chosen source lacks is filled from /sys."""
        if self._model is None:
            return Readings(unavailable=dict.fromkeys(METRICS, self._reason))
        found = self._sysfs.read()
        better = (self._jtop and self._jtop.read()) or (self._tegrastats and self._tegrastats.read())
        if better:
            found.values.update(better.values)
            found.series.update(better.series)
            found.text.update(better.text)
        elif found.unavailable and self._jtop and self._tegrastats:
            why = f"{self._jtop.why}; {self._tegrastats.why}"
            found.unavailable = {name: f"{reason}; {why}" for name, reason in found.unavailable.items()}
        return found

    def close(self) -> None:
        """End what runs in the background."""
        for source in (self._jtop, self._tegrastats):
            if source:
                source.close()
