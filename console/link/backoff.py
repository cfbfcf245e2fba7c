"""How long to wait before the next try."""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_S = 0.2
LONGEST_S = 10.0


class Backoff:
    """Doubles from FIRST_S to LONGEST_S; each wait is drawn from its upper half so that consoles don't come in step.

    Args:
        draw: gives numbers in [0, 1).
    """

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        self._draw = draw
        self._tries = 0

    def next_s(self) -> float:
        """The next wait in seconds."""
        whole: float = min(LONGEST_S, FIRST_S * 2.0 ** min(self._tries, 10))
        self._tries += 1
        return whole * (0.5 + 0.5 * self._draw())

    def reset(self) -> None:
        """A connection held: begin anew with the shortest wait."""
        self._tries = 0
