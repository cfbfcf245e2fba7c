"""Patterns of a foreign log of a million lines: every grouping at once against the shell's one, and again after it has grown.

Run as `python -m bench.foreign_log`.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.table import Line, show
from console.failures.circumstances import light_name
from console.failures.foreign.kept import counts_of
from console.failures.foreign.patterns import log_patterns

GOAL_WHOLE, GOAL_APPENDED = 0.25, 0.02
ROUNDS = 7
APPENDED = 10_000
_SHELL = (
    "grep 'No detections' {log} | awk -F'|' '{{split($3,t,/[: ]+/); split($2,l,/[: ]+/); print t[4], l[3]}}'"
    " | sort | uniq -c > {out}"
)


def write_log(path: Path, lines: int) -> None:
    """Twenty days of failures in any light."""
    dice = random.Random(1)  # no secret
    with path.open("w", encoding="ascii") as file:
        for n in range(lines):
            second = dice.randrange(86_400)
            clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
            day = 1 + n * 20 // lines
            file.write(f"No detections | Light: {dice.randrange(256)} | Time: 2026-11-{day:02d} {clock}\n")


def seconds(action: Callable[[], object]) -> float:
    """How long one call takes."""
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def shell(log: Path, out: Path) -> None:
    """One grouping, by hour and light, in the C locale (the quickest)."""
    command = _SHELL.format(log=log, out=out)
    subprocess.run(["sh", "-c", command], check=True, env={**os.environ, "LC_ALL": "C"})


def plain_python(log: Path) -> None:
    """The same grouping in a loop."""
    counts: Counter[tuple[str, str]] = Counter()
    with log.open(encoding="ascii") as file:
        for line in file:
            _, light, when = line.split(" | ")
            counts[when[17:19], light] += 1


def agree(log: Path, out: Path) -> None:
    """Stop where both do not count the same."""
    ours: Counter[tuple[int | None, str]] = Counter()
    theirs: Counter[tuple[int | None, str]] = Counter()
    for said, count in counts_of(log).counts.cells().items():
        ours[said.hour, said.light] += count
    for line in out.read_text(encoding="ascii").splitlines():
        times, hour, light = line.split()
        theirs[int(hour), light_name(int(light))] += int(times)
    if ours != theirs:
        raise SystemExit("the shell counts something else")


def main() -> int:
    """Measure and print; 0 where the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fg-bench-") as name:
        folder = Path(name)
        log, grown, side = folder / "robot_failures.log", folder / "grown.log", folder / "side"
        write_log(log, arguments.lines)
        log_patterns(counts_of(log))  # imports, and the log in the file cache
        peers, whole, appended = [], [], []
        for _ in range(ROUNDS):
            peers.append(seconds(lambda: shell(log, folder / "shell.out")))
            whole.append(seconds(lambda: log_patterns(counts_of(log))))
        agree(log, folder / "shell.out")
        python = seconds(lambda: plain_python(log))
        shutil.copyfile(log, grown)
        counts_of(grown, side)
        more = b"".join(log.read_bytes().splitlines(keepends=True)[:APPENDED])
        for _ in range(ROUNDS):
            with grown.open("ab") as file:
                file.write(more)
            appended.append(seconds(lambda: log_patterns(counts_of(grown, side))))
        assert counts_of(grown, side).counts.lines == arguments.lines + ROUNDS * APPENDED
    one = f"grep|awk|sort|uniq, one grouping {median(peers):.2f} s; Python loop {python:.2f} s"
    lines = [_line("all groupings", whole, peers, one, GOAL_WHOLE)]
    lines.append(_line(f"after {APPENDED:,} new lines", appended, peers, "the same", GOAL_APPENDED))
    show(f"patterns of a foreign log ({arguments.lines:,} lines)", lines)
    return 0 if all(line.met for line in lines) else 1


def _line(what: str, own: list[float], peers: list[float], words: str, goal: float) -> Line:
    """Each round against the shell's of the same round, so that what else the machine does falls on both."""
    times = median(one / peer for one, peer in zip(own, peers, strict=True))
    return Line(what, f"{1000 * median(own):.1f} ms, {times:.3f} x", words, f"<= {goal:g} x", times <= goal)


if __name__ == "__main__":
    sys.exit(main())
