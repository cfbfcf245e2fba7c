"""A sight that another one stands behind, about a given bundle and up to a given moment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from console.checklist.probes import Sight
from console.link.session import Session
from console.link.snapshot import Snapshot
from console.link.transport import Ran
from remote.errors import Trouble
from remote.protocol import Facts


class LimitedSight:
    """`sight`, but about `bundle`, and not longer than `limit_s` from now (None: without end).

    What is still waited for when the time is over raises Trouble `time_over`, which makes the item unavailable.
    """

    def __init__(self, sight: Sight, *, bundle: str, limit_s: float | None) -> None:
        self._sight = sight
        self._bundle = bundle
        self._limit_s = limit_s
        self._end_ns = None if limit_s is None else sight.mono_ns() + int(limit_s * 1e9)

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self._end_ns is not None and self._sight.mono_ns() >= self._end_ns

    @property
    def session(self) -> Session | None:
        """See Sight."""
        return self._sight.session

    @property
    def files(self) -> Path:
        """See Sight."""
        return self._sight.files

    @property
    def bundle(self) -> str:
        """See Sight."""
        return self._bundle

    def facts(self) -> Facts:
        """See Sight."""
        return self._sight.facts()

    def run(self, argv: tuple[str, ...], timeout_s: float) -> Ran:
        """See Sight."""
        return self._sight.run(argv, self._left_s(timeout_s))

    def stored_seq(self) -> int:
        """See Sight."""
        return self._sight.stored_seq()

    def wait(self, wanted: Callable[[Snapshot], bool], timeout_s: float) -> Snapshot | None:
        """See Sight."""
        found = self._sight.wait(wanted, self._left_s(timeout_s))
        if found is None and self.over:
            raise self._time_over()
        return found

    def mono_ns(self) -> int:
        """See Sight."""
        return self._sight.mono_ns()

    def wall_ns(self) -> int:
        """See Sight."""
        return self._sight.wall_ns()

    def _left_s(self, wanted_s: float) -> float:
        if self._end_ns is None:
            return wanted_s
        if self.over:
            raise self._time_over()
        return min(wanted_s, (self._end_ns - self._sight.mono_ns()) / 1e9)

    def _time_over(self) -> Trouble:
        what = f"the time of {self._limit_s:g} s for this check is over"
        return Trouble(what, cure="give more (`--timeout`), or name the items (`--item`)", code="time_over")
