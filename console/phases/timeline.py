"""A record's entries about field testing, read once and in order: sessions with what was tried, scored and measured in them.

What is wrong with a trial in itself (undone, logged twice, in a session that was paused) is told here; whether it counts for
its phase as things are now, in evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from console.record.believing import unbelievable_frame, unbelievable_running
from console.record.entries import (
    ConditionsSet,
    Evaluated,
    FrameScored,
    Intervention,
    Note,
    PhaseBegun,
    SessionBegun,
    SessionEnded,
    SessionMeasured,
    SessionPaused,
    SessionResumed,
    StopLifted,
    Trial,
    TrialBegun,
    TrialCompleted,
)
from console.record.ledger import Kept, Ledger

T = TypeVar("T", Trial, FrameScored, Intervention)


class Identity(NamedTuple):
    """What evidence belongs to: digests of the phase's rule, the bundle and the robot. An empty robot was never seen."""

    rule: str
    bundle: str
    robot: str


@dataclass(frozen=True)
class Heard(Generic[T]):
    """A trial, a scored frame or an intervention. `wrong` says why it counts nowhere ("undone"); empty where it may."""

    kept: Kept[T]
    identity: Identity
    wrong: str = ""


@dataclass
class Session:
    """One session as told, each list in the order of the record, what was undone included.

    `attempts` are its TrialBegun entries with their times, `answered` those that an outcome was logged
    for (undone or not). `followed` is the next session, with which this one is over at the
    latest; `refused` says what it can't have measured.
    """

    kept: Kept[SessionBegun]
    identity: Identity
    paused: Kept[SessionPaused] | None = None
    ended: Kept[SessionEnded] | None = None
    conditions_set: Kept[ConditionsSet] | None = None
    attempts: dict[int, int] = field(default_factory=dict)
    answered: set[int] = field(default_factory=set)
    measured: Kept[SessionMeasured] | None = None
    followed: Kept[SessionBegun] | None = None
    refused: list[str] = field(default_factory=list)
    trials: list[Heard[Trial]] = field(default_factory=list)
    frames: list[Heard[FrameScored]] = field(default_factory=list)
    interventions: list[Heard[Intervention]] = field(default_factory=list)

    @property
    def seq(self) -> int:
        """The number of the entry that began it: its name."""
        return self.kept.seq

    @property
    def phase(self) -> str:
        """The phase's id."""
        return self.kept.body.phase

    @property
    def over(self) -> Kept[SessionEnded] | Kept[SessionBegun] | None:
        """What it is over with: its end, or the next session's begin; None while it is open."""
        return self.ended or self.followed

    @property
    def conditions(self) -> Mapping[str, str]:
        """What is carried over into the next trial: as last said, by itself or in a trial that was not undone."""
        said = self.conditions_set
        last = next((one.kept for one in reversed(self.trials) if not one.wrong), None)
        if last is not None and (said is None or said.seq < last.seq):
            return last.body.conditions
        return said.body.conditions if said is not None else self.kept.body.conditions

    @property
    def open_trial(self) -> int | None:
        """The last attempt, where it was begun and waits for its outcome."""
        last = max(self.attempts, default=None)
        return last if last not in self.answered and self.over is None else None


@dataclass(frozen=True)
class Timeline:
    """Everything that the record tells of field testing. `trials` are those of no session too.

    `notes` maps an entry's number to what people wrote on it afterwards.
    """

    begun: tuple[Kept[PhaseBegun], ...]
    sessions: Mapping[int, Session]
    trials: tuple[Heard[Trial], ...]
    lifted: tuple[Kept[StopLifted], ...]
    evaluated: tuple[Kept[Evaluated], ...]
    notes: Mapping[int, tuple[str, ...]]

    def last_begun(self, phase: str) -> Kept[PhaseBegun] | None:
        """When the phase was begun last; None where it never was."""
        return next((kept for kept in reversed(self.begun) if kept.body.phase == phase), None)


def timeline(ledger: Ledger) -> Timeline:
    """Read all of it. Raises Trouble as the ledger does."""
    reading = _Reading(ledger.withdrawn)
    events: list[Kept[Any]] = [kept for kind in reading.takes for kept in ledger.all(kind)]
    for kept in sorted(events, key=lambda one: one.seq):
        reading.takes[type(kept.body)](kept)
    return Timeline(
        begun=tuple(ledger.all(PhaseBegun)),
        sessions=reading.sessions,
        trials=tuple(reading.trials),
        lifted=tuple(ledger.all(StopLifted)),
        evaluated=tuple(ledger.all(Evaluated)),
        notes=_notes(ledger),
    )


def _notes(ledger: Ledger) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for kept in ledger.all(Note):
        if kept.body.about:
            found[kept.body.about] = (*found.get(kept.body.about, ()), kept.body.text)
    return found


