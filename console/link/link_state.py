"""What a session's threads share: the phase, the connection, the newest snapshot, and the one lock for all of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import msgspec

from console.link.clock import Clock
from console.link.history import SnapshotBuilder
from console.link.snapshot import Link, LinkPhase, Snapshot
from console.link.wire import Wire
from console.robots import Robot
from remote.errors import Trouble

NEEDS_A_PERSON = ("auth_failed", "unknown_host_key", "changed_host_key", "too_old")
"""Codes of a Trouble that trying again does not mend."""


class LinkState:
    """The link as it stands.

    `changed` is the session's only lock (re-entrant) and the bell that wakes the publisher. Hold it for everything here
    but `snapshot`, `closed`, `hang_up` and `reporting`, and for the parts that say "Not locked" of themselves.

    `wire` is None while nothing is connected. `cut_reason`: this side hung up, and why. `refusal`: the agent's last word.
    `dirty`: something changed since the newest snapshot.
    """

    def __init__(self, robot: Robot, transport: str, clock: Clock) -> None:
        self._robot, self._clock = robot, clock
        self.changed = threading.Condition(threading.RLock())
        self.closed = False
        self.dirty = True
        self.wire: Wire | None = None
        self.cut_reason = ""
        self.refusal = ""
        link = Link(phase="connecting", since_ns=clock.mono_ns(), transport=transport)
        self.builder = SnapshotBuilder(robot.name, link)
        self.snapshot: Snapshot = self.builder.build(clock.mono_ns())

    @property
    def link(self) -> Link:
        """The link's part of the next snapshot."""
        return self.builder.link

    def touch(self) -> None:
        """Something changed: the publisher shall look."""
        self.dirty = True
        self.changed.notify_all()

    def take_snapshot(self) -> Snapshot:
        """Make the newest snapshot of what is known now."""
        self.snapshot = self.builder.build(self._clock.mono_ns())
        return self.snapshot

    # ------------------------------------------------------------ phases

    def connecting(self) -> None:
        """A person asked to try again what had been refused."""
        self._phase("connecting")

    def up(self, wire: Wire, note: str, now_ns: int) -> None:
        """A connection has begun; `note` is what a person should know although it is up."""
        again = self.link.phase == "down"
        self.wire = wire
        self.cut_reason = self.refusal = ""
        self._phase("up", note)
        self.note(heard_ns=now_ns, reconnects=self.link.reconnects + (1 if again else 0))

    def down(self, trouble: Trouble, retry_at_ns: int) -> None:
        """It broke or could not be made, and is tried again by itself."""
        self._phase("down", trouble.what, trouble.cure, trouble.code)
        self.note(retry_at_ns=retry_at_ns)

    def refused(self, trouble: Trouble) -> None:
        """A person must act."""
        self._phase("refused", trouble.what, trouble.cure, trouble.code)

    def ended(self, reason: str = "", cure: str = "") -> None:
        """This side hung up for good."""
        self._phase("closed", reason, cure)

    def note(self, **changes: object) -> None:
        """Change fields of the link and leave its phase."""
        self.builder.link = msgspec.structs.replace(self.builder.link, **changes)

    def _phase(self, phase: LinkPhase, reason: str = "", cure: str = "", code: str = "") -> None:
        since_ns = self.link.since_ns if self.link.phase == phase else self._clock.mono_ns()
        self.note(phase=phase, since_ns=since_ns, reason=reason, cure=cure, code=code, retry_at_ns=None)
        self.touch()

    # ------------------------------------------------------------ ends

    def why_not(self) -> Trouble | None:
        """Why nothing can be sent now; None when it can."""
        if self.wire is not None and not self.closed:
            return None
        what = f"'{self._robot.name}' can't be reached now{': ' + self.link.reason if self.link.reason else ''}"
        return Trouble(what, cure=self.link.cure or "wait until the link is up", code="unreachable")

    def hang_up(self, reason: str) -> None:
        """End the present connection, if there is one; the link's thread sees the end and says `reason`."""
        with self.changed:
            wire, self.cut_reason = self.wire, reason
        if wire is not None:
            with contextlib.suppress(OSError):
                wire.close()

    @contextlib.contextmanager
    def reporting(self) -> Iterator[None]:
        """A thread's one outer catch: a screen must not go on showing a session that has ended by a mistake of ours."""
        try:
            yield
        except BaseException as error:
            with self.changed:
                self.ended(f"internal error: {error!r}", "report this with the traceback on stderr")
                self.take_snapshot()
            raise
