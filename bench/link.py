"""The link over a real sshd on loopback: a number's way, resume, CPU; run as `python -m bench.link`."""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.journal import a_window
from bench.table import Line, show
from console.link.client import RobotClient
from console.link.opening import transport_of
from console.link.snapshot import Snapshot
from console.link.ssh import SshTransport
from console.robots import Robot, Settings
from console.store.identity import Identity
from console.store.pictures import Pictures
from console.store.store import Store
from remote.agent.clock import system_clock
from remote.agent.journal import Journal, draft
from tests.sshd import SSHD, Laptop, Sshd, install_checkout, running
from tests.waiting import wait_until

GOAL_WAY_MS = 20.0
GOAL_RESUME_PER_S = 20_000
_SAMPLES_PER_S = 10.0


def quantile(values: list[float], share: float) -> float:
    """By nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1))]


def spread(values: list[float], unit: str = "ms") -> str:
    """`p50 .. p99`."""
    return f"p50 {quantile(values, 0.5):.2f}, p99 {quantile(values, 0.99):.2f} {unit} (n {len(values)})"


class Bed:
    """A laptop, an sshd with the checkout's agent, and sessions to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.laptop = Laptop(folder / "laptop")
        self.server = Sshd(folder / "robot")
        self.server.allow(self.laptop.key)
        self.laptop.knows(self.server)
        self.program = install_checkout(self.server)
        self.robot = Robot(
            name="orin",
            address=f"127.0.0.1:{self.server.port}",
            settings=Settings(start_agent=True, autostart=True),
        )
        self._count = 0

    @contextmanager
    def session(self, listener: object) -> Iterator[RobotClient]:
        """A started session with a store of its own."""
        self._count += 1
        store = Store(self.folder / f"store-{self._count}.db")
        identity = Identity(store.store_id, "orin", self.folder / "consoles")
        client = RobotClient(self.robot, transport_of(self.robot), store, identity, Pictures(self.folder / "pictures"))
        client.start(listener)  # type: ignore[arg-type]
        try:
            yield client
        finally:
            client.close()
            store.close()

    def fill(self, entries: int) -> None:
        """Give the robot a past before its agent runs."""
        state = self.server.home / ".local/state/fieldgate-agent"
        state.mkdir(parents=True, mode=0o700)
        clock = system_clock()
        journal = Journal(state / "journal.db", clock.boot_id)
        journal.append([draft(a_window(number), clock) for number in range(entries)])
        journal.close()


def resume(bed: Bed, entries: int) -> tuple[float, float]:
    """Entries a second from the hello until all are in the store durably, and the client's CPU for each in us."""
    up: list[float] = []
    cpu: list[float] = []

    def listen(snapshot: Snapshot) -> None:
        if snapshot.hello is not None and not up:
            up.append(time.perf_counter())
            cpu.append(time.process_time())

    with bed.session(listen) as client:
        wait_until(lambda: client.snapshot.stored_seq >= entries, 120, "the whole journal")
        took_s, cpu_s = time.perf_counter() - up[0], time.process_time() - cpu[0]
    return entries / took_s, cpu_s / entries * 1e6


def way(bed: Bed, seconds: float) -> tuple[list[float], list[float], float]:
    """Ages of samples at the snapshot (from the capture stamp; from the result), and the client's CPU in %."""
    from_capture: list[float] = []
    from_result: list[float] = []
    seen: set[int] = set()

    def listen(snapshot: Snapshot) -> None:
        now_ns = time.monotonic_ns()
        sample = snapshot.sample
        if sample is None or snapshot.sample_at_ns is None or sample.frame in seen:
            return
        seen.add(sample.frame)
        age_ms = (now_ns - snapshot.sample_at_ns) / 1e6
        from_capture.append(age_ms)
        from_result.append(age_ms - sample.stages_ms.get("end_to_end", 0.0))

    with bed.session(listen) as client:
        client.watch_samples(_SAMPLES_PER_S)
        wait_until(lambda: client.snapshot.sample, 30, "the first sample")
        time.sleep(2)
        from_capture.clear()
        from_result.clear()
        begin, cpu = time.perf_counter(), time.process_time()
        time.sleep(seconds)
        share = (time.process_time() - cpu) / (time.perf_counter() - begin) * 100
    return from_capture, from_result, share


def echo(bed: Bed, count: int = 200) -> list[float]:
    """Round trips of a line through `cat` over the same transport, nothing of fieldgate in between."""
    transport = transport_of(bed.robot)
    assert isinstance(transport, SshTransport)
    connection = transport._connected()
    channel = connection.transport.open_session()
    channel.exec_command("cat")
    line, trips = b"x" * 289 + b"\n", []
    for _ in range(count):
        begin = time.perf_counter()
        channel.sendall(line)
        got = 0
        while got < len(line):
            got += len(channel.recv(65536))
        trips.append((time.perf_counter() - begin) * 1e3)
    transport.close()
    return trips


def main(seconds: float, entries: int) -> int:
    """Measure and print the table; 0, or 1 where a goal was missed."""
    if SSHD is None:
        show("Link", [Line("link over sshd", "no sshd here", "", "", None)])
        return 0
    patch = pytest.MonkeyPatch()
    with tempfile.TemporaryDirectory(prefix="fg-link-") as name:
        bed = Bed(Path(name))
        bed.laptop.use(patch)
        bed.fill(entries)
        with running(bed.server):
            lines = measured(bed, seconds, entries)
            bed.server.end_agents(bed.program)
    patch.undo()
    show(f"Link, loopback sshd on {socket.gethostname()}, {os.cpu_count()} cores", lines)
    return int(any(line.met is False for line in lines))


def measured(bed: Bed, seconds: float, entries: int) -> list[Line]:
    """Every line of the table."""
    rates = [resume(bed, entries) for _ in range(3)]
    rate, cpu_us = statistics.median(rate for rate, _ in rates), statistics.median(cpu for _, cpu in rates)
    from_capture, from_result, share = way(bed, seconds)
    trips = echo(bed)
    goal = f"p99 <= {GOAL_WAY_MS:g} ms"
    return [
        Line(
            "result on the robot to snapshot on the laptop",
            spread(from_result),
            f"echo of a line: {spread(trips)}",
            goal,
            quantile(from_result, 0.99) <= GOAL_WAY_MS,
        ),
        Line("capture stamp to snapshot (inference included)", spread(from_capture), "", "shown", True),
        Line(
            f"resume of {entries} windows into the store",
            f"{rate:,.0f} entries/s, {cpu_us:.0f} us of the laptop's CPU each",
            "",
            f">= {GOAL_RESUME_PER_S:,}/s",
            rate >= GOAL_RESUME_PER_S,
        ),
        Line(f"laptop's CPU, {_SAMPLES_PER_S:g} samples/s + windows", f"{share:.2f} % of a core", "", "shown", True),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--entries", type=int, default=20_000)
    given = parser.parse_args()
    sys.exit(main(given.seconds, given.entries))
