"""paramiko's own log never reaches the terminal: a line of it would stand across the live screen."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from tests.sshd import Laptop

LINGER = struct.pack("ii", 1, 0)
TRY = """
import logging
{setup}
from console.link.opening import transport_of
from console.robots import Robot
from remote.errors import Trouble
for banner in range(3):
    try:
        transport_of(Robot(name="orin", address="{address}")).run("true")
    except Trouble as trouble:
        print(trouble.code)
"""


@pytest.fixture
def resetting() -> Iterator[str]:
    """The address of an SSH service that resets each connection: before, in, and after its banner."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_reset_all, args=(listener,), daemon=True).start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def _reset_all(listener: socket.socket) -> None:
    for said in (b"", b"SSH-2.0-Open", b"SSH-2.0-OpenSSH_9.2\r\n"):
        try:
            caller, _ = listener.accept()
        except OSError:
            return
        with caller:
            caller.sendall(said)
            caller.recv(100)  # its banner, so that what was sent has arrived there before the reset
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER)


@pytest.mark.parametrize("setup", ["", "logging.basicConfig(level=logging.DEBUG)"], ids=["plain", "root_handler"])
def test_nothing_of_paramikos_log_is_printed(laptop: Laptop, resetting: str, setup: str) -> None:
    command = [sys.executable, "-c", TRY.format(setup=setup, address=resetting)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=dict(os.environ))
    assert done.stdout.split() == ["unreachable"] * 3
    assert done.stderr == ""
