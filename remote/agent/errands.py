"""One thread for work on the disk that must not stop the loop, done in the order in which it was given."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

MOST_WAITING = 200

log = logging.getLogger("fieldgate.errands")


class Errands:
    """Runs callables one after the other. A disk that hangs lets them pile up to `most`; more are refused."""

    def __init__(self, name: str, most: int = MOST_WAITING) -> None:
        self._work: queue.Queue[Callable[[], None] | None] = queue.Queue(most)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def give(self, errand: Callable[[], None]) -> bool:
        """Do it soon; False where too many wait already."""
        try:
            self._work.put_nowait(errand)
        except queue.Full:
            return False
        return True

    def finish(self, patience_s: float = 2.0) -> bool:
        """Do what waits, then end; False when that takes longer than `patience_s`."""
        try:
            self._work.put(None, timeout=patience_s)
        except queue.Full:
            return False
        self._thread.join(patience_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (errand := self._work.get()) is not None:
            try:
                errand()
            except Exception:  # the thread's outer catch: the next errand is another one
                log.exception("an errand failed")
