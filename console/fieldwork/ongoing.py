"""What testing depends on while it goes on, kept entry by entry: logging a trial must not read a whole record.

The verdicts are the fold's alone (console.phases.fold); what is kept here decides what may be written next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgspec

from console.checklist.pack import Checklist
from console.fieldwork.stop_counts import Attempt, Counted, StopCounts
from console.phases.schema import Phase
from console.record.canonical import entry_of, kinds_of
from console.record.entries import (
    ConditionsSet,
    Entry,
    FrameScored,
    Intervention,
    Opened,
    PhaseBegun,
    Revised,
    Seen,
    SessionBegun,
    SessionEnded,
    SessionMeasured,
    SessionPaused,
    SessionResumed,
    StopLifted,
    Trial,
    TrialBegun,
    TrialCompleted,
    Withdrawal,
)
from console.record.rows import Row
from remote.errors import Trouble


@dataclass
class OpenTrial:
    """An attempt that was begun and waits for its outcome."""

    seq: int
    wall_ns: int


@dataclass
class SessionNow:
    """A session as far as its next entry depends on it. `said` are what a person can undo, the newest last.

    `since_seq` and `since_wall_ns` are the entry since which the next trial lasts: its begin, else the trial before.
    """

    seq: int
    begun: SessionBegun
    held: list[tuple[int, dict[str, str]]]
    since_seq: int
    since_wall_ns: int
    boot_id: str | None
    paused: str = ""
    ended: bool = False
    stopped_by: str = ""
    open_trial: OpenTrial | None = None
    said: list[tuple[int, str]] = field(default_factory=list)
    measured: SessionMeasured | None = None

    @property
    def conditions(self) -> dict[str, str]:
        """What is carried over into the next trial: as last said, in an entry that was not undone."""
        return self.held[-1][1]


class Ongoing:
    """Feed it every entry in order (`take`); a Trouble in one leaves it as it was.

    `numbers` are the trials' by their entries', the undone ones too.

    Args:
        checklist: gives the checklist that is in force when it is asked.
    """

    def __init__(self, checklist: Callable[[], Checklist]) -> None:
        self._checklist = checklist
        self.bundle = ""
        self.fingerprints: dict[str, str] = {}
        self.phase = ""
        self.rule = ""
        self.sessions: dict[int, SessionNow] = {}
        self.newest: SessionNow | None = None
        self.numbers: dict[int, int] = {}
        self.frames: set[tuple[int, int, int, str]] = set()
        self._frame_of: dict[int, tuple[int, int, int, str]] = {}
        self._crash_unknown: dict[int, int] = {}
        self._stops = StopCounts()

    @classmethod
    def of(cls, rows: list[Row], checklist: Callable[[], Checklist]) -> Ongoing:
        """As a record's rows have it. Raises Trouble as reading an entry does."""
        made = cls(checklist)
        for row in rows:
            if row.kind in KINDS:
                made.take(entry_of(row.line, f"entry {row.seq}"))
        return made

    @property
    def session(self) -> SessionNow | None:
        """The one that is not ended."""
        return self.newest if self.newest is not None and not self.newest.ended else None

    def identity(self) -> Counted:
        """What an attempt must have been made with to count now."""
        return Counted(
            self._checklist().phase_rules.get(self.phase, ""), self.bundle, self.fingerprints.get("robot", "")
        )

    def stop_count(self, phase: Phase, stop: str) -> int:
        """How far a stop rule of the current phase has come."""
        return self._stops.count(phase, stop, self.identity())

    def reached(self, phase: Phase) -> str:
        """The first stop rule of the current phase that is reached; empty where none is."""
        if not phase.stop:
            return ""
        identity = self.identity()
        return next((one.id for one in phase.stop if self._stops.count(phase, one.id, identity) >= one.at), "")

    def undoable(self) -> Iterator[tuple[int, str]]:
        """Numbers and kinds of what can be undone, the newest first: of the open session, or of the one that a stop rule
        ended last."""
        session = self.newest
        if session is not None and (not session.ended or session.stopped_by):
            yield from reversed(session.said)

    # ------------------------------------------------------------ one entry

    def take(self, entry: Entry) -> None:
        """The next entry."""
        take = _TAKES.get(type(entry.body))
        if take is not None:
            take(self, entry, entry.body)

    def _opened(self, entry: Entry, body: Opened) -> None:
        self.bundle = body.bundle

    def _revised(self, entry: Entry, body: Revised) -> None:
        self.bundle = self.bundle if body.bundle is None else body.bundle

    def _seen(self, entry: Entry, body: Seen) -> None:
        self.fingerprints.update(body.fingerprints)

    def _phase_begun(self, entry: Entry, body: PhaseBegun) -> None:
        self.phase, self.rule = body.phase, body.rule
        self._stops.begin()

    def _lifted(self, entry: Entry, body: StopLifted) -> None:
        if body.phase == self.phase:
            self._stops.lift(body.stop, entry.seq)

    def _session_begun(self, entry: Entry, body: SessionBegun) -> None:
        conditions = {name: value for name, value in body.conditions.items() if value}
        moment = body.moment
        made = SessionNow(entry.seq, body, [(entry.seq, conditions)], entry.seq, entry.wall_ns, moment.robot_boot_id)
        self.sessions[entry.seq] = self.newest = made

    def _session_paused(self, entry: Entry, body: SessionPaused) -> None:
        if (session := self.sessions.get(body.session)) is not None:
            session.paused = body.why or "paused"

    def _session_resumed(self, entry: Entry, body: SessionResumed) -> None:
        if (session := self.sessions.get(body.session)) is not None:
            session.paused = ""
            session.boot_id = body.moment.robot_boot_id or session.boot_id

    def _session_ended(self, entry: Entry, body: SessionEnded) -> None:
        if (session := self.sessions.get(body.session)) is not None:
            session.ended, session.stopped_by, session.open_trial = True, body.stop, None

    def _conditions_set(self, entry: Entry, body: ConditionsSet) -> None:
        if (session := self.sessions.get(body.session)) is not None:
            session.held.append((entry.seq, body.conditions))

    def _trial_begun(self, entry: Entry, body: TrialBegun) -> None:
        if (session := self.sessions.get(body.session)) is not None:
            session.open_trial = OpenTrial(entry.seq, entry.wall_ns)
            session.since_seq, session.since_wall_ns = entry.seq, entry.wall_ns

    def _trial(self, entry: Entry, body: Trial) -> None:
        self.numbers[entry.seq] = len(self.numbers) + 1
        if body.crashed is None:
            self._crash_unknown[entry.seq] = body.session
        if (session := self.sessions.get(body.session)) is None:
            return
        session.held.append((entry.seq, body.conditions))
        session.since_seq, session.since_wall_ns = entry.seq, entry.wall_ns
        session.boot_id = body.moment.robot_boot_id or session.boot_id
        session.open_trial = None
        session.said.append((entry.seq, "trial"))
        made = _with(session, body.fingerprints)
        if body.phase == self.phase:
            self._stops.add(Attempt(entry.seq, session.seq, made, body.outcome, body.intervened, body.crashed is True))

    def _completed(self, entry: Entry, body: TrialCompleted) -> None:
        """As for the fold: the first word about a trial that did not know by itself."""
        session = self.sessions.get(body.session)
        if session is None or self._crash_unknown.get(body.trial) != body.session:
            return
        del self._crash_unknown[body.trial]
        session.boot_id = body.moment.robot_boot_id or session.boot_id
        if body.crashed:
            self._stops.crash(body.trial)

    def _intervention(self, entry: Entry, body: Intervention) -> None:
        if (session := self.sessions.get(body.session)) is None:
            return
        session.said.append((entry.seq, "intervention"))
        if session.begun.phase == self.phase:
            self._stops.add(Attempt(entry.seq, session.seq, _with(session, {}), None, True, False))

    def _scored(self, entry: Entry, body: FrameScored) -> None:
        key = (body.session, body.run, body.frame, body.by)
        self.frames.add(key)
        self._frame_of[entry.seq] = key
        if (session := self.sessions.get(body.session)) is not None:
            session.said.append((entry.seq, "frame_scored"))

    def _withdrawn(self, entry: Entry, body: Withdrawal) -> None:
        if body.seq >= entry.seq:  # as for the fold: nothing is taken back before it was said
            return
        self._stops.undo(body.seq)
        self.frames.discard(self._frame_of.get(body.seq, (0, 0, 0, "")))
        for session in self.sessions.values():
            session.said = [one for one in session.said if one[0] != body.seq]
            session.held = [one for one in session.held if one[0] != body.seq]

    def _measured(self, entry: Entry, body: SessionMeasured) -> None:
        if (session := self.sessions.get(body.session)) is None:
            return
        session.measured = body
        if session.begun.phase == self.phase:
            running = body.measured.running
            self._stops.measure(session.seq, _with(session, {}), running.crashes + running.hangs)


