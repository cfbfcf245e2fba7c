"""Joins stdin and stdout to the agent's socket: what an SSH session runs. Imports little, so that it starts fast."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Sequence

from remote.agent.places import Places
from remote.errors import Trouble

CHUNK_BYTES = 256 * 1024
NO_AGENT_EXIT = 4
CONNECT_S = 3.0
POLL_S = 0.02
AGENT_ENDED = "the agent on the robot ended or was killed"


def attach(places: Places, start: Sequence[str] | None = None) -> int:
    """Carry bytes both ways until either side ends; the exit code.

    Args:
        start: the options with which an agent is started where none answers; None: none is started, one `error` line with
            code `no_agent` is written to stdout and NO_AGENT_EXIT returned.
    """
    try:
        door = connect(places) or _started(places, start)
    except Trouble as trouble:
        return _refuse(trouble)
    if join(door, 0, 1):
        sys.stderr.write(AGENT_ENDED + "\n")
    return 0


def connect(places: Places) -> socket.socket | None:
    """A connection to the agent; None where no agent listens. Raises Trouble where the place is not safe or reachable."""
    places.check_socket_path()
    door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        _connect(door, str(places.socket))
    except (FileNotFoundError, ConnectionRefusedError):
        door.close()
        return None
    except OSError as error:
        door.close()
        hangs = isinstance(error, TimeoutError)
        cure = "end it: `fieldgate-agent stop`" if hangs else "look who owns it; the agent must run as this user"
        raise Trouble(f"{places.socket} can't be opened: {error.strerror}", cure=cure, code="no_agent") from error
    return door


def _connect(door: socket.socket, path: str) -> None:
    """A blocking connect would wait for ever for an agent that hangs, once its queue is full. Raises OSError."""
    door.setblocking(False)
    end = time.monotonic() + CONNECT_S
    while True:
        try:
            door.connect(path)
            break
        except BlockingIOError as error:
            if time.monotonic() > end:
                raise TimeoutError(error.errno, "the agent hangs, it takes no more connections") from error
            time.sleep(POLL_S)
    door.setblocking(True)


def join(door: socket.socket, source: int, sink: int) -> bool:
    """Copy `source` to the socket and the socket to `sink` (file descriptors); True when the agent's side ended first.

    Two threads with blocking calls: a side that does not take its bytes holds back the other end, nothing piles up here.
    """
    console_left = threading.Event()
    threading.Thread(target=_to_agent, args=(door, source, console_left), name="to agent", daemon=True).start()
    buffer = memoryview(bytearray(CHUNK_BYTES))
    while size := _received(door, buffer):
        try:
            _write_all(sink, buffer[:size])
        except OSError:
            return False
    return not console_left.is_set()


def _received(door: socket.socket, buffer: memoryview) -> int:
    try:
        return door.recv_into(buffer)
    except OSError:  # the agent was killed with words of ours unread
        return 0


def _to_agent(door: socket.socket, source: int, console_left: threading.Event) -> None:
    try:
        while chunk := os.read(source, CHUNK_BYTES):
            door.sendall(chunk)
        console_left.set()
        door.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the agent closed: what it said last is still being carried by the other thread


def _write_all(sink: int, data: memoryview) -> None:
    while data:
        data = data[os.write(sink, data) :]


def _started(places: Places, start: Sequence[str] | None) -> socket.socket:
    if start is None:
        raise Trouble(
            f"no agent answers at {places.socket}",
            cure="start it: `fieldgate-agent serve`, or `systemctl --user start fieldgate-agent`",
            code="no_agent",
        )
    from remote.agent.detach import start_agent

    return start_agent(places, start)


def _refuse(trouble: Trouble) -> int:
    from remote.protocol import ErrorInfo, Refusal, line

    _write_all(1, memoryview(line(Refusal(ErrorInfo("no_agent", trouble.what, trouble.cure)))))
    return NO_AGENT_EXIT
