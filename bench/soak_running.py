"""Whether uptime, crashes and restarts are counted exactly: a real agent whose worker is killed, hung and blinded at random.

`python -m bench.soak_running [--minutes 60] [--seed 1]`. What was done is written down as it is done and compared with what
the console counts from the robot's journal. Ends with 1 where a count differs, or the uptime by more than a window for each
thing that was done.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.table import Line, show
from console.fieldtest.running import Running
from console.link.client import RobotClient
from console.link.opening import transport_of
from console.link.snapshot import Snapshot
from console.robots import Robot, Settings
from console.store.identity import Identity
from console.store.running import running_between
from console.store.store import Store
from console.visiting import Visit, confirmed, visiting
from remote.protocol import Drill

ROBOT = "soak"
REST_S = (4.0, 15.0)
PATIENCE_S = 90.0
CAMERA_S, HANG_S = 5.0, 60.0
KINDS = {"worker killed": 3, "worker hung": 1, "camera unplugged": 1, "agent killed": 2, "link cut": 3}
"""How likely each is, against the others."""


@dataclass
class Ledger:
    """What was done, and when the worker worked. Nanoseconds of the machine's monotonic clock, which both ends share."""

    done: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    up_ns: int = 0
    up_since_ns: int | None = None

    def up(self, at_ns: int) -> None:
        """Frames are processed from here on."""
        self.up_since_ns = at_ns

    def down(self, at_ns: int) -> None:
        """And no more from here on."""
        assert self.up_since_ns is not None
        self.up_ns += at_ns - self.up_since_ns
        self.up_since_ns = None


