"""A session that is opened when it is started: what it takes to reach a robot is loaded after the first paint."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

from console.link.session import Session
from console.link.snapshot import Link, LinkPhase, Snapshot
from remote.errors import Trouble
from remote.protocol import Command, Expected, Reply

_EARLY = Trouble("the session has not begun yet", cure="wait a moment", code="unreachable")


class LateSession:
    """A Session (session.py) that hands everything on to the one that `opener` makes.

    Where opening fails, the snapshot's link is `refused` with the reason and the cure; `retry` opens it once more.
    """

    def __init__(self, robot: str, opener: Callable[[], Session], clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._opener = opener
        self._opened: Session | None = None
        self._closed = False
        self._samples_per_s = 0.0
        now_ns = clock()
        self._clock = clock
        self._lock = threading.Lock()
        self._on_snapshot: Callable[[Snapshot], None] = _ignore
        link = Link(phase="connecting", since_ns=now_ns, transport="local")
        self._waiting = Snapshot(robot=robot, taken_ns=now_ns, link=link)

    @property
    def snapshot(self) -> Snapshot:
        """See Session."""
        return self._opened.snapshot if self._opened else self._waiting

    def start(self, on_snapshot: Callable[[Snapshot], None]) -> None:
        """See Session; opens it, which may take a tenth of a second."""
        self._on_snapshot = on_snapshot
        try:
            opened = self._opener()
        except Trouble as trouble:
            self._wait("refused", trouble)
            return
        opened.watch_samples(self._samples_per_s)
        self._opened = opened
        if self._closed:
            opened.close()
        else:
            opened.start(on_snapshot)

    def retry(self) -> None:
        """See Session; where opening had failed it is opened anew, in a thread of its own."""
        if self._opened:
            self._opened.retry()
            return
        with self._lock:
            if self._closed or self._waiting.link.phase != "refused":
                return
            self._wait("connecting")
        threading.Thread(target=self.start, args=(self._on_snapshot,), name="fieldgate-open", daemon=True).start()

    def request(self, command: Command, *, expected: Expected | None = None, timeout_s: float = 5.0) -> Future[Reply]:
        """See Session."""
        return self._opened.request(command, expected=expected, timeout_s=timeout_s) if self._opened else _too_early()

    def take_lease(self, *, over: int | None = None) -> Future[Reply]:
        """See Session."""
        return self._opened.take_lease(over=over) if self._opened else _too_early()

    def release_lease(self) -> Future[Reply]:
        """See Session."""
        return self._opened.release_lease() if self._opened else _too_early()

    @property
    def holds_lease(self) -> bool:
        """See Session."""
        return self._opened is not None and self._opened.holds_lease

    def watch_samples(self, per_s: float) -> None:
        """See Session."""
        self._samples_per_s = per_s
        if self._opened:
            self._opened.watch_samples(per_s)

    def cut(self, *, for_s: float = 0.0) -> None:
        """See Session."""
        if self._opened:
            self._opened.cut(for_s=for_s)

    def close(self) -> None:
        """See Session."""
        self._closed = True
        if self._opened:
            self._opened.close()

    def _wait(self, phase: LinkPhase, trouble: Trouble | None = None) -> None:
        now_ns = self._clock()
        what, cure, code = (trouble.what, trouble.cure, trouble.code) if trouble else ("", "", "")
        link = Link(phase=phase, since_ns=now_ns, transport="local", reason=what, cure=cure, code=code)
        self._waiting = Snapshot(robot=self._waiting.robot, taken_ns=now_ns, link=link)
        self._on_snapshot(self._waiting)


def _ignore(_: Snapshot) -> None:
    """Nobody listens yet."""


def _too_early() -> Future[Reply]:
    future: Future[Reply] = Future()
    future.set_exception(_EARLY)
    return future
