"""A session that plays a robot's minute again and again: 1 Hz windows and host samples, 10 Hz live samples.

The bodies are made before they are played, so that a benchmark of the screen does not measure the making.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import msgspec

from console.link.snapshot import HISTORY, Seen, Snapshot
from remote.errors import Trouble
from remote.protocol import Command, Expected, Reply
from tests.console.screens.scripted import ADA, Robot, S, link, snapshot, state

SAMPLES_PER_S = 10


class SyntheticSession:
    """Plays at `speed` times real time."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._newest: Snapshot | None = None
        self.played_s = 0

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot."""
        if self._newest is None:
            raise Trouble("nothing played yet")
        return self._newest

    @property
    def holds_lease(self) -> bool:
        """Always: the benchmark is the one who commands."""
        return True

    def start(self, on_snapshot: Callable[[Snapshot], None]) -> None:
        """Begin to play."""
        self._thread = threading.Thread(target=self._play, args=(on_snapshot,), daemon=True)
        self._thread.start()

    def request(self, command: Command, *, expected: Expected | None = None, timeout_s: float = 5.0) -> Future[Reply]:
        """Nothing is commanded here."""
        return self._refused()

    def take_lease(self, *, over: int | None = None) -> Future[Reply]:
        """Nothing is commanded here."""
        return self._refused()

    def release_lease(self) -> Future[Reply]:
        """Nothing is commanded here."""
        return self._refused()

    def watch_samples(self, per_s: float) -> None:
        """The rate is fixed."""

    def cut(self, *, for_s: float = 0.0) -> None:
        """There is no link."""

    def retry(self) -> None:
        """There is no link."""

    def close(self) -> None:
        """End."""
        self._stop.set()

    def _refused(self) -> Future[Reply]:
        future: Future[Reply] = Future()
        future.set_exception(Trouble("a benchmark's robot takes no commands"))
        return future

    def _play(self, on_snapshot: Callable[[Snapshot], None]) -> None:
        robot = Robot()
        windows = [robot.window(n) for n in range(60)]
        hosts = [robot.host(n) for n in range(60)]
        samples = [robot.sample(n) for n in range(90)]
        shot = snapshot(now_ns=time.monotonic_ns(), seconds=HISTORY, robot=robot, age_ns=S // 10)
        seq, tick = 10_000, 0
        while not self._stop.wait(1 / (SAMPLES_PER_S * self._speed)):
            tick += 1
            now_ns = time.monotonic_ns()
            changed: dict[str, object] = {
                "taken_ns": now_ns,
                "sample": msgspec.structs.replace(samples[tick % 90], frame=3 * tick),
                "sample_at_ns": now_ns - 20_000_000,
                "link": link(now_ns=now_ns, heard_ns=now_ns - 5_000_000, round_trip_ms=3.0 + tick % 7 / 10),
            }
            if tick % SAMPLES_PER_S == 0:
                n, seq = (tick // SAMPLES_PER_S) % 60, seq + 2
                self.played_s += 1
                changed["windows"] = (*shot.windows[1 - HISTORY :], Seen(seq, now_ns, now_ns, windows[n]))
                changed["hosts"] = (*shot.hosts[1 - HISTORY :], Seen(seq + 1, now_ns, now_ns, hosts[n]))
                changed["state"] = state(lease=ADA, last_seq=seq + 1)
                changed["stored_seq"] = seq - 1
            shot = msgspec.structs.replace(shot, **changed)
            self._newest = shot
            on_snapshot(shot)
