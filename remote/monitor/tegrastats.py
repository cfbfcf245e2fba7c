"""NVIDIA's `tegrastats`: one line a second, whose fields differ from release to release; what is not understood is left out."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence

from remote.monitor.background import RETRY_S, BackgroundSource
from remote.monitor.readings import Readings
from remote.monitor.sysfs import TOTAL_RAILS

LINE_LIMIT = 8192
SILENT_S = 30.0
"""It says a line a second: one that has said nothing for so long hangs."""

_GPU = re.compile(r"\bGR3D_FREQ (\d{1,3})%(?:@\[?(\d{1,5})(?=[\s\],]))?")
_EMC = re.compile(r"\bEMC_FREQ (\d{1,3})%")
_TEMPERATURE = re.compile(r"(?:^|\s)([A-Za-z][\w-]{0,31})@(-?\d{1,4}(?:\.\d{1,4})?)C(?=\s|$)")
_RAIL = re.compile(r"(?:^|\s)([A-Z][A-Z0-9_]{2,31}) (\d{1,7})(?:mW)?/(\d{1,7})(?:mW)?(?=\s|$)")


def parse(text: str) -> Readings:
    """The metrics of one line, whatever it holds. Sensors that are off (-256) and shares over 100 are left out."""
    found = Readings()
    text = text[:LINE_LIMIT]
    if (gpu := _GPU.search(text)) and int(gpu[1]) <= 100:
        found.values["gpu_percent"] = float(gpu[1])
        if gpu[2]:
            found.values["gpu_mhz"] = float(gpu[2])
    if (emc := _EMC.search(text)) and int(emc[1]) <= 100:
        found.values["emc_percent"] = float(emc[1])
    temperatures = {name: float(value) for name, value in _TEMPERATURE.findall(text) if -55 < float(value) < 200}
    rails = {name: float(now) for name, now, _ in _RAIL.findall(text)}
    if temperatures:
        found.series["temp_c"] = temperatures
    if rails:
        found.series["power_mw"] = rails
        if total := [rails[name] for name in TOTAL_RAILS if name in rails]:
            found.values["power_total_mw"] = total[0]
    return found


class TegrastatsSource(BackgroundSource):
    """Runs the program in the background and keeps its newest line; starts it again where it ends or hangs."""

    def __init__(
        self,
        command: Sequence[str] = ("tegrastats", "--interval", "1000"),
        clock_s: Callable[[], float] = time.monotonic,
        retry_s: float = RETRY_S,
    ) -> None:
        super().__init__("tegrastats has not said anything yet", clock_s, retry_s)
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._heard_s, self._hung = clock_s(), False
        if shutil.which(command[0]):
            self._start("tegrastats")
        else:
            self._why = "tegrastats is not installed"

    def read(self) -> Readings | None:
        """See BackgroundSource. A program that has hung is ended here: its thread waits for its next line."""
        found = super().read()
        if found is None and self._clock_s() - self._heard_s > SILENT_S:
            self._hung = True
            self._end()
        return found

    def close(self) -> None:
        """End the program."""
        super().close()
        self._end()

    def _end(self) -> None:
        """With what it has started, which would hold its output open."""
        if self._process is not None and self._process.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _keep(self, found: Readings) -> None:
        self._heard_s = self._clock_s()
        super()._keep(found)

    def _listen(self) -> None:
        self._heard_s, self._hung = self._clock_s(), False
        try:
            self._take_lines()
            self._why = (
                f"tegrastats said nothing for {SILENT_S:g} s and was ended" if self._hung else "tegrastats ended"
            )
        except OSError as error:
            self._why = f"tegrastats can't be run: {error}"

    def _take_lines(self) -> None:
        with subprocess.Popen(
            self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
        ) as process:
            self._process = process
            assert process.stdout is not None  # asked for with PIPE
            while not self._stop.is_set() and (raw := process.stdout.readline(LINE_LIMIT)):
                found = parse(raw.decode("utf-8", "replace"))
                if found.values or found.series:
                    self._keep(found)
            self._end()
