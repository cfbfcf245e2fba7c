"""Starting an agent that outlives this process and its terminal."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Sequence

from remote.agent.attach import connect
from remote.agent.places import Places
from remote.errors import Trouble

WAIT_S = 9.0  # less than a console waits for the hello, which is told the reason then
POLL_S = 0.02
WORDS_BYTES = 16_384
_TOLD = "fieldgate-agent: "


def start_agent(places: Places, options: Sequence[str]) -> socket.socket:
    """Start `serve OPTIONS` detached and return a connection to it.

    Raises Trouble (code `no_agent`) with the agent's last words where none answers within WAIT_S. Where another process
    starts one at the same moment, theirs is used.
    """
    places.prepare()
    words = os.memfd_create("agent.start")  # not a file: a full disk is one of the reasons that it must be able to tell
    try:
        _spawn_detached([sys.executable, "-m", "remote", "serve", *options], words)
        return _awaited(places, words)
    finally:
        os.close(words)


def _awaited(places: Places, words: int) -> socket.socket:
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        door = connect(places)
        if door:
            return door
        if _failed(words):
            break
        time.sleep(POLL_S)
    what, cure = _why(_text(words)) or (f"it did not answer within {WAIT_S:g} s", "")
    raise Trouble(f"the agent could not be started: {what}", cure=cure or f"look into {places.log}", code="no_agent")


def _why(said: str) -> tuple[str, str] | None:
    """(what, cure) of the two lines in which a Trouble is told; None where nothing was said."""
    lines = said.strip().splitlines()
    if not lines:
        return None
    if not lines[0].startswith(_TOLD):
        return lines[-1], ""
    cure = lines[1].strip() if len(lines) > 1 else ""
    return lines[0].removeprefix(_TOLD), cure.removeprefix("-> ")


def _failed(words: int) -> bool:
    """Whether the agent has said why it ends. `already runs` is no failure: the other one is about to listen."""
    said = _text(words)
    return said.endswith("\n") and "already runs" not in said and _TOLD in said


def _text(words: int) -> str:
    return os.pread(words, WORDS_BYTES, 0).decode("utf-8", "replace")


def _spawn_detached(command: Sequence[str], words: int) -> None:
    """Run `command` as a grandchild in a session of its own; what it writes goes to the descriptor `words`."""
    from remote.agent.child_process import child_environment

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
        os.dup2(nothing, 0)
        os.dup2(words, 1)
        os.dup2(words, 2)
        os.closerange(3, 256)
        os.execve(command[0], list(command), environment)
    finally:
        os._exit(127)
