"""Keeps a camera running in a thread of its own, and opens it again when liveness says so.

A driver can block for ever inside a read, and no thread can be stopped from outside. So each opening has its own thread and
its own camera; one that hangs is left behind, and what it may still deliver is ignored by its opening's number.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from remote.errors import Trouble
from remote.perception.cameras.base import Camera
from remote.perception.faults import BadFrame, CameraGone
from remote.perception.handoff import Gone, Handoff, Opened, Seen, Spoiled
from remote.perception.liveness import Backoff
from remote.perception.look import look_at
from remote.protocol import CameraPhase

MOST_HANGING = 3  # each holds a driver's buffers; beyond that only a new process helps
_NS_PER_S = 1_000_000_000
_NS_PER_MS = 1e6


class Eye:
    """Owns the camera's threads.

    Args:
        make: makes a camera; called once for each opening.
        handoff: where frames and notes go.
        clock: monotonic nanoseconds.
        unplugged: asked before each open and read; True makes them fail as if the camera had been pulled out.
    """

    def __init__(
        self,
        make: Callable[[], Camera],
        handoff: Handoff,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        unplugged: Callable[[], bool] = lambda: False,
    ) -> None:
        self._make, self._handoff, self._clock, self._unplugged = make, handoff, clock, unplugged
        self.opening = 0
        self.reopened = 0
        self._reader: _Reader | None = None
        self._left_behind: list[_Reader] = []
        self._quick = Backoff(0.5, 10.0)  # a camera that is away costs nothing to try
        self._slow = Backoff(5.0, 60.0)  # one that gives pictures, if bad ones, is disturbed seldom
        self._retry_ns: int | None = None

    def start(self) -> None:
        """Open the camera for the first time."""
        self._begin()

    def tick(self, now_ns: int, phase: CameraPhase) -> bool:
        """Open the camera again when it is time to; True when that was begun just now."""
        if phase in ("ok", "opening"):
            self._retry_ns = None
            if phase == "ok":
                self._quick.reset()
                self._slow.reset()
            return False
        if self._retry_ns is None:
            backoff = self._quick if phase in ("gone", "stalled") else self._slow
            self._retry_ns = now_ns + round(backoff.next_s() * _NS_PER_S)
        if now_ns < self._retry_ns or self._too_many_hang():
            return False
        self._retry_ns = None
        self._leave()
        self._begin()
        return True

    def opened(self, opening: int) -> bool:
        """Count an opening that succeeded; True when it was not the first."""
        again = opening > 1
        self.reopened += again
        return again

    @property
    def hanging(self) -> int:
        """Readers that were left behind and still hang in their driver."""
        self._left_behind = [reader for reader in self._left_behind if reader.is_alive()]
        return len(self._left_behind)

    def stop(self, patience_s: float = 1.0) -> bool:
        """End the camera; False when its thread still hangs after `patience_s`."""
        reader = self._reader
        self._leave()
        if reader is None:
            return True
        reader.join(patience_s)
        return not reader.is_alive()

    def _too_many_hang(self) -> bool:
        return self.hanging >= MOST_HANGING

    def _begin(self) -> None:
        self.opening += 1
        self._reader = _Reader(self._make, self._handoff, self._clock, self._unplugged, self.opening)
        self._reader.start()

    def _leave(self) -> None:
        if self._reader is not None:
            self._reader.end()
            self._left_behind.append(self._reader)
            self._reader = None


class _Reader(threading.Thread):
    """One opening of the camera, from `open` to the first error."""

    def __init__(
        self,
        make: Callable[[], Camera],
        handoff: Handoff,
        clock: Callable[[], int],
        unplugged: Callable[[], bool],
        opening: int,
    ) -> None:
        super().__init__(name=f"camera-{opening}", daemon=True)
        self._make, self._handoff, self._clock, self._unplugged = make, handoff, clock, unplugged
        self._opening = opening
        self._camera: Camera | None = None
        self._ended = threading.Event()

    def end(self) -> None:
        """Ask it to end; a read that hangs in the driver is not waited for."""
        self._ended.set()
        camera = self._camera
        if camera is not None:
            camera.wake()

    def run(self) -> None:
        try:
            self._watch()
        except CameraGone as gone:
            self._handoff.note(Gone(self._opening, str(gone)))
        except Trouble as trouble:
            self._handoff.note(Gone(self._opening, trouble.what))
        except Exception as error:  # noqa: BLE001 - the thread's one outer catch: whatever it is, the loop must hear of it
            self._handoff.note(Gone(self._opening, f"{type(error).__name__}: {error}"))
        finally:
            if self._camera is not None:
                self._camera.close()

    def _watch(self) -> None:
        self._refuse_if_unplugged()
        self._camera = camera = self._make()
        camera.open()
        self._handoff.note(Opened(self._opening))
        while not self._ended.is_set():
            self._read_one(camera)

    def _read_one(self, camera: Camera) -> None:
        started = self._clock()
        try:
            frame = camera.read()
        except BadFrame as spoiled:
            self._handoff.note(Spoiled(self._opening, str(spoiled), spoiled.subject))
            return
        self._refuse_if_unplugged()
        if not self._ended.is_set():
            capture_ms = (self._clock() - started) / _NS_PER_MS
            self._handoff.offer(Seen(self._opening, frame, capture_ms, look_at(frame.image)))

    def _refuse_if_unplugged(self) -> None:
        if self._unplugged():
            raise CameraGone("the camera was unplugged (drill)")
