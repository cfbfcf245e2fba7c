"""How far stop rules have come, counted along: a trial that reaches one must end its session at once."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from console.phases.schema import Phase, Stop
from console.record.entries import Outcome


class Counted(NamedTuple):
    """What an attempt was made with: digests of the phase's rule, the bundle and the robot."""

    rule: str
    bundle: str
    robot: str

    def counts_as(self, now: Counted) -> bool:
        """Whether what was made with this counts now; a robot that was never seen is no other one."""
        return self[:2] == now[:2] and (not now.robot or self.robot == now.robot)


class Attempt(NamedTuple):
    """A trial, or an intervention outside of one (`outcome` None)."""

    seq: int
    session: int
    made: Counted
    outcome: Outcome | None
    intervened: bool
    crashed: bool


class _Tally:
    """One rule's count. Kept along while nothing but new attempts come; anything else counts anew."""

    def __init__(self) -> None:
        self.upto = 0
        self.count = 0


class StopCounts:
    """The attempts of the current phase since it was begun, and each rule's count of them."""

    def __init__(self) -> None:
        self._attempts: list[Attempt] = []
        self._crashed: list[Attempt] = []
        self._measured: dict[int, tuple[Counted, int]] = {}
        self._undone: set[int] = set()
        self._lifted: dict[str, int] = {}
        self._tallies: dict[str, _Tally] = {}
        self._phase: Phase | None = None
        self._made: Counted | None = None

    def begin(self) -> None:
        """The phase is begun, or begun anew: nothing from before counts."""
        self._attempts.clear()
        self._crashed.clear()
        self._measured.clear()
        self._lifted.clear()
        self._tallies.clear()

    def add(self, attempt: Attempt) -> None:
        """One more."""
        self._attempts.append(attempt)
        if attempt.crashed:
            self._crashed.append(attempt)

    def crash(self, seq: int) -> None:
        """The worker crashed in the attempt of that entry, as the robot told later."""
        self._crashed += [one for one in reversed(self._attempts) if one.seq == seq][:1]

    def measure(self, session: int, made: Counted, crashes: int) -> None:
        """So many crashes are in the robot's journal of that session."""
        self._measured[session] = (made, crashes)

    def undo(self, seq: int) -> None:
        """It counts no more."""
        self._undone.add(seq)
        self._tallies.clear()

    def lift(self, stop: str, seq: int) -> None:
        """That rule begins anew behind entry `seq`."""
        self._lifted[stop] = seq
        self._tallies.clear()

    def count(self, phase: Phase, stop: str, made: Counted) -> int:
        """The rule's count of attempts that were made with `made`."""
        if self._phase is not phase or self._made != made:
            self._phase, self._made = phase, made
            self._tallies.clear()
        rule = next(one for one in phase.stop if one.id == stop)
        if rule.count == "crashes":
            return self._crashes(self._lifted.get(stop, 0), made)
        tally = self._tallies.setdefault(stop, _Tally())
        begin = self._lifted.get(stop, 0)
        for attempt in self._attempts[tally.upto :]:
            if attempt.seq > begin and self._counts(attempt, made):
                tally.count = _counted(tally.count, rule, attempt, phase.aborted == "failure")
        tally.upto = len(self._attempts)
        return tally.count

    def _counts(self, attempt: Attempt, now: Counted) -> bool:
        return attempt.seq not in self._undone and attempt.made.counts_as(now)

    def _crashes(self, begin: int, now: Counted) -> int:
        """Of each session the crashes that its trials saw, or those that its journal tells of, whichever are more."""
        seen = Counter(one.session for one in self._crashed if one.seq > begin and self._counts(one, now))
        told = {
            session: count
            for session, (made, count) in self._measured.items()
            if session > begin and made.counts_as(now)
        }
        return sum(max(seen[session], told.get(session, 0)) for session in seen.keys() | told.keys())


def _counted(before: int, rule: Stop, attempt: Attempt, aborted_fails: bool) -> int:
    """The count after one more attempt. Enough failures in a row stay so: a later success does not lift the rule."""
    failed = attempt.outcome == "failure" or (attempt.outcome == "aborted" and aborted_fails)
    if rule.count == "failures_in_a_row":
        if before >= rule.at:
            return before
        return before + 1 if failed else 0 if attempt.outcome == "success" else before
    return before + (attempt.intervened if rule.count == "interventions" else failed)
