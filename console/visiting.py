"""A session for a command that comes, does something and goes: opened, waited for, closed."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager

from console.link.session import Session
from console.link.snapshot import Snapshot
from remote.errors import Trouble
from remote.protocol import Reply

PATIENCE_S = 20.0
"""How long a command waits for a robot before it gives up."""
SILENT_S = 4.0
"""After so long without an answer a person is told what is waited for."""
COMMAND_S = 60.0
"""How long starting may take: an engine may have to be built or warmed up."""

LASTING = ("no_agent", "too_long", "bad_message")
"""Codes of a link that trying again does not mend: a command says so at once, a screen goes on trying."""


class Visit:
    """An open session and the queue of its snapshots, newest last."""

    def __init__(self, session: Session, clock: Callable[[], float] = time.monotonic) -> None:
        self.session = session
        self._clock = clock
        self._came: queue.SimpleQueue[Snapshot] = queue.SimpleQueue()
        session.start(self._came.put)

    def next(self, timeout_s: float) -> Snapshot:
        """The newest snapshot after waiting for one at most `timeout_s`; the last known one where none came."""
        try:
            newest = self._came.get(timeout=max(0.0, timeout_s))
            while not self._came.empty():
                newest = self._came.get_nowait()
            return newest
        except queue.Empty:
            return self.session.snapshot

    def wait(self, wanted: Callable[[Snapshot], bool], timeout_s: float) -> Snapshot | None:
        """The first snapshot that is wanted, or None after `timeout_s`. A link that needs a person raises Trouble."""
        end = self._clock() + timeout_s
        shot = self.session.snapshot
        while not wanted(shot):
            if shot.link.phase == "refused":
                raise Trouble(shot.link.reason, cure=shot.link.cure, code=shot.link.code or "refused")
            left = end - self._clock()
            if left <= 0:
                return None
            shot = self.next(left)
        return shot

    def arrive(self, timeout_s: float = PATIENCE_S, silent: Callable[[str], None] | None = None) -> Snapshot:
        """The first snapshot with the link up and the state known; raises Trouble where the robot can't be reached.

        `silent` gets a sentence where the robot is waited for on: at once where the first try failed, with the reason, else
        after some seconds without an answer.
        """
        begun_s = self._clock()
        shot = self.wait(_has_answered, min(SILENT_S, timeout_s)) if silent is not None else None
        if silent is not None and (shot is None or not _has_arrived(shot)) and self._clock() - begun_s < timeout_s:
            shot = None
            silent(self._waiting_words(self._clock() - begun_s, timeout_s))
        shot = shot or self.wait(_has_arrived, timeout_s - (self._clock() - begun_s))
        if shot is None or not _is_up(shot):
            link = self.session.snapshot.link
            what = link.reason or f"'{self.session.snapshot.robot}' did not answer within {timeout_s:.0f} s"
            raise Trouble(what, cure=link.cure, code=link.code or "unreachable")
        return shot

    def _waiting_words(self, gone_s: float, timeout_s: float) -> str:
        name, link = self.session.snapshot.robot, self.session.snapshot.link
        more = f"{timeout_s - gone_s:.0f} s more it is waited for"
        if link.phase == "down" and link.reason:
            return f"'{name}' can't be reached: {link.reason}; {more}"
        return f"'{name}' is silent for {gone_s:.0f} s; {more}"


def _has_answered(shot: Snapshot) -> bool:
    """Whether it is known how the first try went."""
    return _has_arrived(shot) or (shot.link.phase == "down" and bool(shot.link.reason))


def _has_arrived(shot: Snapshot) -> bool:
    return _is_up(shot) or shot.link.code in LASTING


def _is_up(shot: Snapshot) -> bool:
    return shot.link.phase == "up" and shot.state is not None


@contextmanager
def visiting(session: Session) -> Iterator[Visit]:
    """Open, and close whatever happens."""
    visit = Visit(session)
    try:
        yield visit
    finally:
        session.close()


def confirmed(answer: Future[Reply], timeout_s: float = COMMAND_S) -> Reply:
    """The agent's confirmation; raises its refusal, or `unconfirmed` when none came."""
    try:
        return answer.result(timeout=timeout_s)
    except FutureTimeout as error:
        what = f"the agent has not confirmed within {timeout_s:.0f} s; it may or may not have been done"
        raise Trouble(what, cure="look with `fieldgate watch`", code="unconfirmed") from error
