"""What a person sees of each fault, through the real commands: one clear line, the cure, the exit code, no traceback."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from remote.protocol import AgentHello, line
from tests.sshd import Sshd
from tests.whole.test_demo import fieldgate

AGENT = ".local/share/fieldgate/current/bin/fieldgate-agent"
STATE = ".local/state/fieldgate-agent"
HELLO = AgentHello(
    protocol=1, oldest_protocol=1, software="agent 9.9", robot="r", boot_id="b", journal="j", mono_ns=1, wall_ns=1
)


def add(server: Sshd, *options: str) -> None:
    done = fieldgate("robot", "add", "orin", f"{os.environ.get('USER') or 'root'}@127.0.0.1:{server.port}", *options)
    assert done.returncode == 0, done.stderr


def refused(code: int, *words: str) -> str:
    """Run it, expect that exit code and two lines on stderr, nothing else; they are returned."""
    done = fieldgate(*words)
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    lines = [text for text in done.stderr.splitlines() if not text.startswith(("watching ", "connecting "))]
    assert len(lines) == 2, done.stderr
    assert lines[0].startswith("fieldgate: ")
    assert lines[1].startswith("  -> ")
    return "\n".join(lines)


def answering(server: Sshd, script: str) -> None:
    """Put a program in the agent's place on the robot."""
    program = server.home / AGENT
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def disk() -> Iterator[list[Path]]:
    """Folders that a test has made a small file system of (`small`) are given back."""
    mounted: list[Path] = []
    yield mounted
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


def small(place: Path, disk: list[Path]) -> None:
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "none", str(place)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    disk.append(place)


def fill(place: Path) -> Path:
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            return ballast


def test_a_refused_key_is_named_and_nothing_of_the_ssh_library_is_printed(server: Sshd) -> None:
    add(server)
    server.authorized_keys.write_text("")
    said = refused(5, "watch", "orin", "--once")
    assert "refused the login; tried: " in said
    assert f"ssh-copy-id -p {server.port}" in said


def test_a_changed_host_key_stops_every_command_whatever_was_agreed_to(server: Sshd) -> None:
    add(server)
    server.new_host_key()
    for words in (("watch", "orin", "--once", "--accept-new"), ("deploy", "orin", "--yes", "--accept-new")):
        said = refused(5, *words)
        assert "has changed" in said
        assert f"ssh-keygen -f {os.environ['HOME']}/.ssh/known_hosts -R" in said


def test_an_unknown_host_is_shown_with_a_command_that_reaches_it(server: Sshd) -> None:
    add(server)
    (Path(os.environ["HOME"]) / ".ssh/known_hosts").unlink()
    said = refused(5, "watch", "orin", "--once")
    assert "is not known: ssh-ed25519 SHA256:" in said
    assert f"(`ssh -p {server.port} " in said


@pytest.mark.parametrize(
    ("protocol", "oldest", "who", "cure"),
    [
        (99, 90, "'orin': this console is too old", "update fieldgate on the laptop"),
        (0, 0, "'orin': the agent is too old", "run `fieldgate deploy orin`"),
    ],
)
def test_the_side_that_is_too_old_is_named(server: Sshd, protocol: int, oldest: int, who: str, cure: str) -> None:
    add(server)
    hello = server.folder / "hello"
    hello.write_bytes(line(msgspec.structs.replace(HELLO, protocol=protocol, oldest_protocol=oldest)))
    answering(server, f"cat {hello}; sleep 1")
    said = refused(6, "watch", "orin", "--once")
    assert who in said
    assert cure in said


@pytest.mark.parametrize(
    ("script", "code", "what"),
    [
        ("head -c 9000000 /dev/zero | tr '\\0' x", 1, "'orin': the robot sent a line longer than the limit"),
        ("exec /nonexistent/python -m remote", 4, "fieldgate can't run on 'orin'"),
    ],
)
def test_what_answers_in_the_agents_place_is_told(server: Sshd, script: str, code: int, what: str) -> None:
    add(server)
    answering(server, script)
    assert what in refused(code, "watch", "orin", "--once")


def test_a_missing_fieldgate_and_a_missing_agent_are_told_apart(server: Sshd) -> None:
    add(server)
    assert "no agent runs on 'orin'" in refused(4, "watch", "orin", "--once")
    program = server.home / AGENT
    away = program.rename(program.with_name("away"))
    assert "there is no fieldgate on 'orin'" in refused(4, "watch", "orin", "--once")
    away.rename(program)


def test_an_agent_that_was_killed_is_said_and_its_dead_socket_is_no_obstacle(server: Sshd) -> None:
    add(server, "--start-agent")
    watching = subprocess.Popen(
        [str(Path(sys.executable).with_name("fieldgate")), "watch", "orin", "--for", "6s", "--every", "100ms"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert watching.stdout is not None
    assert "link up" in watching.stdout.readline()
    os.kill(int((server.home / STATE / "agent.lock").read_text()), signal.SIGKILL)
    out, err = watching.communicate(timeout=90)
    assert watching.returncode == 0, err
    assert "the agent on the robot ended or was killed -> it is tried again by itself" in out
    assert "the one before it was killed, or the robot lost its power -> start the worker again" in out
    assert "Traceback" not in err


def test_an_agent_that_cannot_begin_on_a_full_disk_says_so(disk: list[Path], server: Sshd) -> None:
    add(server, "--start-agent")
    state = server.home / STATE
    small(state, disk)
    ballast = fill(state)
    said = refused(4, "watch", "orin", "--once")
    assert "No space left on device" in said
    assert f"make space on the disk of {state}" in said
    ballast.unlink()
    assert "link up" in fieldgate("watch", "orin", "--for", "1s").stdout


def test_a_full_disk_of_the_laptop_is_said_and_nothing_is_lost(disk: list[Path], server: Sshd) -> None:
    add(server, "--start-agent")
    data = Path(os.environ["FIELDGATE_HOME"]) / "data"
    small(data, disk)
    assert fieldgate("watch", "orin", "--for", "1s").returncode == 0
    ballast = fill(data)
    done = fieldgate("watch", "orin", "--for", "4s")
    assert "the laptop's disk is full" in done.stdout + done.stderr
    assert f"free space on the file system of {data}" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    ballast.unlink()
    assert fieldgate("watch", "orin", "--for", "3s").returncode == 0
    with sqlite3.connect(data / "store.db") as store:
        count, first, last = store.execute("SELECT count(*), min(seq), max(seq) FROM entries").fetchone()
        assert (first, last) == (1, count)
        assert store.execute("SELECT count(*) FROM lost").fetchone() == (0,)
