"""Commands on their way: which were sent, until when they count, and what became of them."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable
from concurrent.futures import Future

import msgspec

from remote.errors import Trouble
from remote.protocol import Command, ErrorInfo, Expected, Reply, Request

Settle = Callable[[], None]
"""Settles futures; to be called without holding a lock, as their callbacks run in it."""


class _Pending(msgspec.Struct):
    request: Request
    future: Future[Reply]
    deadline_ns: int
    timeout_s: float


class Requests:
    """The pending requests of one session. Not locked: its owner does that."""

    def __init__(self) -> None:
        # Unique among all consoles and starts, as the agent remembers ids.
        self._prefix = uuid.uuid4().hex[:12]
        self._count = itertools.count(1)
        self._pending: dict[str, _Pending] = {}

    def new(
        self,
        command: Command,
        *,
        now_ns: int,
        timeout_s: float,
        boot_id: str,
        offset_ns: int,
        epoch: int | None,
        expected: Expected | None,
    ) -> tuple[Request, Future[Reply]]:
        """Make a request that may begin until `now_ns + timeout_s`, in the robot's own time by `offset_ns`."""
        deadline_ns = now_ns + int(timeout_s * 1e9)
        request = Request(
            id=f"{self._prefix}-{next(self._count)}",
            command=command,
            epoch=epoch,
            boot_id=boot_id,
            deadline_mono_ns=deadline_ns + offset_ns,
            expected=expected,
        )
        future: Future[Reply] = Future()
        self._pending[request.id] = _Pending(request, future, deadline_ns, timeout_s)
        return request, future

    def answered(self, reply: Reply) -> Settle:
        """The reply to one of them; one to an unknown or expired id changes nothing."""
        pending = self._pending.pop(reply.id, None)
        if pending is None:
            return _nothing
        if reply.error is None:
            return lambda: _settle(pending.future, reply)
        trouble = reply.error.trouble()
        return lambda: _settle(pending.future, trouble)

    def refused(self, error: ErrorInfo, robot: str) -> Settle | None:
        """The agent could not read a line of ours. Where it quotes one of these, it is too old to know it; else None."""
        quoted = [p for p in self._pending.values() if f'"id":"{p.request.id}"' in error.what]
        if error.code != "bad_message" or not quoted:
            return None
        for pending in quoted:
            del self._pending[pending.request.id]

        def settle() -> None:
            for pending in quoted:
                word = type(pending.request.command).__name__
                what = f"the agent on '{robot}' is too old: it does not know {word}"
                _settle(pending.future, Trouble(what, cure=f"run `fieldgate deploy {robot}`", code="too_old"))

        return settle

    def expired(self, now_ns: int) -> Settle:
        """Give up those whose time is over: `unconfirmed`."""
        return self._give_up([p for p in self._pending.values() if p.deadline_ns <= now_ns], None)

    def after_reconnect(self, boot_id: str) -> tuple[list[Request], Settle]:
        """Which to ask again by the same id (the agent answers a known id with its first answer).

        Those for an earlier boot are given up: that robot has forgotten them.
        """
        gone = [p for p in self._pending.values() if p.request.boot_id != boot_id]
        settle = self._give_up(gone, "the robot was started anew")
        return [pending.request for pending in self._pending.values()], settle

    def give_up_all(self, why: str) -> Settle:
        """The session ends."""
        return self._give_up(list(self._pending.values()), why)

    def next_deadline_ns(self) -> int | None:
        """When `expired` has something to do next."""
        return min((pending.deadline_ns for pending in self._pending.values()), default=None)

    def _give_up(self, those: list[_Pending], why: str | None) -> Settle:
        for pending in those:
            del self._pending[pending.request.id]

        def settle() -> None:
            for pending in those:
                _settle(pending.future, _unconfirmed(pending, why))

        return settle


def _unconfirmed(pending: _Pending, why: str | None) -> Trouble:
    word = type(pending.request.command).__name__
    reason = why or f"no answer came within {pending.timeout_s:g} s"
    cure = "look at the robot's state before trying again: it may or may not have been done"
    return Trouble(f"{word} is not confirmed: {reason}", cure=cure, code="unconfirmed")


def _settle(future: Future[Reply], outcome: Reply | Trouble) -> None:
    if future.cancelled():
        return
    if isinstance(outcome, Trouble):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _nothing() -> None:
    """No future to settle."""