class _Reading:
    """What has been read up to an entry. `takes` maps each kind of entry to what takes it."""

    def __init__(self, withdrawn: Mapping[int, object]) -> None:
        self.sessions: dict[int, Session] = {}
        self.trials: list[Heard[Trial]] = []
        self._withdrawn = withdrawn
        self._logged: set[int] = set()
        self._open_words: dict[int, Heard[Trial]] = {}
        self._drawn: set[tuple[int, int, int]] = set()
        self.takes: dict[type[Any], Any] = {
            SessionBegun: self._begun,
            SessionPaused: self._paused,
            SessionResumed: self._resumed,
            SessionEnded: self._ended,
            ConditionsSet: self._conditions,
            TrialBegun: self._attempt,
            Trial: self._trial,
            TrialCompleted: self._completed,
            Intervention: self._intervention,
            FrameScored: self._frame,
            SessionMeasured: self._measured,
        }

    # ------------------------------------------------------------ sessions

    def _begun(self, kept: Kept[SessionBegun]) -> None:
        """Only forged entries are of two sessions at once: the same hours must not count in both."""
        if self.sessions:
            next(reversed(self.sessions.values())).followed = kept
        self.sessions[kept.seq] = Session(kept, _identity(kept.body.rule, kept.body.fingerprints))

    def _paused(self, kept: Kept[SessionPaused]) -> None:
        session = self.sessions.get(kept.body.session)
        if session is not None and session.paused is None:  # the first reason stays until a person resumes
            session.paused = kept

    def _resumed(self, kept: Kept[SessionResumed]) -> None:
        session = self.sessions.get(kept.body.session)
        if session is not None:
            session.paused = None

    def _ended(self, kept: Kept[SessionEnded]) -> None:
        session = self.sessions.get(kept.body.session)
        if session is not None and session.ended is None:
            session.ended = kept

    def _conditions(self, kept: Kept[ConditionsSet]) -> None:
        session = self.sessions.get(kept.body.session)
        if session is not None and session.ended is None:
            session.conditions_set = kept

    def _measured(self, kept: Kept[SessionMeasured]) -> None:
        session = self.sessions.get(kept.body.session)
        if session is None:
            return
        until_ns = min(one.entry.wall_ns for one in (session.ended, session.followed, kept) if one is not None)
        wrong = unbelievable_running(kept.body, (until_ns - session.kept.entry.wall_ns) / 1e9)
        if wrong:
            session.refused.append(f"entry {kept.seq} is left out: {wrong}")
        else:
            session.measured = kept

    # ------------------------------------------------------------ what was tried and scored

    def _attempt(self, kept: Kept[TrialBegun]) -> None:
        session = self.sessions.get(kept.body.session)
        if session is not None and session.ended is None:
            session.attempts[kept.seq] = kept.entry.wall_ns

    def _trial(self, kept: Kept[Trial]) -> None:
        body, session = kept.body, self.sessions.get(kept.body.session)
        wrong = self._wrong(kept, session) or self._of_phase(body.phase, session) or self._again(body, session)
        heard = Heard(kept, _identity(session.identity.rule if session else "", body.fingerprints), wrong)
        self.trials.append(heard)
        if body.crashed is None:
            self._open_words[kept.seq] = heard
        if session is not None:
            session.trials.append(heard)
            if body.began is not None:
                session.answered.add(body.began)
        if body.began is not None and not wrong:
            self._logged.add(body.began)

    def _completed(self, kept: Kept[TrialCompleted]) -> None:
        """What the robot said later is of the trial as if it had been known at once."""
        body, session = kept.body, self.sessions.get(kept.body.session)
        heard = self._open_words.get(body.trial)
        if heard is None or session is None or heard.kept.body.session != body.session:
            return
        del self._open_words[body.trial]
        trial = msgspec.structs.replace(heard.kept.body, crashed=body.crashed, moment=body.moment)
        known = replace(heard, kept=replace(heard.kept, body=trial))
        for told in (self.trials, session.trials):
            told[next(at for at in reversed(range(len(told))) if told[at] is heard)] = known

    def _intervention(self, kept: Kept[Intervention]) -> None:
        session = self.sessions.get(kept.body.session)
        if session is not None:
            wrong = "undone" if kept.seq in self._withdrawn else ""
            session.interventions.append(Heard(kept, session.identity, wrong))

    def _frame(self, kept: Kept[FrameScored]) -> None:
        body, session = kept.body, self.sessions.get(kept.body.session)
        if session is None:
            return
        name = (body.session, body.run, body.frame)
        wrong = "undone" if kept.seq in self._withdrawn else self._of_phase(body.phase, session)
        wrong = wrong or unbelievable_frame(body)
        if not wrong and name in self._drawn:
            wrong = "scored twice"
        if not wrong:
            self._drawn.add(name)
        session.frames.append(Heard(kept, _identity(session.identity.rule, body.fingerprints), wrong))

    def _wrong(self, kept: Kept[Trial], session: Session | None) -> str:
        if kept.seq in self._withdrawn:
            return "undone"
        if session is None:
            return "of no session"
        if session.ended is not None:
            return "after the session's end"
        if session.followed is not None:
            return "after another session was begun"
        return "while the session was paused" if session.paused is not None else ""

    def _of_phase(self, phase: str, session: Session | None) -> str:
        return "of another phase than its session" if session is not None and phase != session.phase else ""

    def _again(self, body: Trial, session: Session | None) -> str:
        if body.began is None:
            return ""
        if body.began in self._logged:
            return "logged twice"
        return "" if session is not None and body.began in session.attempts else "its begin is not in the session"


def _identity(rule: str, fingerprints: Mapping[str, str]) -> Identity:
    return Identity(rule, fingerprints.get("bundle", ""), fingerprints.get("robot", ""))
