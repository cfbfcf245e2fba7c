"""What the agent costs beside the worker: run as `python -m bench.agent`.

The real agent in a process of its own: journal, monitor and socket; the real worker on the rendered scene; one console that
takes windows once a second and ten samples a second through the real socket. CPU from /proc, in shares of one core.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import Line, show
from remote.agent.lines import LineSplitter
from remote.agent.places import places_for
from remote.protocol import (
    LINE_LIMIT_BYTES,
    PROTOCOL,
    AgentState,
    ConsoleHello,
    Entries,
    FromAgent,
    Sample,
    Subscribe,
    from_agent,
    line,
)

GOAL_PERCENT = 1.0
SAMPLES_PER_S = 10.0
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Listener:
    """A console that only reads."""

    def __init__(self, home: Path) -> None:
        self.door = socket.socket(socket.AF_UNIX)
        self.door.connect(str(places_for(home).socket))
        self.door.settimeout(30)
        self._lines = LineSplitter(LINE_LIMIT_BYTES)
        hello = ConsoleHello(
            protocol=PROTOCOL, oldest_protocol=PROTOCOL, software="bench", client_id="bench", name="bench"
        )
        self.door.sendall(line(hello))

    def subscribe(self, after_seq: int, samples_per_s: float) -> None:
        """Ask for entries and samples."""
        self.door.sendall(line(Subscribe(after_seq, samples_per_s)))

    def read(self) -> list[FromAgent]:
        """The messages of one look at the socket."""
        return [from_agent(one) for one in self._lines.feed(self.door.recv(1 << 20))]


def start_agent(home: Path, *options: str) -> subprocess.Popen[bytes]:
    """A real agent on `home`; returns when its socket answers."""
    command = [sys.executable, "-m", "remote", "serve", "--home", str(home), *options]
    process = subprocess.Popen(command)
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket(socket.AF_UNIX) as door:
            if door.connect_ex(str(places_for(home).socket)) == 0:
                return process
        time.sleep(0.05)
    process.kill()
    raise RuntimeError("the agent does not answer")


def cpu_s(pid: int) -> float:
    """User and system seconds of one process with its threads, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def measure(seconds: float) -> tuple[float, float, int, int]:
    """Agent's and worker's shares of a core in percent; entries and samples that the console got."""
    with tempfile.TemporaryDirectory(prefix="fg-bench-") as folder:
        home = Path(folder)
        agent = start_agent(home, "--autostart")
        try:
            console = Listener(home)
            console.subscribe(0, SAMPLES_PER_S)
            worker = _running_worker(console)
            _listen(console, 3.0)  # past the start: engine loaded, caches warm
            begin, agent_s, worker_s = time.monotonic(), cpu_s(agent.pid), cpu_s(worker)
            entries, samples = _listen(console, seconds)
            span = time.monotonic() - begin
            return 100 * (cpu_s(agent.pid) - agent_s) / span, 100 * (cpu_s(worker) - worker_s) / span, entries, samples
        finally:
            agent.send_signal(signal.SIGTERM)
            agent.wait(20)


def _running_worker(console: Listener) -> int:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for message in console.read():
            if isinstance(message, AgentState) and message.worker.phase == "running" and message.worker.pid:
                return message.worker.pid
    raise RuntimeError("the worker does not run")


def _listen(console: Listener, seconds: float) -> tuple[int, int]:
    entries, samples, end = 0, 0, time.monotonic() + seconds
    while time.monotonic() < end:
        for message in console.read():
            entries += len(message.entries) if isinstance(message, Entries) else 0
            samples += isinstance(message, Sample)
    return entries, samples


def main() -> int:
    """Measure and print; 0 where the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    seconds = parser.parse_args().seconds
    agent, worker, entries, samples = measure(seconds)
    met = agent <= GOAL_PERCENT
    what = f"agent, journal and monitor beside the worker, {seconds:g} s"
    fed = f"{entries / seconds:.1f} entries/s, {samples / seconds:.1f} samples/s"
    rows = [
        Line(what, f"{agent:.2f} % of a core", f"worker {worker:.1f} %", f"<= {GOAL_PERCENT:g} %", met),
        Line("the console got", fed, "", "1 window, 1 host, 10 samples a second", entries / seconds >= 1.9),
    ]
    show("agent", rows)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
