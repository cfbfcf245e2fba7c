"""`python -m remote.updates.client_process ORDER`: one look for a release, for a program that waits for it.

ORDER is the file of an Order. It says lines of JSON (Line): progress, at last what was found or what was refused. Ends with
its parent, whose end closes its stdin; what it has fetched stays and is gone on with.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from remote.errors import Trouble
from remote.model_states import Progress
from remote.protocol import ErrorInfo
from remote.updates.order import Line, Order

NICENESS = 10
SAID_EVERY_S = 0.25


def main() -> None:
    """Look, say it, end."""
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    out = os.dup(1)
    os.dup2(2, 1)  # what a library prints is no answer

    def write(line: Line) -> None:
        os.write(out, msgspec.json.encode(line) + b"\n")

    write(answered(Path(sys.argv[1]), Seldom(lambda progress: write(Line(progress=progress)))))


def answered(order: Path, say: Callable[[Progress], None]) -> Line:
    """Carry the order out; what is refused becomes `error`."""
    from remote.updates.look import look

    try:
        return Line(found=look(msgspec.json.decode(order.read_bytes(), type=Order), say))
    except Trouble as trouble:
        return Line(error=ErrorInfo(trouble.code, trouble.what, trouble.cure))


class Seldom:
    """Passes progress on at most every SAID_EVERY_S seconds; by it the agent also sees that this process lives."""

    def __init__(self, say: Callable[[Progress], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock, self._next = say, clock, 0.0

    def __call__(self, progress: Progress) -> None:
        """Say it, or leave it."""
        if self._clock() >= self._next:
            self._next = self._clock() + SAID_EVERY_S
            self._say(progress)


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(3)


if __name__ == "__main__":
    main()