class Soak:
    """One robot, one console, and the hand that breaks things."""

    def __init__(self, visit: Visit, seed: int) -> None:
        self._visit, self._chance, self.ledger = visit, random.Random(seed), Ledger()
        self.began_wall_ns = 0

    def run(self, minutes: float) -> None:
        """Break things until the time is over; then wait for the last entry."""
        self.ledger.up(self._works(0))
        self.began_wall_ns = time.time_ns() - (time.monotonic_ns() - (self.ledger.up_since_ns or 0))
        end = time.monotonic() + minutes * 60
        while (left := end - time.monotonic()) > 0:
            self._look(min(left, self._chance.uniform(*REST_S)))
            if end - time.monotonic() > REST_S[0]:
                self._do(self._chance.choices(list(KINDS), list(KINDS.values()))[0])

    def stop(self) -> None:
        """Take the last moment down, once everything up to it is on the laptop."""
        last_ns = time.monotonic_ns()
        self.ledger.down(last_ns)
        self._until(lambda shot: any((w.body.start_mono_ns > last_ns) for w in shot.windows), "the last window")

    def _do(self, what: str) -> None:
        self.ledger.done[what] += 1
        before = time.monotonic_ns()
        if what == "link cut":
            self._visit.session.cut(for_s=self._chance.uniform(0.0, 8.0))
            self._until(lambda shot: shot.link.phase == "up" and shot.link.since_ns > before, "the link")
            return
        run = self._run()
        self._break(what)
        down_ns = time.monotonic_ns()
        self.ledger.down(down_ns)
        if what == "camera unplugged":
            down_ns += round(CAMERA_S * 1e9)
        else:  # a worker that hangs from its next turn on may still send a frame
            self._until(lambda shot: self._is_whole(shot) and self._run() > run, "the next worker")
        self.ledger.up(self._works(down_ns))

    def _break(self, what: str) -> None:
        state = self._visit.session.snapshot.state
        assert state is not None
        if what == "worker killed":
            assert state.worker.pid is not None
            os.kill(state.worker.pid, signal.SIGKILL)
        elif what == "agent killed":
            os.kill(self._agent_pid(), signal.SIGKILL)
        else:
            confirmed(self._visit.session.take_lease(), 20.0)
            drill = Drill("camera_unplugged", CAMERA_S) if what == "camera unplugged" else Drill("worker_hang", HANG_S)
            confirmed(self._visit.session.request(drill), 20.0)

    def _agent_pid(self) -> int:
        started = [seen.body for seen in self._visit.session.snapshot.events if seen.body.name == "agent_started"]
        return int(str(started[-1].data["pid"]))

    def _run(self) -> int:
        state = self._visit.session.snapshot.state
        return state.worker.run if state is not None else 0

    def _works(self, after_ns: int) -> int:
        """When the first frame after that was captured, once the console has it."""

        def fresh(shot: Snapshot) -> bool:
            return shot.sample is not None and shot.sample.capture_mono_ns > after_ns and self._is_whole(shot)

        sample = self._until(fresh, "a frame").sample
        assert sample is not None
        return sample.capture_mono_ns

    def _is_whole(self, shot: Snapshot) -> bool:
        return shot.link.phase == "up" and shot.state is not None and shot.state.worker.phase == "running"

    def _look(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._visit.next(left)

    def _until(self, wanted: Callable[[Snapshot], bool], what: str) -> Snapshot:
        shot = self._visit.wait(wanted, PATIENCE_S)
        if shot is None:
            raise SystemExit(f"waited {PATIENCE_S:.0f} s in vain for {what}: {self._visit.session.snapshot.link}")
        return shot


def main() -> int:
    """Run, compare, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = Store(folder / "store.db")
        stack.callback(store.close)
        settings = Settings(start_agent=True, autostart=True, drills=True, exit_when_alone_s=60.0)
        robot = Robot(name=ROBOT, transport="local", home=str(folder / "robot"), settings=settings)
        identity = Identity(store.store_id, ROBOT, folder / "consoles")
        client = RobotClient(robot, transport_of(robot), store, identity)
        visit = stack.enter_context(visiting(client))
        client.watch_samples(10.0)
        visit.arrive(60)
        soak = Soak(visit, asked.seed)
        soak.run(asked.minutes)
        soak.stop()
        found = running_between(store, ROBOT, soak.began_wall_ns, time.time_ns()).running
        met = _report(soak.ledger, found, asked.minutes)
        _end_agent(robot)
    return 0 if met else 1


def _end_agent(robot: Robot) -> None:
    import subprocess

    subprocess.run(
        [sys.executable, "-m", "remote", "stop", "--home", str(robot.home)], check=False, capture_output=True
    )


def _report(ledger: Ledger, found: Running, minutes: float) -> bool:
    done = ledger.done
    events = sum(number for what, number in done.items() if what != "link cut")
    pairs = [
        ("crashes", found.crashes, done["worker killed"]),
        ("hangs", found.hangs, done["worker hung"]),
        ("camera faults", found.camera_faults, done["camera unplugged"]),
        ("agent restarts", found.agent_restarts, done["agent killed"]),
        ("reboots", found.reboots, 0),
    ]
    lines = [Line(what, str(ours), f"{theirs} done", "equal", ours == theirs) for what, ours, theirs in pairs]
    off_s, allowed_s = found.up_s - ledger.up_ns / 1e9, max(1, events) * 1.0
    up = f"{found.up_s:.1f} s ({found.up_s / found.known_s:.2%} of what is known)"
    lines.append(
        Line(
            "uptime",
            f"{up}, {off_s:+.1f} s",
            f"{ledger.up_ns / 1e9:.1f} s",
            f"within {allowed_s:.0f} s",
            abs(off_s) <= allowed_s,
        )
    )
    lines.append(
        Line(
            "time unknown", f"{found.unknown_s:.1f} s", f"{done['link cut']} links cut", "<= 2 s", found.unknown_s <= 2
        )
    )
    hours = found.known_s / 3600
    mtbf = f"{hours / found.breakdowns * 60:.1f} min" if found.breakdowns else "no breakdown"
    lines.append(Line("time between breakdowns", mtbf, f"{found.breakdowns} in {hours:.2f} h", "shown", None))
    show(f"{minutes:g} minutes of breaking things", lines)
    return all(line.met is not False for line in lines)


if __name__ == "__main__":
    sys.exit(main())
