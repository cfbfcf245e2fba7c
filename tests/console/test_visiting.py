"""How a command waits for a robot: what is known already of why it does not answer is said at once, and not after the wait."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any

import pytest

from console.link.snapshot import Link, LinkPhase, Snapshot
from console.visiting import Visit
from remote.errors import Trouble

REFUSED = "127.0.0.1 port 1 refuses connections"


def shot(phase: LinkPhase, reason: str = "") -> Snapshot:
    link = Link(phase=phase, since_ns=0, transport="paramiko", reason=reason, code="unreachable" if reason else "")
    return Snapshot(robot="ghost", taken_ns=0, link=link)


class Tries:
    """A session whose tries end as given, one snapshot after the other; then nothing comes any more."""

    def __init__(self, *shots: Snapshot) -> None:
        self._shots, self.snapshot = queue.SimpleQueue[Snapshot](), shot("connecting")
        for one in shots:
            self._shots.put(one)

    def start(self, put: Callable[[Snapshot], None]) -> None:
        while not self._shots.empty():
            self.snapshot = self._shots.get()
            put(self.snapshot)


def arrived(*shots: Snapshot, timeout_s: float = 0.3) -> tuple[list[str], Trouble]:
    said: list[str] = []
    session: Any = Tries(*shots)
    with pytest.raises(Trouble) as gone:
        Visit(session).arrive(timeout_s, silent=said.append)
    return said, gone.value


def test_a_port_that_refuses_is_said_at_once_and_not_called_silent() -> None:
    """Somebody who mistyped the port waited 20 s to be told what was known from the first moment on."""
    said, trouble = arrived(shot("down", REFUSED), timeout_s=0.6)
    assert said == [f"'ghost' can't be reached: {REFUSED}; 1 s more it is waited for"]
    assert trouble.what == REFUSED


def test_a_robot_that_needs_a_person_is_not_waited_for() -> None:
    said, trouble = arrived(shot("refused", "its host key is unknown"))
    assert (said, trouble.what) == ([], "its host key is unknown")


def test_a_robot_that_says_nothing_is_called_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.visiting.SILENT_S", 0.05)
    said, _ = arrived()
    assert len(said) == 1
    assert said[0].startswith("'ghost' is silent for 0 s; ")
