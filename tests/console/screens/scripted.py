"""A robot that follows a script, in memory: realistic windows, host samples, events and failures for tests of the screen."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from concurrent.futures import Future

from console.link.snapshot import HISTORY, Link, LinkPhase, Seen, Snapshot
from remote.histogram import Histogram
from remote.protocol import (
    AgentState,
    BundleState,
    CameraHealth,
    Command,
    Detection,
    Event,
    Expected,
    Failure,
    Host,
    JournalState,
    LabelCount,
    LeaseState,
    Reply,
    Sample,
    Window,
    WorkerPhase,
    WorkerState,
)

S = 1_000_000_000
WALL_NS = 1_772_000_000 * S
LABELS = ("cube", "sphere", "cylinder", "cone")
DIGEST = "4f1d2c3b" * 8


class Robot:
    """Makes the body of second `n`; the same seed makes the same robot. `fault` changes what it makes from then on."""

    def __init__(self, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.slow_ms = 0.0
        self.camera = CameraHealth("ok", brightness=117.0)
        self.fps = 30

    def window(self, n: int) -> Window:
        draw = self.random.gauss
        stages = {
            "capture": [abs(draw(1.8, 0.3)) for _ in range(self.fps)],
            "preprocess": [abs(draw(2.1, 0.2)) for _ in range(self.fps)],
            "inference": [abs(draw(14.2 + 2 * math.sin(n / 9), 1.4)) + self.slow_ms for _ in range(self.fps)],
            "postprocess": [abs(draw(0.9, 0.1)) for _ in range(self.fps)],
        }
        stages["end_to_end"] = [sum(parts) + 2.5 for parts in zip(*stages.values(), strict=True)]
        counts = {label: max(0, round(draw(20 + 9 * k, 6))) for k, label in enumerate(LABELS[:3])}
        labels = {
            label: LabelCount(count, min(count, self.fps), count * 0.83, 0.41, 0.97)
            for label, count in counts.items()
            if count
        }
        return Window(
            run=1,
            window=n,
            start_mono_ns=n * S,
            span_ms=1000.0,
            frames=self.fps,
            dropped=1 if n % 7 == 3 else 0,
            frames_with_detections=min(self.fps, 28),
            stages_ms={stage: Histogram.of(values) for stage, values in stages.items()},
            labels=labels,
            camera=self.camera,
            source="scene:",
            bundle=DIGEST,
        )

    def host(self, n: int) -> Host:
        draw = self.random.gauss
        cores = {f"cpu{k}": min(100.0, max(0.0, draw(41 + 6 * k, 9))) for k in range(6)}
        return Host(
            values={
                "cpu_percent": sum(cores.values()) / len(cores),
                "memory_percent": 38.2 + n % 5 / 10,
                "swap_percent": 0.0,
                "disk_percent": 41.7,
                "temp_max_c": 51.5 + 3 * math.sin(n / 20),
                "gpu_percent": min(100.0, max(0.0, draw(46, 8))),
                "emc_percent": 22.0,
                "power_total_mw": 9400 + draw(0, 400),
                "uptime_s": 7200.0 + n,
            },
            series={
                "core_percent": cores,
                "temp_c": {"CPU": 51.5 + 3 * math.sin(n / 20), "GPU": 49.8, "SOC0": 48.1, "tj": 51.1},
                "fan_rpm": {"pwmfan": 2110.0},
                "power_mw": {"VDD_CPU_GPU_CV": 3100 + draw(0, 90), "VDD_SOC": 1650.0},
                "process_cpu_percent": {"agent": 0.7, "worker": 63.0 + draw(0, 2)},
                "process_memory_bytes": {"agent": 31 * 2**20, "worker": 212 * 2**20},
            },
            text={"power_mode": "15W"},
        )

    def sample(self, frame: int) -> Sample:
        boxes = (Detection(0, 0.91, 120, 80, 220, 190), Detection(1, 0.77, 300, 140, 380, 220))
        times = {"inference": 14.0 + self.random.random(), "end_to_end": 21.0 + self.random.random()}
        return Sample(frame * S // 30, frame, 640, 480, times, boxes)


EVENTS = (
    ("agent_started", "info", "agent 0.1.0 started"),
    ("worker_started", "info", "worker started with bundle tabletop"),
    ("clock_step", "warning", "wall clock stepped by +0.8 s"),
    ("worker_restarted", "error", "worker ended with signal 9, started again after 1.0 s"),
    ("bundle_selected", "info", "bundle tabletop 4f1d2c3b chosen by ada@laptop"),
)
FAILURES = (
    ("worker_crash", "ended with signal 9: 'CUDA error: device-side assert'", None),
    ("camera_stalled", "no new frame for 1.2 s, reopened", "ab" * 32),
    ("operator_mark", "gripper shadow taken for a cube", "cd" * 32),
    ("bad_frame", "frame 812 could not be decoded: 1203 bytes missing", None),
)


def state(*, phase: WorkerPhase = "running", lease: LeaseState | None = None, last_seq: int = 600) -> AgentState:
    return AgentState(
        version=3,
        mono_ns=0,
        worker=WorkerState(phase, 0, run=1, pid=4242),
        source="scene:",
        bundle=BundleState(DIGEST, "tabletop", LABELS),
        lease=lease,
        epoch=4,
        journal=JournalState("j1", 1, last_seq, 1 << 20),
        consoles=("ada@laptop",),
    )


ADA = LeaseState("ada@laptop", "c1", 4, 10**18)
BOB = LeaseState("bob@bench", "c2", 5, 10**18, last_taken_from="ada@laptop")


def link(phase: LinkPhase = "up", *, now_ns: int, **more: object) -> Link:
    given: dict[str, object] = {
        "phase": phase,
        "since_ns": now_ns - 60 * S,
        "transport": "paramiko",
        "heard_ns": now_ns - S // 5,
        "round_trip_ms": 3.4,
        "robot_wall_offset_ms": 12.0,
        **more,
    }
    return Link(**given)  # type: ignore[arg-type]


def snapshot(
    *,
    now_ns: int,
    seconds: int = 60,
    age_ns: int = 2 * S // 5,
    robot: Robot | None = None,
    link_: Link | None = None,
    state_: AgentState | None = None,
    failures: bool = True,
    first: int = 0,
) -> Snapshot:
    """A robot watched for `seconds` from its second `first` on, whose newest data is `age_ns` old at `now_ns`."""
    made = robot or Robot()
    at = [now_ns - age_ns - (seconds - 1 - n) * S for n in range(seconds)]
    windows = tuple(Seen(10 + 2 * (first + n), at[n], WALL_NS + n * S, made.window(first + n)) for n in range(seconds))
    hosts = tuple(Seen(11 + 2 * (first + n), at[n], WALL_NS + n * S, made.host(first + n)) for n in range(seconds))
    events = tuple(
        Seen(300 + n, now_ns - 40 * S, WALL_NS + 9 * n * S, Event(name=name, severity=severity, text=text))  # type: ignore[arg-type]
        for n, (name, severity, text) in enumerate(EVENTS)
    )
    failed = tuple(
        Seen(400 + n, now_ns - 30 * S, WALL_NS + 11 * n * S, Failure(name=name, text=text, picture=picture))
        for n, (name, text, picture) in enumerate(FAILURES if failures else ())
    )
    return Snapshot(
        robot="orin",
        taken_ns=now_ns,
        link=link_ or link(now_ns=now_ns),
        state=state_ or state(lease=ADA),
        sample=made.sample(seconds * 30),
        sample_at_ns=now_ns - age_ns,
        windows=windows[-HISTORY:],
        hosts=hosts[-HISTORY:],
        events=events,
        failures=failed,
        stored_seq=598,
    )


class ScriptedSession:
    """A session that shows what it is given and answers what it is told to answer."""

    def __init__(self, first: Snapshot | None = None, *, mine: bool = True) -> None:
        self.first = first
        self.mine = mine
        self.asked: list[Command] = []
        self.expected: list[Expected | None] = []
        self.answers: list[Future[Reply]] = []
        self.answer_with: Callable[[Command], Reply | Exception | None] = lambda command: Reply(id="1")
        self.taken_over: list[int | None] = []
        self.released = 0
        self.retried = 0
        self.closed = False
        self._on_snapshot: Callable[[Snapshot], None] = lambda snapshot: None

    @property
    def snapshot(self) -> Snapshot:
        assert self.first is not None
        return self.first

    def start(self, on_snapshot: Callable[[Snapshot], None]) -> None:
        self._on_snapshot = on_snapshot
        if self.first is not None:
            on_snapshot(self.first)

    def push(self, snapshot: Snapshot) -> None:
        self.first = snapshot
        self._on_snapshot(snapshot)

    def request(self, command: Command, *, expected: Expected | None = None, timeout_s: float = 5.0) -> Future[Reply]:
        self.asked.append(command)
        self.expected.append(expected)
        return self._future(self.answer_with(command))

    def take_lease(self, *, over: int | None = None) -> Future[Reply]:
        self.taken_over.append(over)
        return self._future(Reply(id="1"))

    def release_lease(self) -> Future[Reply]:
        self.released += 1
        return self._future(Reply(id="1"))

    @property
    def holds_lease(self) -> bool:
        return self.mine

    def watch_samples(self, per_s: float) -> None:
        return None

    def cut(self, *, for_s: float = 0.0) -> None:
        return None

    def retry(self) -> None:
        self.retried += 1

    def close(self) -> None:
        self.closed = True

    def _future(self, answer: Reply | Exception | None) -> Future[Reply]:
        future: Future[Reply] = Future()
        self.answers.append(future)
        if isinstance(answer, Exception):
            future.set_exception(answer)
        elif answer is not None:
            future.set_result(answer)
        return future
