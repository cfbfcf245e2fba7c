"""The journal against bare SQLite in the same run, and how fast a console resumes: run as `python -m bench.journal`."""

from __future__ import annotations

import argparse
import signal
import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from bench.agent import Listener, start_agent
from bench.table import Line, show
from remote.agent.clock import system_clock
from remote.agent.journal import Draft, Journal, draft
from remote.agent.places import places_for
from remote.histogram import Histogram
from remote.protocol import STAGES, CameraHealth, Entries, Window

GOAL_SHARE = 0.5
GOAL_RESUME_PER_S = 20_000
ROUNDS = 5


def a_window(number: int) -> Window:
    """A window as a worker at 30 frames a second sends it."""
    stages = {stage: Histogram.of(2.0 + ((i * 7 + number) % 23) / 9 for i in range(30)) for stage in STAGES}
    return Window(
        run=1,
        window=number,
        start_mono_ns=number * 10**9,
        span_ms=1000.0,
        frames=30,
        stages_ms=stages,
        camera=CameraHealth("ok", brightness=117.0),
        source="scene:",
        bundle="b" * 64,
    )


def ours(path: Path, drafts: list[Draft], synchronous: str) -> float:
    """Single commits a second through Journal.append."""
    journal = Journal(path, "boot", synchronous=synchronous)
    begin = time.perf_counter()
    for one in drafts:
        journal.append([one])
    rate = len(drafts) / (time.perf_counter() - begin)
    journal.close()
    return rate


def bare(path: Path, drafts: list[Draft], synchronous: str) -> float:
    """Single commits a second of the same rows through sqlite3 alone."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute(f"PRAGMA synchronous={synchronous}")
    connection.execute("CREATE TABLE t (seq INTEGER PRIMARY KEY, boot, mono_ns, wall_ns, kind, body)")
    begin = time.perf_counter()
    for seq, one in enumerate(drafts, 1):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t VALUES (?,?,?,?,?,?)", (seq, 1, one.mono_ns, one.wall_ns, one.kind, one.body))
        connection.execute("COMMIT")
    rate = len(drafts) / (time.perf_counter() - begin)
    connection.close()
    return rate


def compare(folder: Path, count: int, synchronous: str) -> tuple[float, float]:
    """Medians of both rates, measured in turns so that other load hits both."""
    clock = system_clock()
    drafts = [draft(a_window(number), clock) for number in range(count)]
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    for number in range(ROUNDS):
        rates["bare"].append(bare(folder / f"bare-{synchronous}-{number}.db", drafts, synchronous))
        rates["ours"].append(ours(folder / f"ours-{synchronous}-{number}.db", drafts, synchronous))
    return sorted(rates["ours"])[ROUNDS // 2], sorted(rates["bare"])[ROUNDS // 2]


def resume(folder: Path, count: int) -> float:
    """Entries a second that a console gets through the agent's socket after a long cut, decoded."""
    home = folder / "home"
    places = places_for(home).prepare()
    journal, clock = Journal(places.journal, "boot", synchronous="OFF"), system_clock()
    drafts = [draft(a_window(number), clock) for number in range(200)]
    for _ in range(count // len(drafts)):
        journal.append(drafts)
    journal.close()
    agent = start_agent(home)
    try:
        console, got = Listener(home), 0
        begin = time.perf_counter()
        console.subscribe(0, 0.0)
        while got < count:
            got += sum(len(message.entries) for message in console.read() if isinstance(message, Entries))
        return got / (time.perf_counter() - begin)
    finally:
        agent.send_signal(signal.SIGTERM)
        agent.wait(20)


def main() -> int:
    """Measure and print; 0 where the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=3000)
    parser.add_argument("--entries", type=int, default=40_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fg-bench-") as name:
        folder = Path(name)
        rows = []
        for synchronous, count in (("NORMAL", arguments.commits), ("FULL", max(100, arguments.commits // 10))):
            own, plain = compare(folder, count, synchronous)
            share = own / plain
            told = f"{own:,.0f}/s, {share:.2f} x"
            what = f"journal, single commits of windows, synchronous={synchronous}"
            rows.append(Line(what, told, f"bare SQLite {plain:,.0f}/s", f">= {GOAL_SHARE:g} x", share >= GOAL_SHARE))
        rate = resume(folder, arguments.entries)
        told = f"{rate:,.0f} entries/s"
        met = rate >= GOAL_RESUME_PER_S
        rows.append(Line("resume through the socket, windows", told, "", f">= {GOAL_RESUME_PER_S:,}/s", met))
    show("journal", rows)
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
