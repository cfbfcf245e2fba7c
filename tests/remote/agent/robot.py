"""A real agent in a process of its own, and a console of a few lines that talks to it over the real socket."""

from __future__ import annotations

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from remote.agent.lines import LineSplitter
from remote.agent.places import places_for
from remote.protocol import (
    LINE_LIMIT_BYTES,
    AgentHello,
    AgentState,
    Body,
    Command,
    ConsoleHello,
    Entries,
    Entry,
    Event,
    Failure,
    Lost,
    Reply,
    Request,
    Subscribe,
    TakeLease,
    body_of,
    from_agent,
    line,
)
from tests.waiting import LEAST_S, wait_until

ROOT = Path(__file__).resolve().parents[3]
T = TypeVar("T")


class Robot:
    """A home folder and the agent that runs there."""

    def __init__(self, home: Path, behaviour: str = "normal", lease_s: float = 10.0) -> None:
        self.home, self.behaviour, self.lease_s = home, behaviour, lease_s
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> Robot:
        script = Path(__file__).with_name("run_agent.py")
        command = [sys.executable, str(script), str(self.home), self.behaviour, str(self.lease_s)]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment(), stderr=subprocess.PIPE)
        wait_until(self._answers, what="the agent's socket")
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the agent ended: {self.process.communicate()[1].decode()}")
        with socket.socket(socket.AF_UNIX) as door:
            return door.connect_ex(str(places_for(self.home).socket)) == 0

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal the agent and wait for its end; its return code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.communicate(timeout=60)
        code, self.process = self.process.returncode, None
        return code

    def console(self, name: str = "anna@laptop", client_id: str | None = None, hello: bool = True) -> Console:
        return Console(self.home, name, client_id or name, hello=hello)


class Console:
    """Speaks the protocol; keeps every message that it got."""

    _ids = itertools.count()

    def __init__(self, home: Path, name: str, client_id: str, *, hello: bool = True) -> None:
        self.door = socket.socket(socket.AF_UNIX)
        self.door.connect(str(places_for(home).socket))
        self.door.settimeout(0.05)
        self.messages: list[Any] = []
        self.closed = False
        self._lines = LineSplitter(LINE_LIMIT_BYTES)
        if hello:
            self.send(hello_of(name, client_id))
            self.first(AgentState)

    def send(self, message: object) -> None:
        self.door.sendall(message if isinstance(message, bytes) else line(message))

    def read(self) -> None:
        """Take what is there now."""
        try:
            chunk = self.door.recv(1 << 20)
        except TimeoutError:
            return
        except ConnectionResetError:
            chunk = b""
        self.closed = self.closed or not chunk
        self.messages += [from_agent(one) for one in self._lines.feed(chunk)] if chunk else []

    def until(self, find: Callable[[], T], what: str, timeout_s: float = LEAST_S) -> T:
        """Read until `find` gives something true, LEAST_S at least."""
        end = time.monotonic() + max(timeout_s, LEAST_S)
        while not (found := find()):
            if self.closed or time.monotonic() > end:
                raise AssertionError(f"no {what}; last: {self.messages[-3:]}")
            self.read()
        return found

    def all(self, kind: type[T]) -> list[T]:
        return [message for message in self.messages if isinstance(message, kind)]

    def first(self, kind: type[T]) -> T:
        return self.until(lambda: self.all(kind), kind.__name__)[0]

    def next(self, kind: type[T]) -> T:
        """The next message of this kind after now."""
        before = len(self.all(kind))
        return self.until(lambda: self.all(kind)[before:], kind.__name__)[0]

    def gone(self) -> bool:
        """Whether the agent has closed; waits for it."""
        end = time.monotonic() + LEAST_S
        while not self.closed and time.monotonic() < end:
            self.read()
        return self.closed

    @property
    def hello(self) -> AgentHello:
        return self.first(AgentHello)

    @property
    def state(self) -> AgentState:
        return self.all(AgentState)[-1]

    @property
    def entries(self) -> list[Entry]:
        return [entry for batch in self.all(Entries) for entry in batch.entries]

    @property
    def lost(self) -> list[Lost]:
        return self.all(Lost)

    def bodies(self) -> list[Body]:
        return [body_of(entry) for entry in self.entries]

    def named(self, name: str) -> list[Event | Failure]:
        """Events and failures of this name so far."""
        return [body for body in self.bodies() if isinstance(body, (Event, Failure)) and body.name == name]

    def await_named(self, name: str, timeout_s: float = LEAST_S) -> Event | Failure:
        return self.until(lambda: self.named(name), f"entry {name}", timeout_s)[0]

    def subscribe(self, after_seq: int = 0, samples_per_s: float = 0.0) -> Console:
        self.send(Subscribe(after_seq, samples_per_s))
        return self

    def ask(self, command: Command, **conditions: Any) -> Reply:
        """Send a request and wait for its reply."""
        number = conditions.pop("id", f"r{next(self._ids)}")
        before = len(self.all(Reply))
        self.send(Request(id=number, command=command, **conditions))
        replies = self.until(
            lambda: [one for one in self.all(Reply)[before:] if one.id == number], f"reply to {command}"
        )
        return replies[0]

    def take_lease(self, over: int | None = None) -> int:
        reply = self.ask(TakeLease(over))
        assert reply.error is None, reply.error
        assert reply.state is not None
        return reply.state.epoch

    def close(self) -> None:
        self.door.close()


def hello_of(name: str, client_id: str, protocol: int = 1, oldest: int = 1) -> ConsoleHello:
    return ConsoleHello(protocol=protocol, oldest_protocol=oldest, software="test", client_id=client_id, name=name)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}
