"""What counts for a phase as things are now, and what is left out with the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from console.phases.schema import Phase
from console.phases.timeline import Heard, Identity, Session, Timeline
from console.record.changes import difference
from console.record.entries import Evaluated, FrameScored, Intervention, PhaseBegun, SessionMeasured, Trial
from console.record.ledger import Kept

T = TypeVar("T", Trial, FrameScored, Intervention)


@dataclass(frozen=True)
class Evidence:
    """Everything that is in a phase's numbers, in the order of the record."""

    trials: Sequence[Kept[Trial]] = ()
    frames: Sequence[Kept[FrameScored]] = ()
    interventions: Sequence[Kept[Intervention]] = ()
    measured: Sequence[Kept[SessionMeasured]] = ()
    evaluated: Sequence[Kept[Evaluated]] = ()
    sessions: Sequence[Session] = ()


@dataclass
class Ground:
    """One phase: when it was begun, what its evidence must belong to, and what belongs to it.

    `gone_back` names the earlier phase that was gone back to since; then nothing before counts.
    """

    phase: Phase
    begun: Kept[PhaseBegun] | None
    now: Identity
    gone_back: str = ""
    sessions: list[Session] = field(default_factory=list)

    def outside(self, session: Session) -> str:
        """Why nothing of that session can count; empty where it may."""
        if self.begun is None:
            return "the phase was not begun"
        if session.seq < self.begun.seq:
            return "before the phase was begun anew"
        return f"before {self.gone_back} was gone back to" if self.gone_back else ""

    def why_not(self, identity: Identity) -> str:
        """How the identity differs from what is in force now; empty where it does not."""
        names = ("phase rule", "bundle", "robot")
        pairs = [*zip(names, identity, self.now, strict=True)]
        changed = [difference(*one) for one in pairs if one[1] != one[2] and (one[0] != "robot" or one[2])]
        return "; ".join(changed)

    def reason(self, session: Session, heard: Heard[T]) -> str:
        """Why that does not count; empty where it does."""
        return heard.wrong or self.outside(session) or self.why_not(heard.identity)

    def counting(self, timeline: Timeline) -> Evidence:
        """What counts now."""
        return self._gathered(timeline, self.now, [one for one in self.sessions if not self.outside(one)])

    def left_out(self) -> dict[str, int]:
        """How many trials don't count, by reason."""
        reasons = (self.reason(session, heard) for session in self.sessions for heard in session.trials)
        return dict(Counter(reason for reason in reasons if reason))

    def former(self, timeline: Timeline) -> tuple[str, Evidence] | None:
        """Why the last evidence that counted once does not any more, and that evidence; None where nothing changed."""
        if self.begun is None:
            return None
        since = [session for session in self.sessions if session.seq > self.begun.seq]
        changed = [
            heard.identity
            for session in since
            for heard in session.trials
            if not heard.wrong and (self.gone_back or self.why_not(heard.identity))
        ] or [session.identity for session in since if self.gone_back or self.why_not(session.identity)]
        if not changed:
            return None
        why = self.why_not(changed[-1]) or f"{self.gone_back} was gone back to"
        return why, self._gathered(timeline, changed[-1], since)

    def _gathered(self, timeline: Timeline, identity: Identity, sessions: Sequence[Session]) -> Evidence:
        def fits(found: Identity) -> bool:
            return found[:2] == identity[:2] and (not identity.robot or found.robot == identity.robot)

        same = [session for session in sessions if fits(session.identity)]
        return Evidence(
            trials=[one.kept for session in sessions for one in session.trials if not one.wrong and fits(one.identity)],
            frames=[one.kept for session in sessions for one in session.frames if not one.wrong and fits(one.identity)],
            interventions=[one.kept for session in same for one in session.interventions if not one.wrong],
            measured=[session.measured for session in same if session.measured is not None],
            evaluated=[kept for kept in timeline.evaluated if kept.body.bundle == identity.bundle],
            sessions=same,
        )


def grounds(
    phases: Sequence[Phase], rules: Mapping[str, str], bundle: str, robot: str, timeline: Timeline
) -> dict[str, Ground]:
    """Each phase with what belongs to it, in order."""
    found = {
        phase.id: Ground(phase, timeline.last_begun(phase.id), Identity(rules.get(phase.id, ""), bundle, robot))
        for phase in phases
    }
    for place, phase in enumerate(phases):
        found[phase.id].gone_back = _gone_back(phases[:place], found[phase.id].begun, timeline)
    for session in timeline.sessions.values():
        if session.phase in found:
            found[session.phase].sessions.append(session)
    return found


def _gone_back(earlier: Sequence[Phase], begun: Kept[PhaseBegun] | None, timeline: Timeline) -> str:
    """The last earlier phase that was begun after this one; empty where none was."""
    names = {phase.id for phase in earlier}
    later: Iterator[str] = (
        kept.body.phase
        for kept in reversed(timeline.begun)
        if begun is not None and kept.seq > begun.seq and kept.body.phase in names
    )
    return next(later, "")