def _with(session: SessionNow, own: dict[str, str]) -> Counted:
    """What an attempt was made with: its own fingerprints, else its session's."""
    known = {**session.begun.fingerprints, **own}
    return Counted(session.begun.rule, known.get("bundle", ""), known.get("robot", ""))


_TAKES: dict[type[msgspec.Struct], Callable[..., None]] = {
    Opened: Ongoing._opened,
    Revised: Ongoing._revised,
    Seen: Ongoing._seen,
    Withdrawal: Ongoing._withdrawn,
    PhaseBegun: Ongoing._phase_begun,
    SessionBegun: Ongoing._session_begun,
    SessionPaused: Ongoing._session_paused,
    SessionResumed: Ongoing._session_resumed,
    SessionEnded: Ongoing._session_ended,
    StopLifted: Ongoing._lifted,
    ConditionsSet: Ongoing._conditions_set,
    TrialBegun: Ongoing._trial_begun,
    Trial: Ongoing._trial,
    TrialCompleted: Ongoing._completed,
    Intervention: Ongoing._intervention,
    FrameScored: Ongoing._scored,
    SessionMeasured: Ongoing._measured,
}
KINDS = kinds_of(*_TAKES)
"""Of entries that matter here."""


def check_current(ongoing: Ongoing, phase: Phase | None) -> Phase:
    """The phase that was begun last. Raises Trouble: `no_phase`, `phase_changed`."""
    if not ongoing.phase or phase is None:
        gone = f"the phase '{ongoing.phase}' is not in the pack any more" if ongoing.phase else "no phase was begun"
        raise Trouble(gone, cure="begin one: `fieldgate phase begin PHASE`", code="no_phase")
    if ongoing.rule != ongoing.identity().rule:
        what = f"what decides in '{phase.id}' was changed since it was begun"
        cure = f"begin it anew, with the reason: `fieldgate phase begin {phase.id} --reason ...`"
        raise Trouble(what, cure=cure, code="phase_changed")
    return phase
