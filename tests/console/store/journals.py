"""Journals as robots write them, for tests: windows and host samples each second, events, failures, boots, clock jumps."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from console.store.store import Store
from remote.histogram import Histogram
from remote.protocol import Body, CameraHealth, CameraPhase, Entry, Event, Failure, Host, LabelCount, Window, raw

S = 1_000_000_000
START_NS = 1_700_000_000 * S
"""When the first boot's monotonic clock stood at 0, by a right clock."""


@dataclass
class Robot:
    """Writes entries as a robot would. `wall_error_s` is how wrong its wall clock is now."""

    boot: str = "boot-1"
    booted_ns: int = START_NS
    now_ns: int = 0
    wall_error_s: float = 0.0
    entries: list[Entry] = field(default_factory=list)
    run: int = 1

    def write(self, body: Body) -> None:
        """Journal a body now."""
        wall = self.booted_ns + self.now_ns + round(self.wall_error_s * S)
        self.entries.append(Entry(len(self.entries) + 1, self.boot, self.now_ns, wall, raw(body)))

    def event(self, name: str, **data: str | int) -> None:
        """Journal an event."""
        self.write(Event(name=name, severity="info", text=name, data=dict(data)))

    def failure(self, name: str) -> None:
        """Journal a failure."""
        self.write(Failure(name=name, text=name))

    def idle(self, seconds: float) -> None:
        """Let time pass in which the agent does not run."""
        self.now_ns += round(seconds * S)

    def write_end(self) -> None:
        """Journal something that counts as nothing: time is known up to here."""
        self.event("note")

    def work(
        self,
        seconds: int,
        *,
        camera: CameraPhase = "ok",
        frames: int = 10,
        ms: float = 20.0,
        bundle: str = "b",
        throttled: float | None = None,
    ) -> None:
        """Let the worker work (`frames` a second), a window and a host sample each second."""
        for number in range(seconds):
            self.now_ns += S
            known = {} if throttled is None else {"throttled": throttled}
            self.write(Host(values={"cpu_percent": 20.0 + number % 10, **known}))
            self.window(camera=camera, frames=frames, ms=ms, bundle=bundle)

    def window(
        self,
        *,
        span_s: float = 1.0,
        camera: CameraPhase = "ok",
        frames: int = 10,
        ms: float = 20.0,
        bundle: str = "b",
        score: float = 0.9,
    ) -> None:
        """A window that ends now."""
        times = Histogram.of([ms * (1 + 0.01 * step) for step in range(frames)])
        body = Window(
            run=self.run,
            window=len(self.entries),
            start_mono_ns=self.now_ns - round(span_s * S),
            span_ms=span_s * 1000,
            frames=frames,
            stages_ms={"end_to_end": times},
            labels={"cube": LabelCount(frames, frames, score * frames, score, score)} if frames else {},
            camera=CameraHealth(camera, brightness=120.0),
            source="scene:",
            bundle=bundle,
        )
        self.write(body)

    def reboot(self, off_s: float, *, wall_error_s: float = 0.0) -> None:
        """Go off and boot anew: the first entry comes 20 s after the boot."""
        self.booted_ns += self.now_ns + round(off_s * S)
        self.boot, self.now_ns, self.wall_error_s = f"{self.boot}+", 20 * S, wall_error_s
        self.event("agent_started")


def worked(scores: list[float], *, first_min: int = 0, robot: Robot | None = None, seed: int = 1) -> Robot:
    """A robot that works half of each minute (a window each ten seconds), its scores scattered about what is given."""
    made, chance = robot or Robot(), Random(seed)
    for minute, score in enumerate(scores, first_min):
        for second in range(10, 61, 10):
            made.now_ns = (minute * 60 + second) * S - 1
            made.window(span_s=5.0, score=score + chance.gauss(0, 0.01), ms=20 + chance.gauss(0, 0.5))
    return made


def stored(store: Store, robot: Robot, name: str = "orin", journal: str = "j1", batch: int = 400) -> None:
    """Put everything into a store, in batches."""
    known = store.journal(name, journal)
    for first in range(0, len(robot.entries), batch):
        store.add(known.id, robot.entries[first : first + batch])
