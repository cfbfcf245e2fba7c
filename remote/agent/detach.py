"""Starting an agent that outlives this process and its terminal."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from remote.agent.attach import connect
from remote.agent.places import Places
from remote.errors import Trouble

WAIT_S = 15.0
POLL_S = 0.02


def start_agent(places: Places, options: Sequence[str]) -> socket.socket:
    """Start `serve OPTIONS` detached and return a connection to it.

    Raises Trouble (code `no_agent`) with the agent's last words where none answers within WAIT_S. Where another process
    starts one at the same moment, theirs is used.
    """
    places.prepare()
    words = places.state / "agent.start"
    _spawn_detached([sys.executable, "-m", "remote", "serve", *options], words)
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        door = connect(places)
        if door:
            return door
        if _failed(words):
            break
        time.sleep(POLL_S)
    why = "; ".join(_text(words).split("\n")[:2]) or f"it did not answer within {WAIT_S:g} s"
    raise Trouble(f"the agent could not be started: {why}", cure=f"look into {places.log}", code="no_agent")


def _failed(words: Path) -> bool:
    """Whether the agent has said why it ends. `already runs` is no failure: the other one is about to listen."""
    said = _text(words)
    return said.endswith("\n") and "already runs" not in said and "fieldgate-agent:" in said


def _text(words: Path) -> str:
    try:
        return words.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _spawn_detached(command: Sequence[str], words: Path) -> None:
    """Run `command` as a grandchild in a session of its own; what it writes goes to the file `words`."""
    from remote.agent.worker_process import child_environment

    environment = child_environment()
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    try:  # only plain system calls from here on
        os.setsid()
        if os.fork():
            os._exit(0)
        os.chdir("/")
        nothing = os.open(os.devnull, os.O_RDONLY)
        output = os.open(words, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.closerange(3, 256)
        os.execve(command[0], list(command), environment)
    finally:
        os._exit(127)
