"""The publisher's thread: does what is due, notices that the laptop slept, and hands out snapshots."""

from __future__ import annotations

from collections.abc import Callable

from console.link.clock import Clock
from console.link.duties import Duties
from console.link.link_state import LinkState
from console.link.pulse import PING_NS
from console.link.snapshot import Snapshot

_REST_AFTER_PUBLISHING = 5
_SLEPT_NS = 1_500_000_000


class Publisher:
    """Gives `on_snapshot` (set before `run`) the newest snapshot after each change and at least once a second.

    `woke` is called after a sleep of the laptop, when the connection has been ended for that.
    """

    def __init__(self, state: LinkState, duties: Duties, clock: Clock, woke: Callable[[], None]) -> None:
        self._state, self._duties, self._clock, self._woke = state, duties, clock, woke
        self.on_snapshot: Callable[[Snapshot], None] = _ignore

    def run(self) -> None:
        """Publish until the session is closed."""
        with self._state.reporting():
            self._publish_until_closed()

    def publish(self) -> None:
        """Make a snapshot and hand it out."""
        with self._state.changed:
            self._state.dirty = False
            snapshot = self._state.take_snapshot()
        self.on_snapshot(snapshot)

    def _publish_until_closed(self) -> None:
        published_ns = not_before_ns = 0
        apart_ns = self._apart_ns()
        while not self._state.closed:
            self._wait_until_due(published_ns, not_before_ns)
            apart_ns = self._notice_sleep(apart_ns)
            now_ns = self._clock.mono_ns()
            if (self._state.dirty and now_ns >= not_before_ns) or now_ns - published_ns >= PING_NS:
                self.publish()
                published_ns = now_ns
                # A snapshot of many new entries takes a while to make: while they pour in, a fifth of the time is enough.
                not_before_ns = now_ns + _REST_AFTER_PUBLISHING * (self._clock.mono_ns() - now_ns)

    def _wait_until_due(self, published_ns: int, not_before_ns: int) -> None:
        with self._state.changed:
            now_ns = self._clock.mono_ns()
            settle = self._duties.do(now_ns)
            due_ns = min(published_ns + PING_NS, self._duties.next_due_ns(now_ns))
            if self._state.dirty:
                due_ns = min(due_ns, not_before_ns)
            if due_ns > now_ns:
                self._state.changed.wait((due_ns - now_ns) / 1e9)
        settle()

    def _notice_sleep(self, apart_ns: int) -> int:
        """After a sleep the robot's clock went on and ours did not: the offset is void and the link most likely dead."""
        now_apart_ns = self._apart_ns()
        if now_apart_ns - apart_ns > _SLEPT_NS:
            self._state.hang_up(f"this laptop slept for {(now_apart_ns - apart_ns) / 1e9:.0f} s")
            self._woke()
        return now_apart_ns

    def _apart_ns(self) -> int:
        return self._clock.awake_ns() - self._clock.mono_ns()


def _ignore(_: Snapshot) -> None:
    """Nobody listens yet."""
