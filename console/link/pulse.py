"""The pings of a connection, and what their answers say of round trip and clocks."""

from __future__ import annotations

from console.link.clock import Clock
from console.link.offset import ClockOffset
from remote.protocol import AgentHello, Ping, Pong

PING_NS = 1_000_000_000
_AWAITED = 20


class Pulse:
    """When to ping and what came back. Not locked: its owner does that.

    `offset` is the estimate; `due_ns` is when the next ping goes out, in the laptop's monotonic time.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._count = 0
        self._sent_ns: dict[int, int] = {}
        self.offset = ClockOffset()
        self.due_ns = 0

    def begin(self, hello: AgentHello, now_ns: int) -> None:
        """A connection has begun: ping at once; until the answer the hello's own stamps must do."""
        self.offset.rough(hello.mono_ns - now_ns, hello.wall_ns - self._clock.wall_ns())
        self._sent_ns.clear()
        self.due_ns = now_ns

    def ping(self, now_ns: int) -> Ping:
        """The next ping, to be sent at once."""
        self.due_ns = now_ns + PING_NS
        self._count += 1
        self._sent_ns[self._count] = self._clock.mono_ns()
        self._sent_ns.pop(self._count - _AWAITED, None)
        return Ping(self._count)

    def answered(self, pong: Pong, now_ns: int) -> bool:
        """Take an answer; False where nothing is known of its ping (it is of an earlier connection)."""
        sent_ns = self._sent_ns.pop(pong.id, None)
        if sent_ns is None:
            return False
        self.offset.add(
            sent_ns=sent_ns,
            got_ns=now_ns,
            got_wall_ns=self._clock.wall_ns(),
            robot_mono_ns=pong.mono_ns,
            robot_wall_ns=pong.wall_ns,
        )
        return True
