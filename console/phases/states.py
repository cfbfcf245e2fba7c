"""How the phases of field testing stand at one moment: the result of folding a record (console.phases.fold). Immutable."""

from __future__ import annotations

from typing import Literal

import msgspec

from console.fieldtest.criteria import Judgement, Measurement
from console.fieldtest.running import Measured
from console.phases.schema import Phase, Question
from console.record.entries import ConditionSeen, Outcome

Status = Literal["locked", "ready", "testing", "pass", "marginal", "fail", "stopped", "stale"]
"""What a phase can be.

locked: an entry condition is not met. ready: may be begun. testing: begun, not yet decided. pass, marginal, fail: every
question is decided. stopped: a stop rule ended it. stale: it was passed, by trials of another bundle or robot, or under
another rule.
"""
PASSED: tuple[Status, ...] = ("pass", "marginal")


class QuestionState(msgspec.Struct, frozen=True, kw_only=True):
    """One question now.

    `judgement.verdict` is pass, marginal, fail or inconclusive ("not yet decided"); `more` says how many further trials would
    decide if they go as those so far. `words` is the whole in one line: "41 of 43 = 95.3 % [86.0, 98.9] against >= 95 %".
    `measurement` is None where there is nothing to count yet; `why` says so.
    """

    question: Question
    measurement: Measurement | None
    judgement: Judgement
    words: str
    why: str = ""
    more: int | None = None


class TrialState(msgspec.Struct, frozen=True, kw_only=True):
    """A trial as the record has it. `counts`: it is in the numbers now; `why_not` says why not ("undone", "bundle 3f2a ->
    91bc").
    """

    seq: int
    number: int
    session: int
    phase: str
    outcome: Outcome
    conditions: dict[str, str]
    note: str
    person: str
    wall_ns: int
    intervened: bool = False
    crashed: bool | None = None
    measures: dict[str, float] = {}
    failures: tuple[str, ...] = ()
    counts: bool = True
    why_not: str = ""


class SessionState(msgspec.Struct, frozen=True, kw_only=True):
    """A session. `paused` says why it is paused (empty: it is not). `open_trial` is a TrialBegun that waits for its outcome,
    since `open_trial_wall_ns`.

    `measured` is what the robot's journal said of it, None where nobody looked.
    """

    seq: int
    phase: str
    person: str
    began_wall_ns: int
    ended_wall_ns: int | None = None
    ended: str = ""
    paused: str = ""
    paused_by: str = ""
    paused_wall_ns: int | None = None
    conditions: dict[str, str] = {}
    trials: int = 0
    successes: int = 0
    frames_scored: int = 0
    interventions: int = 0
    open_trial: int | None = None
    open_trial_wall_ns: int | None = None
    journal: str = ""
    first_seq: int = 0
    last_seq: int = 0
    measured: Measured | None = None
    counts: bool = True
    why_not: str = ""


class StopState(msgspec.Struct, frozen=True, kw_only=True):
    """A stop rule: how far its count is, whether it was reached and not lifted since."""

    id: str
    title: str
    count: int
    at: int
    reached: bool = False
    cure: str = ""


class PhaseState(msgspec.Struct, frozen=True, kw_only=True):
    """One phase now. `reason` is one sentence that says why it stands so. `trials` counts those that count; `left_out` maps a
    reason to how many trials do not count for it. `begun_seq` is the entry that began it last. `cautions` are sentences
    about what was taken back, tried before or not looked at (console.phases.cautions)."""

    phase: Phase
    status: Status
    reason: str
    begun_seq: int | None = None
    begun_wall_ns: int | None = None
    entry: tuple[ConditionSeen, ...] = ()
    questions: tuple[QuestionState, ...] = ()
    stops: tuple[StopState, ...] = ()
    trials: int = 0
    left_out: dict[str, int] = {}
    running_s: float = 0.0
    cautions: tuple[str, ...] = ()


class FieldState(msgspec.Struct, frozen=True, kw_only=True):
    """All phases. `current` is the phase that was begun last (empty: none). `session` is the one that is not ended,
    `sessions` all of them, `trials` every trial in order, undone ones too. `basis` maps each phase to the digest of what its
    verdict rests on.
    """

    phases: tuple[PhaseState, ...] = ()
    current: str = ""
    session: SessionState | None = None
    sessions: tuple[SessionState, ...] = ()
    trials: tuple[TrialState, ...] = ()
    basis: dict[str, str] = {}

    def phase(self, id: str) -> PhaseState:
        """The phase of that id; KeyError where there is none."""
        found = next((one for one in self.phases if one.phase.id == id), None)
        if found is None:
            raise KeyError(id)
        return found
