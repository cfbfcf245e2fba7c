"""Eight hours of data through the real screen at accelerated time; memory must stay flat: `python -m bench.soak_screen`.

The whole app runs headless in this process: snapshots with real windows, hosts, events and failures, repaint after each
second of data, alarms folding, panels painting. Memory after the first minute of data is compared with that at the end.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from typing import Any

import msgspec

from bench.table import Line, show
from console.app import FieldgateApp
from console.fieldtest.kpis import load_kpis
from console.link.snapshot import HISTORY, Seen, Snapshot
from remote.protocol import Event, Failure
from tests.console.screens.scripted import ADA, Robot, S, ScriptedSession, link, snapshot, state

GOAL = 1.1
FIRST_S = 60


def rss_bytes() -> int:
    """Resident memory of this process."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - one read, no object
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Hours:
    """A clock and a robot that live one second at each step; every window is new, as on a real robot."""

    def __init__(self) -> None:
        self.now_ns = 1000 * S
        self._robot = Robot()
        self._seq = 10_000
        self.shot = snapshot(now_ns=self.now_ns, seconds=HISTORY, robot=self._robot)

    def clock(self) -> int:
        """Monotonic nanoseconds of the accelerated time."""
        return self.now_ns

    def second(self, n: int) -> Snapshot:
        """One second later: a window, a host sample, now and then an event or a failure, and a slow stretch."""
        self.now_ns += S
        self._seq += 4
        self._robot.slow_ms = 90.0 if n % 600 > 570 else 0.0
        at, seq = self.now_ns, self._seq
        shot = self.shot
        changed: dict[str, Any] = {
            "taken_ns": at,
            "windows": (*shot.windows[1 - HISTORY :], Seen(seq, at, at, self._robot.window(n))),
            "hosts": (*shot.hosts[1 - HISTORY :], Seen(seq + 1, at, at, self._robot.host(n))),
            "sample": self._robot.sample(30 * n),
            "sample_at_ns": at,
            "link": link(now_ns=at),
            "state": state(lease=ADA, last_seq=seq + 3),
            "stored_seq": seq,
        }
        if n % 20 == 0:
            event = Event(name="note", severity="info", text=f"event of second {n}")
            changed["events"] = (*shot.events[1 - HISTORY :], Seen(seq + 2, at, at, event))
        if n % 50 == 0:
            failure = Failure(name="camera_stalled", text=f"failure of second {n}", frame=n)
            changed["failures"] = (*shot.failures[1 - HISTORY :], Seen(seq + 3, at, at, failure))
        self.shot = msgspec.structs.replace(shot, **changed)
        return self.shot


async def soak(hours: float) -> tuple[int, int]:
    """(memory after the first minute of data, memory at the end), in bytes."""
    world = Hours()
    session = ScriptedSession(world.shot)
    app = FieldgateApp(session, robot="orin", kpis=load_kpis(), clock=world.clock, repaint_hz=0.1)
    first = 0
    async with app.run_test(size=(160, 45)) as pilot:
        for n in range(round(hours * 3600)):
            session.push(world.second(n))
            app.repaint()
            if n % 10 == 0:
                await pilot.pause()
            if n == FIRST_S:
                first = rss_bytes()
        return first, rss_bytes()


def main(hours: float = 8.0) -> int:
    """Run, print the line, and say by the exit code whether the goal was met."""
    began = time.monotonic()
    first, last = asyncio.run(soak(hours))
    ratio = last / first
    measured = f"{ratio:.3f} x ({last / 2**20:.1f} MiB, in {time.monotonic() - began:.0f} s)"
    peer = f"after its first minute {first / 2**20:.1f} MiB"
    line = Line(f"memory after {hours:g} h of data", measured, peer, f"<= {GOAL} x", ratio <= GOAL)
    show("Live screen, long run", [line])
    return 0 if line.met else 1


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 8.0))
