"""When to look for a release: spread over robots, seldom where it fails. Pure: time and chance come in."""

from __future__ import annotations

from collections.abc import Callable

FIRST_WITHIN_S = 300.0
SPREAD = 0.1
FIRST_PAUSE_S = 60.0


class UpdateTimes:
    """The moment of the next look by the monotonic clock.

    Args:
        draw: numbers from 0 to 1 by chance.
    """

    def __init__(self, draw: Callable[[], float]) -> None:
        self._draw = draw
        self._due_s: float | None = None
        self._failures = 0

    def begin(self, now_s: float, every_s: float) -> None:
        """A source was set or the agent began: look soon, not all robots at once. `every_s` 0: never by itself."""
        self._failures = 0
        self._due_s = now_s + self._draw() * min(every_s, FIRST_WITHIN_S) if every_s > 0 else None

    def looked(self, now_s: float, every_s: float, *, well: bool) -> None:
        """A look ended: the next is a period later, after a failure sooner, each time twice as late, at most a period."""
        self._failures = 0 if well else self._failures + 1
        pause_s = every_s if well else min(every_s, FIRST_PAUSE_S * 2 ** min(self._failures - 1, 16))
        spread = 1 + SPREAD * (2 * self._draw() - 1)
        self._due_s = now_s + pause_s * spread if every_s > 0 else None

    def later(self, now_s: float) -> None:
        """Something is under way: ask again in a while."""
        if self._due_s is not None:
            self._due_s = max(self._due_s, now_s + FIRST_PAUSE_S)

    def is_due(self, now_s: float) -> bool:
        """Whether it is time."""
        return self._due_s is not None and now_s >= self._due_s
