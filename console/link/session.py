"""What screens and headless commands may do with a robot; RobotClient (client.py) is the real one.

The faces depend on this protocol only, so they know no SSH, no SQL and no threads but the callback's.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol

from console.link.snapshot import Snapshot
from remote.protocol import Command, Expected, Reply


class Session(Protocol):
    """One robot, watched and (with the lease) commanded."""

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot; safe from any thread."""
        ...

    def start(self, on_snapshot: Callable[[Snapshot], None]) -> None:
        """Begin; `on_snapshot` is called from the session's own thread after each change and at least once a second."""
        ...

    def request(self, command: Command, *, expected: Expected | None = None, timeout_s: float = 5.0) -> Future[Reply]:
        """Send a command; the future holds the agent's confirming reply.

        It fails with Trouble: the agent's refusal (its code), `unconfirmed` when no answer came in `timeout_s` (the
        command may or may not have been done; the robot itself refuses it after that deadline), `no_lease` when the
        command needs the lease and this console does not hold it, `unreachable` while the link is down.
        """
        ...

    def take_lease(self, *, over: int | None = None) -> Future[Reply]:
        """Become the one who commands; kept alive until `release_lease` or `close`. `over`: the epoch to displace."""
        ...

    def release_lease(self) -> Future[Reply]:
        """Give the lease back."""
        ...

    @property
    def holds_lease(self) -> bool:
        """Whether this console may command now, by the newest state that the agent sent."""
        ...

    def watch_samples(self, per_s: float) -> None:
        """How many live samples a second the robot shall send (0: none); remembered across reconnects."""
        ...

    def cut(self, *, for_s: float = 0.0) -> None:
        """Drop the link as if the cable were pulled and stayed out `for_s` seconds; then it reconnects by itself."""
        ...

    def retry(self) -> None:
        """Try to connect now: after a person acted (phase `refused`), or instead of waiting. Nothing to do while up."""
        ...

    def close(self) -> None:
        """End the session; joins its threads within about two seconds."""
        ...
