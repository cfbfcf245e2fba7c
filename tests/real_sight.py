"""A Sight of a real agent on this machine, as a command or the app would look through it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from console.link.backoff import Backoff
from console.link.client import RobotClient
from console.link.local import LocalTransport
from console.looking import RobotSight
from console.robots import Robot
from console.store.identity import Identity
from console.store.pictures import Pictures
from console.store.store import Store
from tests.remote.agent.robot import ROOT
from tests.remote.agent.robot import Robot as Agent
from tests.waiting import wait_until


@contextmanager
def seen(home: Path, laptop: Path, *, files: Path | None = None, bundle: str = "") -> Iterator[RobotSight]:
    """A sight of the agent that serves in `home`, its link up; the laptop's files lie below `laptop`."""
    robot = Robot(name="orin", transport="local", home=str(home))
    laptop.mkdir(exist_ok=True)
    store, transport = Store(laptop / "store.db"), LocalTransport(robot)
    identity = Identity(store.store_id, robot.name, laptop / "consoles")
    session = RobotClient(
        robot, LocalTransport(robot), store, identity, Pictures(laptop / "pictures"), backoff=Backoff(lambda: 0.0)
    )
    session.start(lambda snapshot: None)
    try:
        wait_until(lambda: session.snapshot.link.phase == "up" and session.snapshot.state, 15, "the link")
        yield RobotSight(session, transport, store, robot=robot.name, files=files or laptop, bundle=bundle)
    finally:
        session.close()
        store.close()


def start_old_agent(home: Path, folder: Path) -> subprocess.Popen[bytes]:
    """An agent of the time before facts, checks and notes: the same one without those requests in its vocabulary."""
    shutil.copytree(ROOT / "remote", folder / "remote", ignore=shutil.ignore_patterns("__pycache__"))
    vocabulary = folder / "remote" / "protocol.py"
    text = vocabulary.read_text()
    requests = "".join(f"    {name},\n" for name in ("GetFacts", "CheckBundle", "GetStored", "Validate", "Note"))
    changed = text.replace(f"{requests}    TakeLease,\n", "    TakeLease,\n")
    assert changed != text
    vocabulary.write_text(changed)
    command = [sys.executable, "-m", "remote", "serve", "--home", str(home)]
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)})
    wait_until(lambda: (home / "agent.sock").exists() or process.poll() is not None, 15, "the old agent")
    assert process.poll() is None
    return process


@contextmanager
def agent(home: Path) -> Iterator[Agent]:
    """A real agent with the small worker."""
    made = Agent(home).start()
    try:
        yield made
    finally:
        made.end(signal.SIGKILL)
