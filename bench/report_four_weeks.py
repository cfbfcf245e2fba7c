"""The report of a campaign of four weeks: time, memory and size. `python -m bench.report_four_weeks`.

20 sessions of 8 h (576,000 windows and as many samples of the computer), 2,000 trials, 2,000 failures, 300 real pictures. The
command is run as people run it, in a process of its own, the first time with nothing added up before. Peer: reading and
decoding every window of that store once in plain Python, which is what a report without roll-ups must do at least. Times are
of the processor, so that other work on the machine does not count.
"""

from __future__ import annotations

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.four_weeks import BUNDLE, PERSON, ROBOT, Size, make_home, write_pictures, write_record, write_store
from bench.table import Line, show
from console.fieldwork.field_test import FieldTest
from console.store.store import Store

GOAL_S, GOAL_BYTES = 10.0, 20 * 1024 * 1024


def main() -> int:
    """Build, report twice, print; 0 where the goals are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--hours", type=float, default=8.0, help="of each session")
    arguments = parser.parse_args()
    size = Size(sessions=arguments.sessions, hours=arguments.hours)
    with tempfile.TemporaryDirectory(prefix="fg-bench-") as name:
        lines = _measure(Path(name), size)
    seconds = f"{size.sessions * size.hours * 3600:,.0f}"
    show(f"report of {size.sessions} sessions ({seconds} windows, {size.trials:,} trials, bundle {BUNDLE[:4]})", lines)
    return 1 if any(line.met is False for line in lines) else 0


def _measure(folder: Path, size: Size) -> list[Line]:
    make_home(folder / "home")
    chance, now = random.Random(5), [0]
    store = Store(wall_ns=lambda: now[0])
    write_store(store, size, write_pictures(size.pictures), chance, now)
    campaign = write_record(size, chance)
    measured_s = _timed(lambda: FieldTest(campaign).measure(store, PERSON))
    read_s = _timed(lambda: _read_all(store))
    store.close()
    name = campaign.name
    campaign.close()
    first_s, first_wall_s, peak_mib = _report(name, folder / "first")
    again_s, again_wall_s, _ = _report(name, folder / "again")
    page = (folder / "first" / "report.html").stat().st_size
    whole = sum(path.stat().st_size for path in (folder / "first").rglob("*") if path.is_file())
    size_words = f"{page / 2**20:.1f} MiB, its folder {whole / 2**20:.1f} MiB"
    read, goal = f"{read_s:.1f} s to decode each window once", f"<= {GOAL_S:g} s"
    first = f"{first_s:.1f} s ({first_wall_s:.0f} s by the wall), {peak_mib:.0f} MiB"
    again = f"{again_s:.1f} s ({again_wall_s:.0f} s by the wall)"
    return [
        Line("`session measure` of all", f"{measured_s:.1f} s", read, "shown", None),
        Line("report, the first time", first, read, goal, first_s <= GOAL_S),
        Line("report, again", again, read, goal, again_s <= GOAL_S),
        Line("report.html", size_words, "-", "<= 20 MiB", whole <= GOAL_BYTES),
    ]


def _report(name: str, folder: Path) -> tuple[float, float, float]:
    """Seconds of processor and by the wall, and the most memory (MiB) that any child of this process has had so far."""
    command = [sys.executable, "-c", "import sys; from console.cli import main; sys.exit(main())"]
    begin, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*command, "report", name, "-o", str(folder)], check=True, stdout=subprocess.DEVNULL)
    after, wall_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - begin
    used_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used_s, wall_s, after.ru_maxrss / 1024


def _read_all(store: Store) -> None:
    from console.store.light import window

    for journal in store.journals(ROBOT):
        for entry in store.entries(journal.id, "window"):
            window(bytes(entry.body))


def _timed(work: Callable[[], object]) -> float:
    """Seconds of this process's processor time."""
    begin = time.process_time()
    work()
    return time.process_time() - begin


if __name__ == "__main__":
    sys.exit(main())
