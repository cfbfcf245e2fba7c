"""An SSH server that lets everybody in and then answers nothing, as a robot does whose memory thrashes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
from paramiko.common import AUTH_SUCCESSFUL, OPEN_SUCCEEDED


class _Deaf(paramiko.ServerInterface):
    def __init__(self, end: threading.Event) -> None:
        self._end = end

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._end.wait()
        return False

    def check_channel_subsystem_request(self, channel: paramiko.Channel, name: str) -> bool:
        self._end.wait()
        return False


@contextlib.contextmanager
def deaf_server(host_key: Path) -> Iterator[int]:
    """The port that it listens on, on loopback, with that private key."""
    end, key = threading.Event(), paramiko.PKey.from_path(host_key)
    taken: list[paramiko.Transport] = []

    def take() -> None:
        with contextlib.suppress(OSError):
            while True:
                transport = paramiko.Transport(listener.accept()[0])
                transport.daemon = True
                transport.add_server_key(key)
                taken.append(transport)
                with contextlib.suppress(paramiko.SSHException, EOFError):
                    transport.start_server(server=_Deaf(end))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=take, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    end.set()
    for transport in taken:
        transport.close()
