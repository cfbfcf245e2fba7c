"""A source that is listened to in a thread of its own, because it may be slow, may block, and may come and go."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from remote.monitor.readings import Readings

FRESH_S = 3.0
RETRY_S = 30.0


class BackgroundSource:
    """Keeps the newest readings. A subclass listens until its source ends, and is called again after `retry_s`."""

    def __init__(self, why: str, clock_s: Callable[[], float] = time.monotonic, retry_s: float = RETRY_S) -> None:
        self._why, self._clock_s, self._retry_s = why, clock_s, retry_s
        self._newest: tuple[float, Readings] | None = None
        self._stop = threading.Event()

    @property
    def why(self) -> str:
        """Why `read` gives nothing."""
        return self._why

    def read(self) -> Readings | None:
        """The newest readings; None where there are none younger than FRESH_S."""
        newest = self._newest
        return newest[1] if newest and self._clock_s() - newest[0] <= FRESH_S else None

    def close(self) -> None:
        """Let the thread end at its next turn."""
        self._stop.set()

    def _start(self, name: str) -> None:
        threading.Thread(target=self._work, args=(name,), name=name, daemon=True).start()

    def _work(self, name: str) -> None:
        while not self._stop.is_set():
            try:
                self._listen()
            except Exception as error:  # noqa: BLE001 - the thread's outer catch: foreign code, the reason is shown
                self._why = f"{name}: {error}"
            self._stop.wait(self._retry_s)

    def _keep(self, found: Readings) -> None:
        self._newest = self._clock_s(), found

    def _listen(self) -> None:
        """Call `_keep` for what comes; return when the source ends, with the reason in `_why` or raised."""
        raise NotImplementedError
