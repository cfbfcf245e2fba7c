"""Whole field tests of robots whose true rates are known: who passes, over many seeds. `python -m bench.field_verdicts`.

Each campaign is a record that the real fold reads after every trial. A good robot must get through nearly always; one that is
no better than asked must not pass more often than the stated 5 %, whatever people do. Bounds are exact, one-sided, 95 %.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from bench.table import Line, show
from tests.console.phases.simulated import ALPHA, CASES, Case, as_it_should, counted


def main() -> int:
    """Try every case; 0 where each came out as it should."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=400, help="campaigns of each case")
    seeds = parser.parse_args().seeds
    begin = time.perf_counter()
    with ProcessPoolExecutor() as together:
        lines = list(together.map(_line, CASES, [seeds] * len(CASES)))
    show(f"verdicts of {seeds} campaigns each ({time.perf_counter() - begin:.0f} s)", lines)
    return 1 if any(line.met is False for line in lines) else 0


def _line(case: Case, seeds: int) -> Line:
    count = counted(case, range(seeds))
    lower, upper = count.bounds()
    what = f"{count.passed} of {count.chances} = {count.passed / count.chances:.1%}"
    goal = f"<= {ALPHA:.0%} pass {case.weak}" if case.weak else ">= 90 % get through"
    peer = f"true share >= {lower:.1%}, <= {upper:.1%}"
    return Line(case.title, what, peer, goal, as_it_should(case, count))


if __name__ == "__main__":
    sys.exit(main())
