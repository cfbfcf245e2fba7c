"""NVIDIA's `tegrastats`: one line a second, whose fields differ from release to release; what is not understood is left out."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence

from remote.monitor.readings import Readings
from remote.monitor.sysfs import TOTAL_RAILS

LINE_LIMIT = 8192
FRESH_S = 3.0
RETRY_S = 30.0

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


class TegrastatsSource:
    """Runs the program in the background and keeps its newest line; starts it again where it ends."""

    def __init__(
        self,
        command: Sequence[str] = ("tegrastats", "--interval", "1000"),
        clock_s: Callable[[], float] = time.monotonic,
        retry_s: float = RETRY_S,
    ) -> None:
        self._command, self._clock_s, self._retry_s = command, clock_s, retry_s
        self._newest: tuple[float, Readings] | None = None
        self._why = "tegrastats has not said anything yet"
        self._stop = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._work, name="tegrastats", daemon=True)
        if shutil.which(command[0]):
            self._thread.start()
        else:
            self._why = "tegrastats is not installed"

    @property
    def why(self) -> str:
        """Why `read` gives nothing."""
        return self._why

    def read(self) -> Readings | None:
        """The newest line's metrics; None where there is none younger than FRESH_S."""
        newest = self._newest
        return newest[1] if newest and self._clock_s() - newest[0] <= FRESH_S else None

    def close(self) -> None:
        """End the program."""
        self._stop.set()
        if self._process:
            with contextlib.suppress(OSError):
                self._process.kill()

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
                self._why = "tegrastats ended"
            except OSError as error:
                self._why = f"tegrastats can't be run: {error}"
            self._stop.wait(self._retry_s)

    def _listen(self) -> None:
        with subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
            self._process = process
            assert process.stdout is not None  # asked for with PIPE
            while not self._stop.is_set() and (raw := process.stdout.readline(LINE_LIMIT)):
                found = parse(raw.decode("utf-8", "replace"))
                if found.values or found.series:
                    self._newest = self._clock_s(), found
            process.kill()
