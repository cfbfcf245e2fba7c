"""How long `fieldgate --help` takes against an interpreter that does nothing."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from bench.table import Line, show

ROUNDS = 15
GOAL = 6.0


def _seconds(command: list[str]) -> float:
    # These two falsify start-up times: one forbids the byte-code cache, the other slows every write.
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")}
    begin = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


def main() -> None:
    """Alternate the two, so that a busy moment hits both; compare medians."""
    program = [str(Path(sys.executable).with_name("fieldgate")), "--help"]
    nothing = [sys.executable, "-c", "pass"]
    pairs = [(_seconds(program), _seconds(nothing)) for _ in range(ROUNDS)]
    ours, bare = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = ours / bare
    show(
        f"Start-up (median of {ROUNDS})",
        [
            Line(
                "`fieldgate --help`",
                f"{ratio:.1f} x ({ours * 1000:.0f} ms)",
                f"python -c pass {bare * 1000:.0f} ms",
                f"<= {GOAL:.0f} x",
                ratio <= GOAL,
            )
        ],
    )


if __name__ == "__main__":
    main()
