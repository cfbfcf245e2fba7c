"""Asking an agent on this machine what it does."""

from __future__ import annotations

import fcntl
import os
import socket
from typing import NamedTuple

import msgspec

from remote import __version__
from remote.agent.attach import connect
from remote.agent.lines import LineSplitter
from remote.agent.places import Places
from remote.agent.watch_file import in_words
from remote.errors import Trouble
from remote.protocol import (
    LINE_LIMIT_BYTES,
    OLDEST_PROTOCOL,
    PROTOCOL,
    AgentHello,
    AgentState,
    ConsoleHello,
    Refusal,
    from_agent,
    handshake_trouble,
    line,
)

TIMEOUT_S = 5.0


class Answer(NamedTuple):
    """What an agent said of itself."""

    hello: AgentHello
    state: AgentState


def ask(places: Places) -> Answer | None:
    """Hello and state of the agent here; None where none listens. Raises Trouble where it does not answer properly."""
    door = connect(places)
    if door is None:
        return None
    with door:
        door.settimeout(TIMEOUT_S)
        try:
            return _ask(door)
        except (OSError, StopIteration) as error:
            what = f"the agent at {places.socket} does not answer: {error}"
            raise Trouble(
                what, cure="look into agent.log; end it with `fieldgate-agent stop`", code="no_answer"
            ) from error


def _ask(door: socket.socket) -> Answer:
    name = f"{os.environ.get('USER', 'somebody')} (status)"
    hello = ConsoleHello(
        protocol=PROTOCOL,
        oldest_protocol=OLDEST_PROTOCOL,
        software=f"fieldgate-agent {__version__}",
        client_id=f"status-{os.getpid()}",
        name=name,
    )
    door.sendall(line(hello))
    theirs: AgentHello | None = None
    lines = LineSplitter(LINE_LIMIT_BYTES)
    while chunk := door.recv(65536):
        for one in lines.feed(chunk):
            message = from_agent(one)
            if isinstance(message, Refusal):
                raise message.error.trouble()
            if isinstance(message, AgentHello):
                theirs = message
                if trouble := handshake_trouble(message):
                    raise trouble
            if isinstance(message, AgentState) and theirs:
                return Answer(theirs, message)
    raise ConnectionError("it closed the connection")


def json_text(answer: Answer) -> str:
    """The answer as one JSON object with the keys `hello` and `state`."""
    return msgspec.json.encode({"hello": answer.hello, "state": answer.state}).decode()


def readable(answer: Answer) -> str:
    """The answer as a few lines for a person."""
    hello, state = answer
    worker = state.worker
    bundle = f"{state.bundle.name} ({state.bundle.digest[:12]})" if state.bundle else "none"
    lease = f"{state.lease.holder} (epoch {state.lease.epoch})" if state.lease else "nobody"
    rows = (
        ("agent", f"{hello.software} on {hello.robot}"),
        ("worker", f"{worker.phase}, run {worker.run}, {worker.restarts} restarts"),
        ("source", state.source or "none"),
        ("bundle", bundle),
        ("change", _change(state)),
        ("watch", in_words(state.watch)),
        ("lease", lease),
        ("consoles", ", ".join(name for name in state.consoles if "(status)" not in name) or "none"),
        ("journal", f"entries {state.journal.first_seq} to {state.journal.last_seq}, {state.journal.bytes} bytes"),
    )
    trouble = [f"trouble   {state.journal.trouble}"] if state.journal.trouble else []
    return "\n".join([f"{name:<9} {text}" for name, text in rows] + trouble)


def _change(state: AgentState) -> str:
    """The step that a change of models is in and what holds it; `none` where nothing changes."""
    models = state.models
    if models is None or models.step == "idle" or models.candidate is None:
        return "none"
    waits = f", waits: {models.waits_for}" if models.waits_for else ""
    return f"{models.candidate.name} ({models.candidate.digest[:12]}), {models.step.replace('_', ' ')}{waits}"


def running_pid(places: Places) -> int | None:
    """The process that holds this home's lock; None where none does."""
    try:
        with places.lock.open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return int(file.read(20).strip() or 0) or None
    except (FileNotFoundError, ValueError):
        return None
    return None
