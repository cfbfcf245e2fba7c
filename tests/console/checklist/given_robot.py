"""A robot in memory for probes: snapshots, replies and commands as a test gives them, with a clock that only waiting moves."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import msgspec

from console.link.session import Session
from console.link.snapshot import Link, LinkPhase, Seen, Snapshot
from console.link.transport import Ran
from console.looking import RobotSight
from remote.errors import Trouble
from remote.protocol import Command, Event, Facts, Host, Reply

S = 1_000_000_000
BUNDLE = "3f2a" * 16
Answer = Callable[[Command], Reply]


def link(phase: LinkPhase = "up", **other: Any) -> Link:
    return Link(phase=phase, since_ns=0, transport="local", **other)


def shot(*, hosts: tuple[Seen[Host], ...] = (), events: tuple[Seen[Event], ...] = (), **other: Any) -> Snapshot:
    made = Snapshot(robot="orin", taken_ns=0, link=link(), hosts=hosts, events=events)
    return msgspec.structs.replace(made, **other)


def host(at_ns: int | None, **parts: Any) -> Seen[Host]:
    return Seen(1, at_ns, 0, Host(**parts))


class GivenSession:
    """Answers requests by `answer` (a Trouble in it is the agent's refusal); shows the next snapshot after each pause."""

    def __init__(self, shots: tuple[Snapshot, ...], answer: Answer | None) -> None:
        self._shots, self._answer = list(shots), answer
        self.asked: list[tuple[Command, float]] = []

    @property
    def snapshot(self) -> Snapshot:
        return self._shots[0]

    def turn(self) -> None:
        if len(self._shots) > 1:
            self._shots.pop(0)

    def show(self, snapshot: Snapshot) -> None:
        self._shots = [snapshot]

    def request(self, command: Command, *, timeout_s: float = 5.0, **_: object) -> Future[Reply]:
        self.asked.append((command, timeout_s))
        future: Future[Reply] = Future()
        try:
            assert self._answer is not None, f"nothing was to be asked: {command}"
            future.set_result(self._answer(command))
        except Trouble as trouble:
            future.set_exception(trouble)
        return future


class GivenTransport:
    """Gives each command the same end."""

    def __init__(self, end: Ran | Trouble) -> None:
        self.end, self.commands = end, list[str]()

    def run(self, command: str, *, timeout_s: float = 60.0, **_: object) -> Ran:
        self.commands.append(command)
        if isinstance(self.end, Trouble):
            raise self.end
        return self.end


class GivenSight(RobotSight):
    """The real sight over a given session; `stored` is what the laptop's store holds."""

    stored = 0

    def stored_seq(self) -> int:
        return self.stored


class GivenRobot:
    """Its parts and the sight through them. Time begins at `now_ns` and only waiting moves it."""

    def __init__(
        self,
        *shots: Snapshot,
        answer: Answer | None = None,
        ran: Ran | Trouble | None = None,
        bundle: str = BUNDLE,
        now_ns: int = 100 * S,
        files: Path = Path(),
    ) -> None:
        self.session = GivenSession(shots or (shot(),), answer)
        self.transport = GivenTransport(ran or Ran(0, b"", b""))
        self.now_ns = now_ns
        session: Any = self.session
        transport: Any = self.transport
        store: Any = None
        self._typed: Session = session
        self.sight = GivenSight(
            self._typed,
            transport,
            store,
            robot="orin",
            files=files,
            bundle=bundle,
            mono_ns=lambda: self.now_ns,
            wall_ns=lambda: self.now_ns,
            pause=self._pause,
        )

    def _pause(self, seconds: float) -> None:
        self.now_ns += round(seconds * S)
        self.session.turn()


def refusing(code: str, what: str = "it went wrong", cure: str = "mend it") -> Answer:
    """An agent that refuses with this code."""

    def answer(command: Command) -> Reply:
        raise Trouble(what, cure=cure, code=code)

    return answer


FACTS = Facts(serial="1420000000000", serial_source="device-tree", bundle=BUNDLE, mono_ns=1, wall_ns=2)
