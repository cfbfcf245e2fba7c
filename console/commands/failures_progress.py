"""How far something long is, on stderr: nothing for what is quick, then a line every few seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import click

FIRST_S, EVERY_S = 2.0, 3.0
"""When the first line comes, and how long after it the next one."""
_ROWS = 500
Row = TypeVar("Row")


class Progress:
    """Says how much is done of something. `doing` is what, `clock` in seconds; `say` writes one line."""

    def __init__(
        self,
        doing: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        say: Callable[[str], None] = lambda line: click.echo(line, err=True),
    ) -> None:
        self._doing, self._clock, self._say = doing, clock, say
        self._next_s = clock() + FIRST_S

    def tell(self, done: int, total: int | None = None) -> None:
        """So much is done, of so much where that is known; said where it is time to."""
        now_s = self._clock()
        if now_s < self._next_s:
            return
        self._next_s = now_s + EVERY_S
        of = f" of {total:,} ({100 * done // total} %)" if total else ""
        self._say(f"{self._doing}: {done:,}{of}")

    def rows(self, rows: Iterable[Row], total: int) -> Iterator[Row]:
        """The rows as they are, counted while they pass."""
        for done, row in enumerate(rows):
            if done % _ROWS == 0:
                self.tell(done, total)
            yield row
