"""The record against bare SQLite in the same run: commits, reading rows, checking the chain. `python -m bench.record`."""

from __future__ import annotations

import argparse
import gc
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from statistics import median

from bench.table import Line, show
from console.fieldtest.criteria import Distribution, Judgement
from console.record.chain import check_chain
from console.record.entries import Attempt, Evidence, Moment
from console.record.record import FILE, Record, Row
from remote.histogram import Histogram

GOAL_APPEND_SHARE = 0.4
GOAL_ROWS_TIMES = 1.5
GOAL_CHAIN_PER_S = 50_000
ROUNDS = 7
_INSERT = "INSERT INTO entries VALUES (?, ?, ?, ?, ?)"


def an_attempt(number: int) -> Attempt:
    """One look at the latency, with its histogram, as a probe writes it."""
    histogram = Histogram.of(40.0 + ((i * 7 + number) % 23) / 9 for i in range(300))
    evidence = Evidence(
        source="latency",
        measurement=Distribution(histogram, "ms"),
        judgement=Judgement(
            verdict="pass", value=42.4, upper=42.5, n=300, why="p99 42.4 ms < 500 ms, upper bound 42.5 ms"
        ),
        limit="p99 < 500 ms, upper bound at 95 %, n >= 299",
        moment=Moment(wall_ns=number, robot_wall_ns=number, robot_mono_ns=number, robot_boot_id="b" * 36),
        took_ms=12.5,
        fingerprints=dict.fromkeys(("bundle", "contract", "engine", "robot", "power_mode", "source"), "f" * 64),
        rule="r" * 64,
        details={"fps": 29.9, "windows": 10},
    )
    return Attempt(item="latency", evidence=evidence)


def filled(folder: Path, count: int) -> list[Row]:
    """Make a record of `count` attempts in `folder`; its rows."""
    record = Record.create(folder)
    record._connection.execute("PRAGMA synchronous = OFF")  # the setting up is not what is measured
    for number in range(count):
        record.append("ada", an_attempt(number))
    rows = record.rows()
    record.close()
    return rows


def ours(folder: Path, attempts: list[Attempt]) -> float:
    """Appends a second."""
    record = Record.create(folder)
    begin = time.perf_counter()
    for attempt in attempts:
        record.append("ada", attempt)
    rate = len(attempts) / (time.perf_counter() - begin)
    record.close()
    return rate


def bare(folder: Path, rows: list[Row]) -> float:
    """Single commits a second of ready-made rows of the same size through sqlite3 alone."""
    folder.mkdir()
    connection = sqlite3.connect(folder / FILE, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE entries (seq INTEGER PRIMARY KEY, kind TEXT, item TEXT, digest TEXT, line BLOB)")
    begin = time.perf_counter()
    for row in rows:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_INSERT, row)
        connection.execute("COMMIT")
    rate = len(rows) / (time.perf_counter() - begin)
    connection.close()
    return rate


def seconds(action: Callable[[], object]) -> float:
    """How long one call takes, without the collector."""
    gc.collect()
    gc.disable()
    begin = time.perf_counter()
    action()
    took = time.perf_counter() - begin
    gc.enable()
    return took


def read_ours(folder: Path) -> object:
    """Open, read every row, close."""
    record = Record.open(folder, read_only=True)
    rows = record.rows()
    record.close()
    return rows


def read_bare(folder: Path) -> object:
    """The same with sqlite3 alone."""
    connection = sqlite3.connect(f"file:{folder / FILE}?mode=ro", uri=True)
    rows = connection.execute("SELECT seq, kind, item, digest, line FROM entries ORDER BY seq").fetchall()
    connection.close()
    return rows


def main() -> int:
    """Measure and print; 0 where the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000)
    parser.add_argument("--commits", type=int, default=500)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fg-bench-") as name:
        folder = Path(name)
        rows = filled(folder / "read", arguments.entries)
        attempts = [an_attempt(number) for number in range(arguments.commits)]
        lines = [appending(folder, attempts, rows), reading(folder / "read"), chaining(folder / "read")]
    show(f"record ({arguments.entries:,} entries of {len(rows[-1].line):,} bytes)", lines)
    return 0 if all(line.met for line in lines) else 1


def appending(folder: Path, attempts: list[Attempt], rows: list[Row]) -> Line:
    """Single commits, in turns with bare ones, so that other load hits both."""
    own, plain = [], []
    for number in range(ROUNDS):
        plain.append(bare(folder / f"bare{number}", rows[: len(attempts)]))
        own.append(ours(folder / f"ours{number}", attempts))
    share = median(own) / median(plain)
    told = f"{median(own):,.0f}/s, {share:.2f} x"
    peer = f"bare SQLite {median(plain):,.0f}/s"
    return Line("append, one commit each", told, peer, f">= {GOAL_APPEND_SHARE:g} x", share >= GOAL_APPEND_SHARE)


def reading(folder: Path) -> Line:
    """Open and read every row, in turns with a bare SELECT."""
    own, plain = [], []
    for _ in range(ROUNDS):
        plain.append(1e3 * seconds(lambda: read_bare(folder)))
        own.append(1e3 * seconds(lambda: read_ours(folder)))
    times = median(own) / median(plain)
    told = f"{median(own):.1f} ms, {times:.2f} x"
    peer = f"bare SELECT {median(plain):.1f} ms"
    return Line("open and read all rows", told, peer, f"<= {GOAL_ROWS_TIMES:g} x", times <= GOAL_ROWS_TIMES)


def chaining(folder: Path) -> Line:
    """Check the chain of rows that were read, beside hashing their lines alone."""
    record = Record.open(folder, read_only=True)
    rows, head = record.rows(), record.head()
    record.close()
    assert not check_chain(rows, head)
    own = len(rows) / median(seconds(lambda: check_chain(rows, head)) for _ in range(ROUNDS))
    plain = len(rows) / median(seconds(lambda: [sha256(row.line).hexdigest() for row in rows]) for _ in range(ROUNDS))
    told = f"{own:,.0f} entries/s"
    return Line(
        "check the chain", told, f"SHA-256 alone {plain:,.0f}/s", f">= {GOAL_CHAIN_PER_S:,}/s", own >= GOAL_CHAIN_PER_S
    )


if __name__ == "__main__":
    sys.exit(main())
