"""One connection to an agent: hello, messages in, messages out through a writer that never blocks its callers."""

from __future__ import annotations

import queue
import threading
import time

from console.link.transport import Channel, Lines
from remote.errors import Trouble
from remote.protocol import (
    AgentHello,
    ConsoleHello,
    FromAgent,
    FromConsole,
    Refusal,
    from_agent,
    handshake_trouble,
    line,
)

HELLO_TIMEOUT_S = 10.0
_NOISE_LINES = 200


class Wire:
    """Speaks the protocol over a channel. `receive` is for one thread, the rest for any."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lines = Lines(channel)
        self._out: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="fieldgate-writer", daemon=True)
        self._writer.start()

    def greet(self, hello: ConsoleHello, timeout_s: float = HELLO_TIMEOUT_S) -> AgentHello:
        """Exchange hellos. Raises Trouble: the agent's refusal, `too_old`, or `ended` where the far side hung up."""
        self.send(hello)
        deadline = time.monotonic() + timeout_s
        noise = ""
        for _ in range(_NOISE_LINES):
            data = self._lines.next(max(0.0, deadline - time.monotonic()))
            if data is None:
                break
            # A shell's start-up files may print before the program does.
            if data.lstrip().startswith(b"{"):
                return _checked(from_agent(data))
            noise = f"it only wrote {data[:60].decode('utf-8', 'replace').strip()!r}"
        if self._lines.ended:
            raise Trouble(self.last_words() or noise, code="ended")
        what = f"no hello came within {timeout_s:.0f} s{', ' + noise if noise else ''}"
        raise Trouble(what, cure="see whether the robot is very busy, then try again", code="unreachable")

    def receive(self, timeout_s: float) -> FromAgent | None:
        """The next message; None where none came in time or after the end (`ended`). Raises Trouble for no message."""
        data = self._lines.next(timeout_s)
        return None if data is None else from_agent(data)

    @property
    def ended(self) -> bool:
        """Whether the far side hung up or the link broke."""
        return self._lines.ended

    @property
    def behind(self) -> bool:
        """Whether more messages have come than were taken."""
        return self._lines.waiting

    def send(self, message: FromConsole) -> None:
        """Queue a message. Where the link is broken it is dropped: what matters is asked again after reconnecting."""
        self._out.put(line(message))

    def close(self, flush_s: float = 0.0) -> None:
        """Hang up, after giving queued messages `flush_s` to leave."""
        self._out.put(None)
        if flush_s:
            self._writer.join(flush_s)
        self._channel.close()
        self._writer.join(1.0)

    def last_words(self) -> str:
        """What the far side wrote to stderr at last."""
        return self._channel.last_words()

    def _write(self) -> None:
        while (data := self._out.get()) is not None:
            try:
                self._channel.send(data)
            except Trouble:
                return  # the reader sees the same end and reports it


def _checked(message: FromAgent) -> AgentHello:
    if isinstance(message, Refusal):
        raise message.error.trouble()
    if not isinstance(message, AgentHello):
        raise Trouble(f"the agent began with `{type(message).__name__}` instead of its hello", code="bad_message")
    trouble = handshake_trouble(message)
    if trouble is not None:
        raise trouble
    return message
