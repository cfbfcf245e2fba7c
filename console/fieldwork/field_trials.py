"""Trials: begun, logged, undone, and what a person says beside them. Each is on the disk when its method returns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from console.checklist.probes import Sight
from console.checklist.wording import short
from console.fieldwork.crashes import crashed_since
from console.fieldwork.field_sessions import PROGRAM, FieldSessions
from console.fieldwork.ongoing import SessionNow
from console.fieldwork.scoring import Draw, FrameToScore, check_score, fetch_frame
from console.fieldwork.trial_conditions import carried, check_complete, checked
from console.link.snapshot import CONNECTED
from console.phases.fold import trial_state
from console.phases.states import TrialState
from console.record.entries import (
    Attachment,
    Body,
    Entry,
    FrameScored,
    Intervention,
    Outcome,
    ScoredBox,
    Trial,
    TrialBegun,
    TrialCompleted,
    Withdrawal,
)
from remote.errors import Trouble

UNDONE = "undone"
AT_ONCE = "undone at once"
TOOK = "took_s"
LONGEST_TRIAL_S = 86_400.0
"""A trial that seems to have taken longer was measured by a clock that jumped."""


COMPLETE_S = 2.0
"""So long a robot is asked about a trial that is written already."""


class _Lasted(NamedTuple):
    """From when to when a trial lasted (the laptop's monotonic clock), in which boot of the robot; None: not known.

    `tells`: its conditions are yet to be told to the robot.
    """

    since_mono_ns: int | None = None
    until_mono_ns: int | None = None
    boot_id: str | None = None
    tells: bool = False


class FieldTrials(FieldSessions):
    """FieldSessions, with all that is tried in them."""

    _lasted = _Lasted()
    _newest: Mapping[int, _Lasted] = MappingProxyType({})
    """What is known of the trial that was logged last here, by its entry's number."""

    def begin_trial(self, person: str) -> int:
        """Note that an attempt begins; the number of its entry. Only where somebody wants its duration.

        Raises Trouble: `no_session`, `session_paused`, `trial_open`.
        """

        def made() -> Body:
            session, phase = self._taking()
            self._check_not_stopped(phase)
            if session.open_trial is not None:
                what = f"the trial that was begun in entry {session.open_trial.seq} waits for its outcome"
                raise Trouble(what, cure="log it first, as aborted if nobody saw its end", code="trial_open")
            return TrialBegun(session=session.seq)

        with self.campaign.locked():
            seq = self._add(person, made).entry.seq
            self._mark_begun(seq)
        return seq

    def log_trial(
        self,
        outcome: Outcome,
        person: str,
        *,
        conditions: Mapping[str, str] | None = None,
        note: str = "",
        intervened: bool = False,
        measures: Mapping[str, float] | None = None,
        failures: Sequence[str] = (),
        files: Sequence[Path] = (),
        sight: Sight | None = None,
    ) -> TrialState:
        """Log how an attempt came out: the one that was begun, or one without a begin.

        Args:
            outcome: success, failure or aborted.
            person: who says so.
            conditions: those that differ from what was carried over so far; they are carried over from now on, and the robot
                is told.
            note: their words.
            intervened: a person had to help.
            measures: numbers of this attempt, by names with the unit in them (`took_s`); of an attempt that was begun `took_s`
                is added where it is not given.
            failures: ids of failures on the robot that belong to it.
            files: photos or other files to keep with it.
            sight: the robot: tells whether the worker crashed meanwhile. None: that is not known.

        Raises:
            Trouble: `no_session`, `session_paused`, `phase_changed`, `bundle_changed`, `wrong_bundle`, `unknown_condition`,
                `condition_missing`, `bad_value`, or what the record raises (a full disk).
        """
        if outcome not in ("success", "failure", "aborted"):
            raise Trouble(f"'{outcome}' is no outcome", cure="success, failure or aborted", code="bad_value")
        numbers = _numbers(measures or {})
        attachments = tuple(self.campaign.record.attach_file(path) for path in files)
        with self.campaign.locked():
            stored = self._add(
                person,
                lambda: self._trial(
                    outcome, conditions or {}, note, intervened, numbers, tuple(failures), attachments, sight
                ),
            )
            self._mark_begun(stored.entry.seq)
            self._newest = {stored.entry.seq: self._lasted._replace(tells=bool(conditions) and sight is None)}
            state = _trial_state(stored.entry, self._ongoing.numbers[stored.entry.seq])
            if conditions:
                self._told(sight, self._ongoing.phase, state.conditions)
            self._stop_if_reached(person, sight)
        return state

    def complete_trial(self, seq: int, sight: Sight, person: str, wait_s: float = COMPLETE_S) -> TrialState:
        """Ask the robot about the trial of that entry, after its word is safe: whether the worker crashed in it, and whether it
        ran the campaign's bundle at all. What it says within `wait_s` is written down as an addition; a trial of another bundle
        is taken back. The robot is told the trial's conditions. The trial as it is now.

        Raises Trouble: `wrong_bundle`.
        """
        trial = self.campaign.record.entry(seq)
        lasted = self._newest.get(seq, _Lasted())
        assert isinstance(trial.body, Trial)

        def crashed() -> bool | None:
            return crashed_since(sight, lasted.since_mono_ns, lasted.boot_id, lasted.until_mono_ns)

        sight.wait(lambda shot: crashed() is not None, wait_s)
        try:
            self._check_runs(sight)
        except Trouble as trouble:
            why = trouble.what
            self._add(PROGRAM, lambda: Withdrawal(seq=seq, reason=why))
            raise
        body = TrialCompleted(session=trial.body.session, trial=seq, crashed=crashed(), moment=self._moment(sight))
        with self.campaign.locked():
            self._add(person, lambda: body)
            if lasted.tells and self._ongoing.session is not None:
                self._told(sight, trial.body.phase, trial.body.conditions)
            self._stop_if_reached(person, sight)
        known = msgspec.structs.replace(trial, body=msgspec.structs.replace(trial.body, crashed=body.crashed))
        return _trial_state(known, self._ongoing.numbers[seq])

    def intervene(self, person: str, note: str = "", sight: Sight | None = None) -> None:
        """A person had to step in while the robot worked, outside of a trial. Raises Trouble: `no_session`."""
        with self.campaign.locked():
            self._add(
                person,
                lambda: Intervention(session=self._open().seq, note=note.strip(), moment=self._moment(sight)),
            )
            self._stop_if_reached(person, sight)

    def undo(self, person: str, reason: str = AT_ONCE) -> TrialState | None:
        """Take back the newest trial, score or intervention of the open session, or of the one that a stop rule has just ended;
        it stays in the record. The trial as it is now; None where it was a score or an intervention.

        Raises Trouble: `nothing_to_undo`.
        """
        taken: list[tuple[int, str]] = []

        def made() -> Body:
            newest = next(self._ongoing.undoable(), None)
            if newest is None:
                cure = "`fieldgate campaign withdraw ENTRY --reason ...` takes back what is older"
                raise Trouble("nothing of this session can be undone", cure=cure, code="nothing_to_undo")
            taken.append(newest)
            return Withdrawal(seq=newest[0], reason=" ".join(reason.split()) or AT_ONCE)

        self._add(person, made)
        seq, kind = taken[-1]
        self._tell(f"undone: the {_KINDS[kind]} in entry {seq}; it stays in the record")
        return (
            _trial_state(self.campaign.record.entry(seq), self._ongoing.numbers[seq], UNDONE)
            if kind == "trial"
            else None
        )

    # ------------------------------------------------------------ scored frames

    def score(
        self,
        frame: FrameToScore,
        right: int,
        wrong: int,
        missed: int,
        boxes: Sequence[ScoredBox],
        person: str,
        note: str = "",
    ) -> None:
        """Score a frame that was drawn, by a person who looked at its picture, which is kept with the record.

        A frame is scored once; to score it otherwise, undo first. The session that it was drawn in may be over.

        Raises Trouble: `bad_score`, `unknown_label`, `scored_already`, `unknown_session`.
        """
        check_score(frame, right, wrong, missed, boxes)
        name = f"frame-{frame.run}-{frame.frame}.jpg"
        picture = self.campaign.record.attach(frame.jpeg, name, "image/jpeg") if frame.jpeg else None
        self._score(_scored(frame, right, wrong, missed, tuple(boxes), note.strip(), picture), person)

    def score_by_scene(
        self, frame: FrameToScore, right: int, wrong: int, missed: int, boxes: Sequence[ScoredBox], person: str
    ) -> None:
        """The same by a scene file: the objects were known (console.fieldwork.scene_file), so nobody looked."""
        check_score(frame, right, wrong, missed, boxes)
        body = _scored(frame, right, wrong, missed, tuple(boxes), "", None, by_scene=True)
        self._score(body, person)

    def draw(self, sight: Sight, draw: Draw) -> FrameToScore:
        """The robot's newest frame, now, drawn for the open session.

        Raises Trouble: `no_session`, `session_paused`, `no_robot`, `no_frame`, `moved_on`, or the agent's refusal.
        """
        self._caught_up()
        session, _ = self._taking()
        return fetch_frame(
            sight,
            draw,
            session=session.seq,
            phase=session.begun.phase,
            conditions=session.conditions,
            fingerprints=self._fingerprints(),
        )

    def is_scored(self, session: int, run: int, frame: int) -> bool:
        """Whether that frame of that run is scored already, by a person or by a scene."""
        self._caught_up()
        return any((session, run, frame, by) in self._ongoing.frames for by in ("person", "scene"))

    def _score(self, body: FrameScored, person: str) -> None:
        def made() -> Body:
            if body.session not in self._ongoing.sessions:
                what = f"this record has no session {body.session}"
                raise Trouble(what, cure="the frames belong to another campaign", code="unknown_session")
            if any((body.session, body.run, body.frame, by) in self._ongoing.frames for by in ("person", "scene")):
                what = f"frame {body.frame} of run {body.run} is scored already"
                raise Trouble(what, cure="undo its score first, or leave it", code="scored_already")
            return body

        self._add(person, made)

    # ------------------------------------------------------------ parts

    def _trial(
        self,
        outcome: Outcome,
        conditions: Mapping[str, str],
        note: str,
        intervened: bool,
        measures: dict[str, float],
        failures: tuple[str, ...],
        attachments: tuple[Attachment, ...],
        sight: Sight | None,
    ) -> Trial:
        session, phase = self._taking()
        self._check_not_stopped(phase)  # who reached the rule may have died before the session was ended
        held = carried(session.conditions, checked(phase, conditions))
        check_complete(phase, held)
        self._check_runs(sight)
        since_ns = self._since_mono_ns(session)
        self._lasted = _Lasted(since_ns, self._mono_ns(), session.boot_id)
        return Trial(
            session=session.seq,
            phase=phase.id,
            outcome=outcome,
            conditions=held,
            note=note.strip(),
            began=session.open_trial.seq if session.open_trial else None,
            intervened=intervened,
            crashed=crashed_since(sight, since_ns, session.boot_id),
            measures={**self._took(session, since_ns), **measures},
            failures=failures,
            fingerprints=self._fingerprints(),
            attachments=attachments,
            moment=self._moment(sight),
        )

    def _since_mono_ns(self, session: SessionNow) -> int | None:
        """When the attempt began, or the one before it ended, by the laptop's monotonic clock: as it was noted, else by the
        wall clock of the entry, which another process wrote; None where that clock jumped."""
        noted = self._begun_mono_ns.get(session.since_seq)
        if noted is not None:
            return noted
        age_ns = self.campaign.wall_ns() - session.since_wall_ns
        return self._mono_ns() - age_ns if 0 <= age_ns <= LONGEST_TRIAL_S * 1e9 else None

    def _took(self, session: SessionNow, since_ns: int | None) -> dict[str, float]:
        """How long the attempt took, where it was begun and no clock jumped."""
        if session.open_trial is None or since_ns is None:
            return {}
        return {"took_s": round((self._mono_ns() - since_ns) / 1e9, 3)}

    def _check_runs(self, sight: Sight | None) -> None:
        """Refuse a trial of another bundle than the campaign's. Raises Trouble: `wrong_bundle`."""
        shot = sight.session.snapshot if sight is not None and sight.session is not None else None
        if shot is None or shot.state is None or shot.state.bundle is None or shot.link.phase not in CONNECTED:
            return
        runs, wanted = shot.state.bundle.digest, self.campaign.bundle
        if wanted and runs != wanted:
            what = f"the robot runs {short(runs)}, this campaign is about {short(wanted)}"
            raise Trouble(
                what, cure="end the session; a trial of another bundle shows nothing here", code="wrong_bundle"
            )

    def _stop_if_reached(self, person: str, sight: Sight | None) -> None:
        """End the session where a stop rule of its phase is reached."""
        session, phase = self._ongoing.session, self.phases.get(self._ongoing.phase)
        stop = self._ongoing.reached(phase) if session is not None and phase is not None else ""
        if session is None or phase is None or not stop:
            return
        rule = next(one for one in phase.stop if one.id == stop)
        why = f"{rule.title}: {self._ongoing.stop_count(phase, stop)} of {rule.at}"
        self._add(person, lambda: self._ended(session.seq, stop, why, sight))
        self._tell(f"the session is ended by the stop rule '{stop}': {why}")


_KINDS = {"trial": "trial", "frame_scored": "score", "intervention": "intervention"}


def _trial_state(entry: Entry, number: int, why_not: str = "") -> TrialState:
    """The trial of that entry, without folding the record for it."""
    assert isinstance(entry.body, Trial)
    return trial_state(entry, entry.body, number, why_not)


def _scored(
    frame: FrameToScore,
    right: int,
    wrong: int,
    missed: int,
    boxes: tuple[ScoredBox, ...],
    note: str,
    picture: Attachment | None,
    *,
    by_scene: bool = False,
) -> FrameScored:
    return FrameScored(
        session=frame.session,
        phase=frame.phase,
        by="scene" if by_scene else "person",
        frame=frame.frame,
        run=frame.run,
        right=right,
        wrong=wrong,
        missed=missed,
        boxes=boxes,
        drawn=frame.drawn,
        draw=frame.draw,
        draw_of=frame.draw_of,
        picture=picture,
        conditions=frame.conditions,
        note=note,
        fingerprints=frame.fingerprints,
        moment=frame.moment,
    )


def _numbers(measures: Mapping[str, float]) -> dict[str, float]:
    """The numbers. Raises Trouble (`bad_value`) for a name that is none, and for what is not finite."""
    for name, value in measures.items():
        if not name.isidentifier() or len(name) > 48 or not math.isfinite(value) or (name == TOOK and value < 0):
            cure = (
                "write it like took_s=12.5: a name with its unit, and a finite number; nothing takes less than no time"
            )
            raise Trouble(f"{name}={value} is no measure", cure=cure, code="bad_value")
    return {name: float(value) for name, value in measures.items()}
