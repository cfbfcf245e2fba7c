"""Frames that a robot does not serve while its model is switched, by a real agent and worker; `python -m
bench.activation_gap`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import statistics
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

from bench.table import Line, show
from remote.agent.bundles import embedded_folder
from remote.manifest import CONTRACT, MANIFEST, MODEL, digest_of, entry_of, manifest_bytes
from remote.models.bundle import load_bundle
from remote.protocol import Event, GoBack, Sample, Subscribe
from tests.remote.agent.model_robot import QUICK, ended, push, running, until
from tests.remote.agent.robot import Console, Robot

FPS = 15.0
"""Of the source `scene:`."""


def staged_copy(home: Path) -> str:
    """The bundle that came with the agent under another name, staged on the robot: the same work, another digest."""
    own = embedded_folder()
    assert own is not None
    folder = home / "bundles" / ".staging-copy"
    folder.mkdir()
    name = load_bundle(own).contract.name
    (folder / CONTRACT).write_text((own / CONTRACT).read_text().replace(f"name: {name}", f"name: {name}-2", 1))
    shutil.copy(own / MODEL, folder / MODEL)
    data = manifest_bytes(f"{name}-2", {one: entry_of(folder / one) for one in (CONTRACT, MODEL)})
    (folder / MANIFEST).write_bytes(data)
    folder.rename(home / "bundles" / f".staging-{digest_of(data)}")
    return digest_of(data)


def gap_ms(console: Console, since: int) -> float:
    """The longest time between two frames with a result among the samples after the first `since`."""
    stamps = [sample.capture_mono_ns for sample in console.all(Sample)[since:]]
    return max(late - early for early, late in pairwise(stamps)) / 1e6


def switched(console: Console, epoch: int, digest: str) -> float:
    """There by all steps; the gap in milliseconds."""
    since = len(console.all(Sample))
    assert push(console, epoch, digest, QUICK).error is None
    outcome = ended(console, digest)
    assert outcome.ended == "committed", outcome
    return gap_ms(console, since)


def back(console: Console, epoch: int, digest: str) -> float:
    """Back to the one before, which a person wants; the gap in milliseconds."""
    since = len(console.all(Sample))
    assert console.ask(GoBack("measured"), epoch=epoch).error is None
    until(
        console, lambda m: m.step == "idle" and m.current is not None and m.current.digest != digest, "the one before"
    )
    frames = len(console.all(Sample))
    console.until(lambda: len(console.all(Sample)) > frames + 5, "frames of it")
    return gap_ms(console, since)


def main(rounds: int) -> int:
    """Measure and print the table."""
    there, again = [], []
    with tempfile.TemporaryDirectory(prefix="fg-gap-") as name:
        robot = Robot(Path(name) / "home", "real", lease_s=600.0).start()
        try:
            console, epoch = running(robot)
            console.send(Subscribe(0, 30.0))
            console.until(lambda: len(console.all(Sample)) > FPS, "frames")
            digest = staged_copy(robot.home)
            for _ in range(rounds):
                there.append(switched(console, epoch, digest))
                again.append(back(console, epoch, digest))
            starts = [event for event in console.named("worker_started") if isinstance(event, Event)]
        finally:
            robot.end(signal.SIGKILL)
    lines = [
        _line(f"{what} (n {rounds})", values) for what, values in (("a push's switch", there), ("a way back", again))
    ]
    show(
        f"Frames not served at {FPS:g} fps on {socket.gethostname()}, {os.cpu_count()} cores, {len(starts)} starts",
        lines,
    )
    return 0


def _line(what: str, gaps_ms: list[float]) -> Line:
    frames = [max(0.0, one * FPS / 1000 - 1) for one in gaps_ms]
    middle = f"{statistics.median(frames):.0f} frames, at most {max(frames):.0f}"
    return Line(what, middle, f"{statistics.median(gaps_ms):.0f} ms between two results", "shown", True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    sys.exit(main(parser.parse_args().rounds))
