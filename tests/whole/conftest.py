"""A laptop of its own for each test: fieldgate's files below a temporary folder, and the demo robot ended afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sshd import SSHD, Laptop, Sshd, install_checkout


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """FIELDGATE_HOME below tmp_path; whatever demo robot a test starts there is stopped at the end."""
    home = tmp_path / "laptop"
    monkeypatch.setenv("FIELDGATE_HOME", str(home))
    yield home
    robot = home / "data" / "demo"
    if robot.exists():
        command = [sys.executable, "-m", "remote", "stop", "--home", str(robot)]
        subprocess.run(command, capture_output=True, check=False, timeout=30, env=os.environ)


@pytest.fixture
def desk() -> Iterator[Path]:
    """Where a page's `mktemp -d` makes its folder; a demo robot that a broken tour left there is stopped.

    Not pytest's own folder: the robot's socket lies deep below, and its path may have 107 bytes.
    """
    with tempfile.TemporaryDirectory(prefix="fg") as folder:
        yield Path(folder)
        for robot in Path(folder).glob("*/home/data/demo"):
            command = [sys.executable, "-m", "remote", "stop", "--home", str(robot)]
            subprocess.run(command, capture_output=True, check=False, timeout=30, env=os.environ)


@pytest.fixture
def bare_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sshd]:
    """A robot with nothing of ours on it, behind a real sshd that this process's home knows and may enter."""
    if SSHD is None:
        pytest.skip("no sshd here (install openssh-server)")
    laptop = Laptop(tmp_path / "laptop")
    laptop.use(monkeypatch)
    made = Sshd(tmp_path / "robot")
    made.allow(laptop.key)
    laptop.knows(made)
    made.start()
    yield made
    made.stop()
    made.end_agents(made.home / ".local/share/fieldgate/current/bin/fieldgate-agent")


@pytest.fixture
def server(bare_server: Sshd) -> Sshd:
    """The same with this checkout's agent in place, as if it had been deployed."""
    install_checkout(bare_server)
    return bare_server
