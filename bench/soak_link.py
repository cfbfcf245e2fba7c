"""A long run over a bad network: delay, jitter, loss and cuts between two network namespaces.

`python -m bench.soak_link [--seconds 120]`. Needs root, /dev/net/tun and the lossy link of ../shared/tools; says what is
missing otherwise. Prints what the robot journalled, what the laptop has of it, and how old numbers were on arrival.
"""

from __future__ import annotations

import argparse
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bench.table import Line, show
from console.link.client import RobotClient
from console.link.opening import transport_of
from console.link.snapshot import Snapshot
from console.robots import Robot, Settings
from console.store.identity import Identity
from console.store.store import Store
from console.visiting import visiting
from tests.sshd import REPOSITORY, SSHD, Laptop, Sshd, install_checkout

LOSSY_LINK = REPOSITORY.parent / "shared" / "tools" / "lossy_link.py"
NAMESPACE = "fieldgate-soak"
DELAY_S, JITTER_S, LOSS = 0.06, 0.02, 0.02
CUT_EVERY_S = 20.0


def main() -> None:
    """Run, compare both ends, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0)
    seconds: float = parser.parse_args().seconds
    missing = _missing()
    if missing:
        show("Bad network", [Line("both ends the same", f"not run: {missing}", "-", "0 holes, 0 doubles", None)])
        return
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(_lossy(seconds + 60))
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        server, client, store = _ends(folder, patch)
        stack.callback(server.stop)
        ages_s = _watch(server, client, seconds)
        _report(server, client, store, ages_s, seconds)
        server.end_agents(server.home / ".local/share/fieldgate/current/bin/fieldgate-agent")


def _missing() -> str:
    if os.getuid() != 0:
        return "needs root for network namespaces"
    if SSHD is None:
        return "no sshd (install openssh-server)"
    if not Path("/dev/net/tun").exists():
        return "no /dev/net/tun"
    return "" if LOSSY_LINK.exists() else f"{LOSSY_LINK} is not there"


@contextmanager
def _lossy(seconds: float) -> Iterator[None]:
    """A namespace whose only way out is a slow, lossy wire; the robot is at 10.78.0.2."""
    subprocess.run(["ip", "netns", "add", NAMESPACE], check=True)
    words = [sys.executable, str(LOSSY_LINK), NAMESPACE, *map(str, (DELAY_S, JITTER_S, LOSS, seconds))]
    try:
        with subprocess.Popen(words, stdout=subprocess.PIPE) as link:
            assert link.stdout is not None
            link.stdout.readline()
            try:
                yield
            finally:
                link.terminate()
    finally:
        subprocess.run(["ip", "netns", "del", NAMESPACE], check=False)


def _ends(folder: Path, patch: pytest.MonkeyPatch) -> tuple[Sshd, RobotClient, Store]:
    laptop = Laptop(folder / "laptop")
    laptop.use(patch)
    server = Sshd(folder / "robot", address="10.78.0.2", inside=("ip", "netns", "exec", NAMESPACE))
    server.allow(laptop.key)
    laptop.knows(server)
    install_checkout(server)
    server.start()
    settings = Settings(start_agent=True, autostart=True)
    robot = Robot(name="far", address=f"{server.address}:{server.port}", settings=settings)
    store = Store(folder / "store.db")
    client = RobotClient(robot, transport_of(robot), store, Identity(store.store_id, robot.name, folder / "consoles"))
    return server, client, store


def _watch(server: Sshd, client: RobotClient, seconds: float) -> list[float]:
    """Cut now and then, as the network alone does not; the age of each window when it was first in a snapshot."""
    ages_s: list[float] = []
    seen = 0
    chance = random.Random(3)
    with visiting(client) as visit:
        visit.arrive(60)
        end = time.monotonic() + seconds
        next_cut = time.monotonic() + CUT_EVERY_S
        while (now := time.monotonic()) < end:
            shot = visit.next(0.5)
            seen = _fold_ages(shot, seen, ages_s)
            if now > next_cut and end - now > CUT_EVERY_S:
                server.cut()
                next_cut = now + CUT_EVERY_S * (0.5 + chance.random())
        last = client.snapshot.state
        wanted = last.journal.last_seq if last else 0
        visit.wait(lambda shot: shot.stored_seq >= wanted, 30)
    return ages_s


def _fold_ages(shot: Snapshot, seen: int, ages_s: list[float]) -> int:
    for window in shot.windows:
        if window.seq > seen and window.at_ns is not None:
            ages_s.append((shot.taken_ns - window.at_ns) / 1e9)
    return max(seen, shot.windows[-1].seq) if shot.windows else seen


def _report(server: Sshd, client: RobotClient, store: Store, ages_s: list[float], seconds: float) -> None:
    journal = store.journals("far")[-1]
    copied = {e.seq: bytes(e.body) for e in store.entries(journal.id)}
    file = server.home / ".local/state/fieldgate-agent/journal.db"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT seq, body FROM entries WHERE seq <= ? ORDER BY seq", (max(copied),)).fetchall()
    holes = [seq for seq, _ in rows if seq not in copied]
    changed = [seq for seq, body in rows if copied.get(seq, body) != bytes(body)]
    link = client.snapshot.link
    spread = f"p50 {statistics.median(ages_s):.2f} s, max {max(ages_s):.2f} s" if ages_s else "none"
    trip = "-" if link.round_trip_ms is None else f"{link.round_trip_ms:.0f} ms"
    wire = f"{DELAY_S * 1000:.0f} +- {JITTER_S * 1000:.0f} ms each way, {LOSS:.0%} lost"
    show(
        f"Bad network, {seconds:.0f} s: {wire}, {link.reconnects} reconnects",
        [
            Line("entries on the laptop", f"{len(copied)}", f"robot {len(rows)}", "equal", len(copied) == len(rows)),
            Line("holes, changed entries", f"{len(holes)}, {len(changed)}", "-", "0, 0", not holes and not changed),
            Line("age of a window at arrival", spread, f"round trip {trip}", "shown", None),
        ],
    )


if __name__ == "__main__":
    main()
