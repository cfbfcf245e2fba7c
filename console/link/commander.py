"""Commands to the agent, their answers, and the lease that some of them need."""

from __future__ import annotations

from concurrent.futures import Future

from console.link.clock import Clock
from console.link.lease_keeper import LeaseKeeper
from console.link.link_state import LinkState
from console.link.pulse import Pulse
from console.link.requests import Requests, Settle
from remote.errors import Trouble
from remote.protocol import (
    NEEDS_LEASE,
    Command,
    ErrorInfo,
    Expected,
    ReleaseLease,
    RenewLease,
    Reply,
    TakeLease,
)

_LEASE_TIMEOUT_S = 5.0
_GOODBYE_TIMEOUT_S = 1.0


class Commander:
    """What a person asks of the robot, and what the session asks for itself.

    The first group of methods takes the state's lock itself; the second is called with it held, and gives back what
    settles futures, to be called without it.
    """

    def __init__(self, state: LinkState, pulse: Pulse, client_id: str, clock: Clock) -> None:
        self._state, self._pulse, self._clock = state, pulse, clock
        self._requests = Requests()
        self._keeper = LeaseKeeper(client_id)

    # ------------------------------------------------------------ for the faces

    def request(self, command: Command, expected: Expected | None, timeout_s: float) -> Future[Reply]:
        """See Session."""
        with self._state.changed:
            refusal = self._why_not(command)
            if refusal is None:
                return self.send(command, expected, timeout_s)
        future: Future[Reply] = Future()
        future.set_exception(refusal)
        return future

    def take_lease(self, over: int | None) -> Future[Reply]:
        """See Session."""
        future = self.request(TakeLease(over), None, _LEASE_TIMEOUT_S)
        future.add_done_callback(self._lease_taken)
        return future

    def release_lease(self) -> Future[Reply]:
        """See Session."""
        future = self.request(ReleaseLease(), None, _LEASE_TIMEOUT_S)
        with self._state.changed:
            self._keeper.dropped()
        return future

    @property
    def holds_lease(self) -> bool:
        """See Session."""
        with self._state.changed:
            return self._keeper.own(self._state.builder.state) is not None

    def _lease_taken(self, future: Future[Reply]) -> None:
        if future.exception() is None:
            with self._state.changed:
                self._keeper.taken(future.result().state or self._state.builder.state, self._clock.mono_ns())

    def _why_not(self, command: Command) -> Trouble | None:
        trouble = self._state.why_not()
        if trouble is None and isinstance(command, NEEDS_LEASE) and self._keeper.own(self._state.builder.state) is None:
            return Trouble("this console does not command the robot", cure="take the lease first", code="no_lease")
        return trouble

    # ------------------------------------------------------------ with the lock held

    def send(self, command: Command, expected: Expected | None, timeout_s: float) -> Future[Reply]:
        """Send a command over the present connection, which there must be."""
        hello, wire = self._state.builder.hello, self._state.wire
        assert hello is not None
        assert wire is not None
        lease = self._keeper.own(self._state.builder.state)
        request, future = self._requests.new(
            command,
            now_ns=self._clock.mono_ns(),
            timeout_s=timeout_s,
            boot_id=hello.boot_id,
            offset_ns=self._pulse.offset.mono_offset_ns or 0,
            epoch=lease.epoch if lease is not None else None,
            expected=expected,
        )
        wire.send(request)
        self._state.changed.notify_all()
        return future

    def answered(self, reply: Reply) -> Settle:
        """An answer came."""
        return self._requests.answered(reply)

    def refused(self, error: ErrorInfo) -> Settle | None:
        """A line that we sent was no message to the agent; None where it was no command."""
        return self._requests.refused(error, self._state.builder.robot)

    def resume(self, boot_id: str) -> Settle:
        """A connection has begun: ask again what was not answered over the one before."""
        again, settle = self._requests.after_reconnect(boot_id)
        if self._state.wire is not None:
            for request in again:
                self._state.wire.send(request)
        return settle

    def keep_lease(self, now_ns: int) -> None:
        """Renew the lease where it is time."""
        due_ns = self._keeper.due_ns(self._state.builder.state)
        if due_ns is not None and now_ns >= due_ns:
            self._keeper.renewed(now_ns)
            self.send(RenewLease(), None, _LEASE_TIMEOUT_S).add_done_callback(self._lease_renewed)

    def expired(self, now_ns: int) -> Settle:
        """Give up what was not answered in time."""
        return self._requests.expired(now_ns)

    def next_due_ns(self) -> int | None:
        """When `expired` or `keep_lease` has something to do next; None: never, as it stands."""
        renewal_ns = self._keeper.due_ns(self._state.builder.state) if self._state.wire is not None else None
        dues = (self._requests.next_deadline_ns(), renewal_ns)
        return min((due for due in dues if due is not None), default=None)

    def say_goodbye(self) -> None:
        """Give the lease back where it is ours, without waiting for the answer."""
        if self._state.wire is not None and self._keeper.own(self._state.builder.state) is not None:
            self.send(ReleaseLease(), None, _GOODBYE_TIMEOUT_S)

    def give_up_all(self, why: str) -> Settle:
        """The session ends."""
        return self._requests.give_up_all(why)

    def _lease_renewed(self, future: Future[Reply]) -> None:
        error = future.exception()
        if isinstance(error, Trouble) and error.code not in ("unconfirmed", "unreachable"):
            with self._state.changed:
                self._keeper.dropped()
