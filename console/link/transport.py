"""What a way to a robot must offer: a channel to its agent, commands, and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec

from remote.errors import Trouble
from remote.protocol import LINE_LIMIT_BYTES

Progress = Callable[[int, int], None]
"""Called with the bytes sent so far and the bytes in all."""


class Ran(msgspec.Struct, frozen=True):
    """How a command on the robot ended; `out` and `err` are its whole output."""

    exit: int
    out: bytes
    err: bytes

    def output(self, failed: str, cure: str) -> str:
        """The output as text; Trouble (`deploy_failed`: `failed` and the last error line) where the command failed."""
        if self.exit != 0:
            said = self.err.decode("utf-8", "replace").strip().splitlines()
            what = f"{failed}: {said[-1] if said else f'exit {self.exit}'}"
            raise Trouble(what, cure=cure, code="deploy_failed")
        return self.out.decode("utf-8", "replace").strip()


class Channel(Protocol):
    """Bytes to and from an agent. `receive`, `send` and `close` may each be called from a thread of its own."""

    def receive(self, timeout_s: float) -> bytes | None:
        """What has come; None where nothing came in `timeout_s`; empty at the end. A broken link is an end too."""
        ...

    def send(self, data: bytes) -> None:
        """Send all of `data`; may block while the link is slow. A broken link raises Trouble (code `unreachable`)."""
        ...

    def close(self) -> None:
        """Hang up; a `receive` or `send` in another thread then ends."""
        ...

    def last_words(self) -> str:
        """The end of what the far side wrote to stderr; empty if nothing."""
        ...


class Transport(Protocol):
    """One way to reach one robot. A broken connection is opened anew by the next call."""

    @property
    def name(self) -> str:
        """`paramiko`, `openssh` or `local`."""
        ...

    def open(self) -> Channel:
        """Attach to the robot's agent. Raises Trouble that names the cause and the cure."""
        ...

    def run(self, command: str, *, stdin: bytes = b"", timeout_s: float = 60.0) -> Ran:
        """Run a POSIX shell script there; a non-zero exit is no error here."""
        ...

    def put(self, local: Path, remote: str, progress: Progress | None = None, *, offset: int = 0) -> None:
        """Copy a file's bytes from `offset` on to an absolute path there, in place and up to date on its disk.

        Callers use a staging name and rename it; `offset` bytes are there already from a try that was cut off.
        """
        ...

    def close(self) -> None:
        """End every connection."""
        ...


class Lines:
    """Cuts a channel's bytes into lines; holds at most one line's limit of unfinished bytes."""

    def __init__(self, channel: Channel, limit_bytes: int = LINE_LIMIT_BYTES) -> None:
        self._channel = channel
        self._limit_bytes = limit_bytes
        self._rest = bytearray()
        self._ready: list[bytes] = []
        self.ended = False

    def next(self, timeout_s: float) -> bytes | None:
        """The next line with its newline; None where none was complete in time or after the end (`ended`).

        Raises Trouble (`too_long`) for a line over the limit.
        """
        while not self._ready:
            came = None if self.ended else self._channel.receive(timeout_s)
            if not came:
                self.ended = self.ended or came is not None
                return None
            self._take(came)
        return self._ready.pop()

    @property
    def waiting(self) -> bool:
        """Whether another complete line is here already."""
        return bool(self._ready)

    def _take(self, came: bytes) -> None:
        last = came.rfind(b"\n")  # only in what is new: a long line must not be searched again with each piece
        cut = len(self._rest) + last + 1 if last >= 0 else 0
        self._rest += came
        if cut:
            self._ready = [line + b"\n" for line in bytes(self._rest[: cut - 1]).split(b"\n")][::-1]
            del self._rest[:cut]
        if len(self._rest) > self._limit_bytes:
            what = f"the robot sent a line longer than the limit of {self._limit_bytes} bytes"
            raise Trouble(what, cure="check that a fieldgate agent is at the other end", code="too_long")
