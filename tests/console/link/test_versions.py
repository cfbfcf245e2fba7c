"""An agent of another protocol: said with the side that must be updated, not tried for ever, and told to scripts."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from console import exits
from console.robots import Robot, Robots
from tests.console.link.conftest import Opened
from tests.sshd import REPOSITORY, Sshd
from tests.waiting import wait_until

AGENT = ".local/share/fieldgate/current/bin/fieldgate-agent"


def install_other_version(server: Sshd, folder: Path, protocol: int) -> None:
    """Let the robot's agent be this checkout's, but for the protocol that it speaks."""
    shutil.copytree(REPOSITORY / "remote", folder / "remote", ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "remote" / "protocol.py"
    text = file.read_text()
    changed = text.replace(
        "PROTOCOL = 1\nOLDEST_PROTOCOL = 1\n", f"PROTOCOL = {protocol}\nOLDEST_PROTOCOL = {protocol}\n"
    )
    assert changed != text
    file.write_text(changed)
    program = server.home / AGENT
    program.write_text(f'#!/bin/sh\nPYTHONPATH={folder} exec {sys.executable} -m remote "$@"\n')


@pytest.mark.parametrize(
    ("protocol", "who", "cure"),
    [(0, "the agent is too old", "fieldgate deploy"), (9, "this console is too old", "update fieldgate on the laptop")],
)
def test_an_agent_of_another_protocol_is_refused_with_the_side_to_update(
    server: Sshd, robot: Robot, opened: Opened, tmp_path: Path, protocol: int, who: str, cure: str
) -> None:
    """Without it an engineer sees a link that never comes up and does not learn which machine to update."""
    install_other_version(server, tmp_path / "other", protocol)
    session = opened(robot)
    wait_until(lambda: session.snapshot.link.phase == "refused", 30, "the version to be refused")
    link = session.snapshot.link
    assert (link.code, link.retry_at_ns) == ("too_old", None)
    assert who in link.reason
    assert cure in link.cure


def test_a_script_learns_of_another_protocol_by_exit_code_6(server: Sshd, robot: Robot, tmp_path: Path) -> None:
    install_other_version(server, tmp_path / "other", 9)
    Robots().add(robot)
    command = [str(Path(sys.executable).with_name("fieldgate")), "watch", "orin", "--once"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ))
    assert (done.returncode, done.stdout) == (exits.REFUSED, "")
    assert exits.REFUSED == 6
    assert "this console is too old" in done.stderr
    assert "update fieldgate on the laptop" in done.stderr
