"""Logging a trial in a long campaign against one bare SQLite commit in the same run. `python -m bench.trial`."""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.table import Line, show
from console.campaigns.campaign import Campaign
from console.campaigns.opening import new_campaign
from console.fieldwork.field_test import FieldTest
from console.link.snapshot import Link, Seen, Snapshot
from console.looking import RobotSight
from console.record.canonical import kind_of, line_of
from console.record.entries import Entry
from console.record.record import FILE
from console.robots import Robot, Robots
from remote.protocol import AgentHello, AgentState, Host, JournalState, WorkerState

GOAL_TIMES = 2.0
PACK = """\
format: 1
name: bench
title: For the benchmark
version: "1"
roles: {engineer: builds it}
stages:
  - id: desk
    title: On the desk
    items: [{id: fence, title: The fence is shut, kind: confirmed, statement: The fence is shut.}]
phases:
  - id: lab
    title: In the lab
    trial: one object shown
    success: it is named
    conditions: [{id: light, title: Light, values: [bright, dim], required: true}, {id: place, title: Place}]
    questions:
      - id: success
        title: It names what it is shown
        denominator: trials
        criterion: {metric: success_rate, statistic: rate, comparison: ">=", threshold: 80, unit: "%"}
        plan: {look: sequential, n: 60, expected: 95}
    stop:
      - {id: row, title: Many failures in a row, count: failures_in_a_row, at: 100000}
      - {id: all, title: Many failures, count: failures, at: 100000}
      - {id: help, title: Many interventions, count: interventions, at: 100000}
      - {id: crashes, title: Many crashes, count: crashes, at: 100000}
    planned_n: 60
"""


class StandingRobot:
    """A session whose newest snapshot says that all is well; it is asked for nothing else."""

    holds_lease = False

    def __init__(self) -> None:
        now_ns = time.monotonic_ns()
        link = Link(phase="up", since_ns=0, transport="local", robot_wall_offset_ms=0.3, heard_ns=now_ns)
        state = AgentState(
            version=1, mono_ns=now_ns, worker=WorkerState("running", 0, run=1), source="scene:1", bundle=None,
            lease=None, epoch=0, journal=JournalState("j", 1, 9, 0),
        )  # fmt: skip
        hello = AgentHello(
            protocol=1, oldest_protocol=1, software="bench", robot="bench", boot_id="boot", journal="j", mono_ns=0,
            wall_ns=0,
        )  # fmt: skip
        hosts = tuple(Seen(seq, now_ns + seq * 10**9, 0, Host(values={"cpu_percent": 30.0})) for seq in range(300))
        self.snapshot = Snapshot(robot="bench", taken_ns=now_ns, link=link, hello=hello, state=state, hosts=hosts)

    def request(self, command: object, **_: object) -> Any:
        """Nothing is answered: the robot's facts stay unknown."""
        from concurrent.futures import Future

        from remote.errors import Trouble

        future: Future[Any] = Future()
        future.set_exception(Trouble(f"this robot answers nothing, also not {command}", code="unreachable"))
        return future


def a_campaign(folder: Path, entries: int) -> Campaign:
    """A campaign with an open session and so many trials."""
    os.environ["FIELDGATE_HOME"] = str(folder / "home")
    Robots().add(Robot(name="bench", address="nobody@10.0.0.1"))
    (folder / "pack.yaml").write_text(PACK)
    campaign = new_campaign("bench", "b" * 64, "bundle", folder / "pack.yaml", person="ada", files=folder)
    field = FieldTest(campaign)
    field.begin_phase("lab", "ada")
    field.begin_session(None, "ada", {"light": "bright", "place": "aisle 3"})
    campaign.record._connection.execute("PRAGMA synchronous = OFF")  # the setting up is not what is measured
    for number in range(entries):
        field.log_trial("success" if number % 9 else "failure", "ada")
    campaign.close()
    return Campaign(campaign.folder)


class Bare:
    """Single commits of ready-made rows of the same size through sqlite3 alone, into a table as long."""

    def __init__(self, folder: Path, entries: list[Entry], line: bytes) -> None:
        folder.mkdir()
        connection = sqlite3.connect(folder / FILE)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(
            "CREATE TABLE entries (seq INTEGER PRIMARY KEY, kind TEXT, item TEXT, digest TEXT, line BLOB)"
        )
        rows = [(one.seq, kind_of(one.body), "", "d" * 64, line_of(one)) for one in entries]
        connection.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", rows)
        connection.commit()
        connection.close()  # the campaign's was opened anew too: both logs begin empty
        self._connection = sqlite3.connect(folder / FILE, isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._seq, self._line = rows[-1][0], line

    def commit(self) -> None:
        """One."""
        self._seq += 1
        self._connection.execute("BEGIN IMMEDIATE")
        row = (self._seq, "trial", "", "d" * 64, self._line)
        self._connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", row)
        self._connection.execute("COMMIT")


def main() -> int:
    """Measure and print; 0 where the goal is met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--trials", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fg-bench-") as name:
        folder = Path(name)
        campaign = a_campaign(folder, arguments.entries)
        rows = campaign.record.rows()
        bare = Bare(folder / "bare", [campaign.record.entry(row.seq) for row in rows], rows[-1].line)
        session: Any = StandingRobot()
        nothing: Any = None
        sight = RobotSight(session, nothing, nothing, robot="bench", files=folder)
        begin = time.perf_counter()
        field = FieldTest(campaign)
        opened_ms = 1e3 * (time.perf_counter() - begin)
        lines = [logging(field, sight, bare, arguments.trials), opening(opened_ms)]
        campaign.close()
    show(f"logging a trial ({arguments.entries:,} trials before, {len(rows[-1].line):,} bytes each)", lines)
    return 1 if any(line.met is False for line in lines) else 0


def logging(field: FieldTest, sight: RobotSight, bare: Bare, count: int) -> Line:
    """One trial and one bare commit in turns, so that other load hits both; until each is on the disk."""
    own, plain = [], []
    for number in range(count):
        begin = time.perf_counter()
        bare.commit()
        between = time.perf_counter()
        field.log_trial("success" if number % 9 else "failure", "ada", sight=sight)
        own.append(time.perf_counter() - between)
        plain.append(between - begin)
    times = median(own) / median(plain)
    told = f"{1e3 * median(own):.2f} ms, p99 {1e3 * quantiles(own, n=100)[-1]:.2f} ms, {times:.2f} x"
    peer = f"bare SQLite commit {1e3 * median(plain):.2f} ms, p99 {1e3 * quantiles(plain, n=100)[-1]:.2f} ms"
    return Line("log a trial, durable", told, peer, f"<= {GOAL_TIMES:g} x", times <= GOAL_TIMES)


def opening(opened_ms: float) -> Line:
    """Reading what testing depends on, once for each program."""
    return Line("take up a field test", f"{opened_ms:.0f} ms", "-", "-", None)


if __name__ == "__main__":
    sys.exit(main())
