"""The worker's ends of the pipes to its agent."""

from __future__ import annotations

import os
import sys
import threading
from typing import IO, Union

import msgspec

from remote.perception.handoff import Handoff, Unreadable
from remote.perception.messages import FromWorker, Quit, ToWorker
from remote.protocol import LINE_LIMIT_BYTES, line

_decoder: msgspec.json.Decoder[ToWorker] = msgspec.json.Decoder(ToWorker)
GRACE_S = 3.0
EXIT_ABANDONED = 4
Line = Union[bytes, None]


class ParentGone(Exception):
    """Nobody reads this worker's output any more."""


class Outbox:
    """Sends messages, one line each, from any thread; ParentGone when the agent has closed its end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._lock = threading.Lock()

    def send(self, message: FromWorker) -> None:
        """Write one message at once."""
        data = line(message)
        try:
            with self._lock:
                self._file.write(data)
                self._file.flush()
        except (BrokenPipeError, ValueError) as error:
            raise ParentGone from error


def claim_stdout() -> Outbox:
    """Take file descriptor 1 for the protocol; whatever a library prints goes to stderr from now on."""
    own = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Outbox(own)


def read_line(file: IO[bytes]) -> Line:
    """The next line; None at the end of the file. An endless line comes in pieces, none of which is a message."""
    data = file.readline(LINE_LIMIT_BYTES)
    return data or None


class Listener(threading.Thread):
    """Reads the agent's messages into the handoff. The end of the file is a Quit.

    When the loop has not ended `GRACE_S` after the end of the file (it hangs in an engine or a driver), the process ends
    here: a worker without its agent must not stay.
    """

    def __init__(self, file: IO[bytes], handoff: Handoff) -> None:
        super().__init__(name="listener", daemon=True)
        self._file, self._handoff = file, handoff

    def run(self) -> None:
        """See threading.Thread."""
        while (data := read_line(self._file)) is not None:
            try:
                self._handoff.note(_decoder.decode(data))
            except msgspec.DecodeError as error:
                self._handoff.note(Unreadable(f"{error} in {data[:80]!r}"))
        self._handoff.note(Quit())
        killer = threading.Timer(GRACE_S, os._exit, (EXIT_ABANDONED,))
        killer.daemon = True
        killer.start()
