"""Once a second one Host body from all sources, in a thread of its own so that a slow sensor never stops the agent."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from remote.monitor.host import HostSource
from remote.monitor.jetson import JetsonSource
from remote.monitor.readings import Readings, host_of
from remote.monitor.throttle import ThrottleSource
from remote.protocol import Body

PERIOD_S = 1.0

log = logging.getLogger("fieldgate.monitor")


class Source(Protocol):
    """Something that can be looked at."""

    def read(self) -> Readings:
        """What is there now; never raises for what the outside world does."""
        ...


class Monitor:
    """Gives a Host body to `journal` each second until stopped.

    Args:
        disk: a folder on the file system to report.
        journal: called from the monitor's thread.
        worker_pid: tells the worker's process id, None while none runs.
        sources: what to look at; this computer and its Jetson parts by default.
    """

    def __init__(
        self,
        disk: Path,
        journal: Callable[[Body], None],
        worker_pid: Callable[[], int | None],
        sources: Sequence[Source] | None = None,
    ) -> None:
        self._disk, self._journal, self._worker_pid, self._sources = disk, journal, worker_pid, sources
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="monitor", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; waits for the thread at most two seconds (a sensor may hang in the kernel)."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2.0)

    def _work(self) -> None:
        jetson = JetsonSource()
        host = HostSource(self._disk, self._worker_pid, sensors=not jetson.is_jetson)
        sources = self._sources or (host, jetson, ThrottleSource())
        next_s = time.monotonic()
        while not self._stop.is_set():
            next_s = max(next_s + PERIOD_S, time.monotonic())  # after a suspend: go on, do not catch up
            if self._stop.wait(next_s - time.monotonic()):
                break
            try:
                self._journal(host_of(source.read() for source in sources))
            except Exception:  # the thread's outer catch: the next second is another try
                log.exception("the monitor failed")
        jetson.close()
