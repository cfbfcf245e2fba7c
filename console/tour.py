"""The demo's tour of faults: real faults in the demo robot, one after the other, and how the console says each.

The tour only uses what a person could: a session with the lease, and drills that the demo's agent allows.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

import msgspec

from console.link.session import Session
from console.link.snapshot import Snapshot
from remote.errors import Trouble
from remote.protocol import Drill
from remote.ready_types import ready

_SLOW_MS = 50.0
_RECOVERY_S = 60.0
_FIRST_S = 60.0


class Step(msgspec.Struct, frozen=True):
    """One fault: what is said, what is done, when it is seen, and how long it is left to look at."""

    title: str
    told: str
    act: Callable[[Session], None]
    seen: Callable[[Snapshot], bool]
    look_s: float


def _drill(fault: str, seconds: float) -> Callable[[Session], None]:
    command = msgspec.convert({"do": "drill", "fault": fault, "seconds": seconds}, ready(Drill))

    def act(session: Session) -> None:
        session.request(command).result(timeout=10)

    return act


def _camera_is_away(snapshot: Snapshot) -> bool:
    return bool(snapshot.windows) and snapshot.windows[-1].body.camera.phase != "ok"


def _inference_over(limit_ms: float) -> Callable[[Snapshot], bool]:
    def seen(snapshot: Snapshot) -> bool:
        if not snapshot.windows:
            return False
        inference = snapshot.windows[-1].body.stages_ms.get("inference")
        median = inference.quantile(0.5) if inference else None
        return median is not None and median > limit_ms

    return seen


def _crashed(snapshot: Snapshot) -> bool:
    return bool(snapshot.failures) and snapshot.failures[-1].body.name == "worker_crash"


def _well(snapshot: Snapshot) -> bool:
    """Link up, worker running, and the newest window's camera and inference as they should be."""
    running = snapshot.state is not None and snapshot.state.worker.phase == "running"
    if snapshot.link.phase != "up" or not running or not snapshot.windows:
        return False
    newest = snapshot.windows[-1].body
    return newest.camera.phase == "ok" and newest.frames > 0 and not _inference_over(_SLOW_MS)(snapshot)


def _begun(snapshot: Snapshot) -> bool:
    """Link up and windows there. Those of an earlier time are shown while the link still connects: they are no answer."""
    return snapshot.link.phase == "up" and snapshot.state is not None and len(snapshot.windows) >= 3


STEPS = (
    Step(
        "camera unplugged",
        "the camera is pulled for 8 s: frames stop, the camera panel names the reason, a failure is kept",
        _drill("camera_unplugged", 8),
        _camera_is_away,
        12,
    ),
    Step(
        "slow inference",
        "inference is made 120 ms slower for 10 s: p50 and p95 climb, FPS falls, the latency alarm rises",
        _drill("slow_inference", 10),
        _inference_over(_SLOW_MS),
        14,
    ),
    Step(
        "worker crash",
        "the worker process is killed: the agent keeps its last words and starts it again",
        _drill("worker_crash", 1),
        _crashed,
        10,
    ),
    Step(
        "link cut",
        "the link is cut for 6 s: numbers turn stale, then every missed second is fetched, none twice",
        lambda session: session.cut(for_s=6),
        lambda snapshot: snapshot.link.phase != "up",
        14,
    ),
)


class Tour:
    """Runs the steps in a thread of its own; `say` shows one line and must be safe from any thread."""

    def __init__(self, session: Session, say: Callable[[str], None], *, steps: tuple[Step, ...] = STEPS) -> None:
        self._session = session
        self._say = say
        self._steps = steps
        self._over = Event()
        self._thread = Thread(target=self._run, name="tour", daemon=True)

    def start(self) -> None:
        """Begin; the first fault comes as soon as frames flow."""
        self._thread.start()

    def stop(self) -> None:
        """End at the next pause; does not undo a fault that is on (each ends by itself)."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(timeout=2)

    def _run(self) -> None:
        try:
            self._say("Tour of faults: waiting for the first windows")
            if not self._wait(_begun, _FIRST_S):
                if not self._over.is_set():
                    self._say(f"Tour of faults: no robot answered with windows in {_FIRST_S:.0f} s; see the events")
                return
            self._session.take_lease().result(timeout=10)
            for number, step in enumerate(self._steps, start=1):
                self._show(number, step)
            self._say("End of the tour. Everything that happened is in the events and failures; q quits")
        except Trouble as trouble:
            self._say(f"Tour of faults ended: {trouble.what}")

    def _show(self, number: int, step: Step) -> None:
        head = f"Tour {number}/{len(self._steps)}: {step.title}"
        self._say(f"{head}: {step.told}")
        step.act(self._session)
        if self._wait(step.seen, 15):
            self._over.wait(step.look_s)
        elif not self._over.is_set():
            self._say(f"{head}: the console has not seen it within 15 s")
        if not _well(self._session.snapshot):
            self._say(f"{head}: waiting until all is well again")
        if not self._wait(_well, _RECOVERY_S) and not self._over.is_set():
            self._say(f"{head}: not well again after {_RECOVERY_S:.0f} s; see the events")

    def _wait(self, seen: Callable[[Snapshot], bool], limit_s: float) -> bool:
        """Look ten times a second until `seen`, the limit, or the tour's end."""
        for _ in range(int(limit_s * 10)):
            if seen(self._session.snapshot):
                return True
            if self._over.wait(0.1):
                return False
        return False
