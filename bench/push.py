"""A push of a 50 MB bundle beside `scp` of the same file, its resume after a cut; run as `python -m bench.push`."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from bench.table import Line, show
from console.link.bundle_send import put_bundle
from console.link.ssh import PUT_BYTES
from console.robots import Robot
from remote.agent.bundles import embedded_folder
from remote.errors import Trouble
from remote.manifest import CONTRACT, MANIFEST, MODEL, entry_of, manifest_bytes
from remote.models.bundle import load_bundle
from tests.sshd import SSHD, Laptop, Sshd, running

GOAL_TIMES = 1.5
CUT_AT = 0.4


def bundle(folder: Path, size: int) -> Path:
    """A bundle whose model has `size` bytes that can't be compressed; nobody runs it."""
    own = embedded_folder()
    assert own is not None
    folder.mkdir()
    shutil.copy(own / CONTRACT, folder / CONTRACT)
    (folder / MODEL).write_bytes(os.urandom(size))
    files = {name: entry_of(folder / name) for name in (CONTRACT, MODEL)}
    (folder / MANIFEST).write_bytes(manifest_bytes(load_bundle(own).contract.name, files))
    return folder


class Bed:
    """A laptop and an sshd; no agent is needed to send."""

    def __init__(self, folder: Path) -> None:
        self.laptop, self.server = Laptop(folder / "laptop"), Sshd(folder / "robot")
        self.server.allow(self.laptop.key)
        self.laptop.knows(self.server)
        self.robot = Robot(name="orin", address=f"127.0.0.1:{self.server.port}")
        self.bundles = self.server.home / ".local/state/fieldgate-agent/bundles"

    def clear(self) -> None:
        """An empty store."""
        shutil.rmtree(self.bundles, ignore_errors=True)

    def push(self, folder: Path) -> float:
        """Seconds from nothing there to whole, verified and on the disk."""
        self.clear()
        begin = time.perf_counter()
        put_bundle(self.robot, folder, staged=True)
        return time.perf_counter() - begin

    def scp(self, file: Path) -> float:
        """The same file by scp, synced to the disk like ours."""
        target = self.server.home / "by-scp"
        target.unlink(missing_ok=True)
        ssh = shutil.which("ssh")
        words = ["scp", "-q", "-S", str(ssh), "-P", str(self.server.port), str(file), f"127.0.0.1:{target}"]
        begin = time.perf_counter()
        subprocess.run(words, check=True)
        subprocess.run(["sync", str(target)], check=True)
        return time.perf_counter() - begin


def resumed(bed: Bed, folder: Path, size: int) -> tuple[int, int]:
    """Bytes of the model on the robot when the link was cut, and bytes that the second try sent."""
    bed.clear()
    ticks: list[int] = []

    def cut(name: str, done: int, whole: int) -> None:
        if name == MODEL and done > CUT_AT * whole and not ticks:
            ticks.append(done)
            bed.server.cut()

    with contextlib.suppress(Trouble):  # that is what a cut is
        put_bundle(bed.robot, folder, tick=cut, staged=True)
    there = max(path.stat().st_size for path in bed.bundles.rglob("*") if path.is_file())
    first: list[int] = []
    put_bundle(bed.robot, folder, tick=lambda name, done, _: first.append(done) if name == MODEL else None, staged=True)
    return there, size - (first[0] - PUT_BYTES)


def measured(bed: Bed, folder: Path, size: int, rounds: int) -> list[Line]:
    """Every line of the table; ours and scp take turns, so that what else the machine does falls on both."""
    bed.push(folder)
    pairs = [(bed.push(folder), bed.scp(folder / MODEL)) for _ in range(rounds)]
    ours, theirs = (statistics.median(values) for values in zip(*pairs, strict=True))
    there, sent = resumed(bed, folder, size)
    again = sent - (size - there)
    return [
        Line(
            f"push of a bundle of {size / 1e6:.0f} MB, verified and on the robot's disk",
            f"{ours:.2f} s ({size / ours / 1e6:.0f} MB/s), median of {rounds}",
            f"scp of its model: {theirs:.2f} s",
            f"<= {GOAL_TIMES:g} times scp",
            ours <= GOAL_TIMES * theirs,
        ),
        Line(
            f"resume after a cut with {there / 1e6:.1f} MB on the robot",
            f"{again / 1e6:.2f} MB sent again",
            "",
            f"<= a piece of {PUT_BYTES / 1e6:.2f} MB",
            there > 0 and again <= PUT_BYTES,
        ),
    ]


def main(megabytes: int, rounds: int) -> int:
    """Measure and print the table; 0, or 1 where a goal was missed."""
    if SSHD is None:
        show("Push", [Line("push over sshd", "no sshd here", "", "", None)])
        return 0
    patch = pytest.MonkeyPatch()
    with tempfile.TemporaryDirectory(prefix="fg-push-") as name:
        bed = Bed(Path(name))
        bed.laptop.use(patch)
        folder, size = bundle(Path(name) / "bundle", megabytes * 1_000_000), megabytes * 1_000_000
        with running(bed.server):
            lines = measured(bed, folder, size, rounds)
    patch.undo()
    show(f"Push, loopback sshd on {socket.gethostname()}, {os.cpu_count()} cores", lines)
    return int(any(line.met is False for line in lines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    sys.exit(main(given.megabytes, given.rounds))
