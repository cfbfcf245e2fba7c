"""`python -m remote.updates.client_process ORDER`: one look for a release, for a program that waits for it.

ORDER is the file of an Order. It says lines of JSON (Line): progress, at last what was found or what was refused. Ends with
its parent, whose end closes its stdin; what it has fetched stays and is gone on with.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from remote.child_side import be_nice, claim_answers, end_with_parent
from remote.errors import Trouble
from remote.model_states import Progress
from remote.protocol import ErrorInfo
from remote.updates.order import Line, Order

SAID_EVERY_S = 0.25


def main() -> None:
    """Look, say it, end."""
    be_nice()
    end_with_parent()
    write = claim_answers()
    write(answered(Path(sys.argv[1]), Seldom(lambda progress: write(Line(progress=progress)))))


def answered(order: Path, say: Callable[[Progress], None]) -> Line:
    """Carry the order out; what is refused becomes `error`."""
    from remote.updates.look import look

    try:
        return Line(found=look(msgspec.json.decode(order.read_bytes(), type=Order), say))
    except Trouble as trouble:
        return Line(error=ErrorInfo.of(trouble))


class Seldom:
    """Passes progress on at most every SAID_EVERY_S seconds; by it the agent also sees that this process lives."""

    def __init__(self, say: Callable[[Progress], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._clock, self._next = say, clock, 0.0

    def __call__(self, progress: Progress) -> None:
        """Say it, or leave it."""
        if self._clock() >= self._next:
            self._next = self._clock() + SAID_EVERY_S
            self._say(progress)


if __name__ == "__main__":
    main()
