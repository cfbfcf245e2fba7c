"""A robot, or an SSH agent, that takes a connection and then is silent: it is given up, and Ctrl+C is heard at once."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.link.opening import transport_of
from console.link.transport import Transport
from console.robots import Robot
from remote.errors import Trouble
from tests.console.link.conftest import at
from tests.console.link.deaf_server import deaf_server
from tests.sshd import Laptop, Sshd, make_key

BOTH = pytest.mark.parametrize("transport", ["paramiko", "openssh"])
SOON_S = 6.0
"""Far less than what is hung for, far more than a busy machine needs."""


@pytest.fixture
def deaf(tmp_path: Path, laptop: Laptop) -> Iterator[Robot]:
    key = make_key(tmp_path / "host_key")
    with deaf_server(key) as port:
        public = key.with_name("host_key.pub").read_text()
        laptop.known_hosts.write_text(f"[127.0.0.1]:{port} {public}")
        yield Robot(name="orin", address=f"127.0.0.1:{port}")


def refused(call: object) -> Trouble:
    begun = time.monotonic()
    with pytest.raises(Trouble) as caught:
        call()  # type: ignore[operator]
    assert time.monotonic() - begun < SOON_S
    return caught.value


def test_a_robot_that_answers_no_request_is_given_up(
    deaf: Robot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The link's thread hung in `connecting` for ever, and a command until Ctrl+C."""
    monkeypatch.setattr("console.link.ssh_dial.CONNECT_TIMEOUT_S", 0.4)
    (tmp_path / "file").write_bytes(b"bytes")
    way = transport_of(deaf)
    calls = (way.open, lambda: way.run("true"), lambda: way.put(tmp_path / "file", "/nowhere"))
    for call in calls:
        found = refused(call)
        assert found.code == "unreachable"
        assert "no answer came within 0.4 s" in found.what
    way.close()


@BOTH
@pytest.mark.parametrize("command", ["exec >&- 2>&-; sleep 20", "yes"], ids=["closed its output", "says too much"])
def test_a_command_ends_with_its_time_whatever_it_does_with_its_output(
    server: Sshd, transport: str, command: str
) -> None:
    way = transport_of(at(server, transport=transport))
    way.run("true")
    found = refused(lambda: way.run(command, timeout_s=0.5))
    assert found.code == "timeout"
    way.close()


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator[Path]:
    """A place on the robot that takes nothing, as a disk that died: a pipe that nobody reads."""
    made = tmp_path / "stuck"
    os.mkfifo(made)
    yield made
    os.close(os.open(made, os.O_RDONLY | os.O_NONBLOCK))  # lets go who waits for a reader there


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """More than all buffers on the way hold."""
    made = tmp_path / "large"
    made.write_bytes(bytes(12_000_000))
    return made


@BOTH
def test_a_copy_that_the_robot_does_not_take_is_given_up(
    server: Sshd, transport: str, stuck: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("ssh", "openssh"):
        monkeypatch.setattr(f"console.link.{module}.STALL_S", 0.4)
    way = transport_of(at(server, transport=transport))
    refused(lambda: way.put(large, str(stuck)))
    assert way.run("true").exit == 0, "the next connection is a new one"
    way.close()


@BOTH
def test_ctrl_c_in_a_copy_is_heard_though_the_robot_froze(
    server: Sshd, transport: str, large: Path, tmp_path: Path
) -> None:
    """Closing the file there waited for all that was under way: a second Ctrl+C, or none, ended the command."""
    way = transport_of(at(server, transport=transport))

    def interrupted(_done: int, _whole: int) -> None:
        server.freeze()
        raise KeyboardInterrupt

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        way.put(large, str(tmp_path / "there"), interrupted)
    way.close()
    assert time.monotonic() - begun < SOON_S


def test_a_silent_ssh_agent_is_done_without(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A forwarded agent whose laptop is gone takes connections and answers none."""
    monkeypatch.setattr("console.link.ssh_auth._AGENT_S", 0.2)
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with door:
        door.bind(str(tmp_path / "agent"))
        door.listen()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        way: Transport = transport_of(at(server))
        begun = time.monotonic()
        assert way.run("true").exit == 0
        assert time.monotonic() - begun < SOON_S
        way.close()
