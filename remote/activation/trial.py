"""What this life of the agent alone knows of a change: how long was waited, how the worker last ended, and at which looks the
judging is.
"""

from __future__ import annotations

from remote.activation.ground import Seen
from remote.activation.probation import Looks


class Stopwatch:
    """Counts while something runs; the rest of the time it stands still."""

    def __init__(self) -> None:
        self._run_ns = 0
        self._last_ns: int | None = None

    def run_s(self, mono_ns: int, runs: bool) -> float:
        """Seconds in which it ran, up to now; `runs` says whether it goes on running."""
        if runs and self._last_ns is not None:
            self._run_ns += max(0, mono_ns - self._last_ns)
        self._last_ns = mono_ns if runs else None
        return self._run_ns / 1e9


class Trial:
    """A candidate that was switched in.

    Args:
        looks: how often it was judged in earlier lives of the agent, for giving it back and for keeping it.

    `died` says how the worker last ended, empty since it was started again. `lived` runs while the worker is wanted.
    `undecided` says what the last look left open at which the candidate could have been kept.
    """

    def __init__(self, looks: tuple[int, int] = (0, 0)) -> None:
        self.looks = Looks(for_fail=looks[0], for_pass=looks[1])
        self.lived = Stopwatch()
        self.died = ""
        self.undecided = ""
        self._source = ""

    def follow(self, since: Seen) -> None:
        """Before `since` is judged: on another source all is counted anew, and the looks wait anew for their frames."""
        if self._source and since.source != self._source:
            self.looks = Looks(for_fail=self.looks.for_fail, for_pass=self.looks.for_pass)
        self._source = since.source

    @property
    def spent(self) -> tuple[int, int]:
        """What the next life has to know of the looks."""
        return self.looks.for_fail, self.looks.for_pass
