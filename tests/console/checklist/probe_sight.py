"""A Sight over given snapshots, a real folder and real local commands, and windows as a worker writes them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec

from console.checklist.probes import Sight
from console.link.session import Session
from console.link.snapshot import Link, Seen, Snapshot
from console.link.transport import Ran
from remote.errors import Trouble
from remote.histogram import Histogram
from remote.protocol import (
    STAGES,
    AgentState,
    BundleState,
    CameraHealth,
    Command,
    Expected,
    Facts,
    Host,
    JournalState,
    LabelCount,
    Reply,
    Window,
    WorkerPhase,
    WorkerState,
)

S = 1_000_000_000
NOW_NS = 1_000 * S
WALL_NS = 1_800_000_000 * S
BUNDLE = "3f2a" * 16
OTHER = "91bc" * 16
OK = CameraHealth("ok", brightness=120.0)


def window(number: int, *, at_s: float, ms: Iterable[float] = (10.0,) * 30, **other: Any) -> Seen[Window]:
    """Window `number`, which ended `at_s` seconds before NOW_NS; every stage of every frame took one of `ms`."""
    times = Histogram.of(ms)
    made = Window(
        run=7,
        window=number,
        start_mono_ns=0,
        span_ms=1000.0,
        frames=times.count,
        stages_ms=dict.fromkeys(STAGES, times),
        labels={"cup": LabelCount(2, 2, 1.5, 0.7, 0.8)},
        camera=OK,
        source="scene:1",
        bundle=BUNDLE,
    )
    return Seen(number + 100, NOW_NS - round(at_s * S), WALL_NS, msgspec.structs.replace(made, **other))


def row_of_windows(n: int, *, newest_s: float = 0.5, **other: Any) -> tuple[Seen[Window], ...]:
    """`n` windows without a gap, the newest `newest_s` old."""
    return tuple(window(number, at_s=newest_s + n - 1 - number, **other) for number in range(n))


def host(at_s: float, values: dict[str, float] | None = None, **other: Any) -> Seen[Host]:
    """A host sample `at_s` seconds before NOW_NS."""
    return Seen(1, NOW_NS - round(at_s * S), WALL_NS, Host(values=values or {}, **other))


def state(
    *, phase: WorkerPhase = "running", run: int = 7, bundle: str | None = BUNDLE, trouble: str = ""
) -> AgentState:
    return AgentState(
        version=1,
        mono_ns=0,
        worker=WorkerState(phase, 0, run=run),
        source="scene:1",
        bundle=BundleState(bundle, "tabletop") if bundle else None,
        lease=None,
        epoch=0,
        journal=JournalState("j", 1, 9, 0, trouble),
    )


UP = Link(phase="up", since_ns=0, transport="local")
DOWN = Link(
    phase="down", since_ns=0, transport="local", reason="the cable is out", cure="plug it in", code="unreachable"
)


def snapshot(windows: tuple[Seen[Window], ...] = (), hosts: tuple[Seen[Host], ...] = (), **other: Any) -> Snapshot:
    made = Snapshot(robot="orin", taken_ns=NOW_NS, link=UP, state=state(), windows=windows, hosts=hosts)
    return msgspec.structs.replace(made, **other)


class _NoSession:
    """Holds the newest snapshot; a probe of this kind asks a session for nothing else."""

    def __init__(self) -> None:
        self.snapshot = snapshot()

    def request(self, command: Command, *, expected: Expected | None = None, timeout_s: float = 5.0) -> Future[Reply]:
        raise AssertionError(f"nothing is asked of the robot: {command}")


class GivenSight:
    """A Sight that shows `shots` one after the other to whoever waits, as long as the robot is there."""

    def __init__(self, files: Path, shots: Iterable[Snapshot] | None = None, *, bundle: str = BUNDLE) -> None:
        self.files = files
        self.bundle = bundle
        self.waited_s: list[float] = []
        self.now_ns = NOW_NS
        self._shots = list(shots) if shots is not None else None
        self._session = _NoSession()

    @property
    def session(self) -> Session | None:
        if self._shots is None:
            return None
        session: Any = self._session
        return session  # type: ignore[no-any-return]

    def facts(self) -> Facts:
        raise Trouble("there is no robot", code="unreachable")

    def run(self, argv: tuple[str, ...], timeout_s: float) -> Ran:
        """On this machine, as the robot would."""
        done = subprocess.run(argv, capture_output=True, timeout=timeout_s, check=False)
        return Ran(done.returncode, done.stdout, done.stderr)

    def stored_seq(self) -> int:
        return 0

    def wait(self, wanted: Callable[[Snapshot], bool], timeout_s: float) -> Snapshot | None:
        self.waited_s.append(timeout_s)
        for shot in self._shots or ():
            self._session.snapshot = shot
            if wanted(shot):
                return shot
        return None

    def mono_ns(self) -> int:
        return self.now_ns

    def wall_ns(self) -> int:
        return WALL_NS


def sight(files: Path, *shots: Snapshot, bundle: str = BUNDLE) -> Sight:
    """A Sight with a robot that shows these snapshots."""
    return GivenSight(files, shots, bundle=bundle)


def laptop(files: Path, *, bundle: str = BUNDLE) -> Sight:
    """A Sight without a robot."""
    return GivenSight(files, bundle=bundle)
