"""Phases and sessions: begun, looked at, paused, resumed, ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from console.campaigns.vouching import check_reason
from console.checklist.probes import Sight
from console.checklist.wording import short
from console.fieldwork.field_ground import FieldGround
from console.fieldwork.holding import check_held, holding_now, settled_holding
from console.fieldwork.ongoing import SessionNow
from console.fieldwork.trial_conditions import carried, checked
from console.link.snapshot import Snapshot
from console.phases.schema import Entry, Phase
from console.phases.states import FieldState, PhaseState, SessionState
from console.record.entries import (
    Body,
    ConditionSeen,
    ConditionsSet,
    PhaseBegun,
    SessionBegun,
    SessionEnded,
    SessionPaused,
    SessionResumed,
    StopLifted,
)
from remote.errors import Trouble


class FieldSessions(FieldGround):
    """FieldGround, with everything about phases and sessions but what is tried in them."""

    def begin_phase(self, phase_id: str, person: str, reason: str = "") -> PhaseState:
        """Begin a phase, whose entry conditions must all be met. To go back, or begin the same anew, needs a reason.

        Raises Trouble: `unknown_phase`, `entry_unmet`, `session_open`, `no_reason`.
        """
        phase = self.phase_named(phase_id)
        self.campaign.see_files()

        def made() -> Body:
            self._check_no_session(f"begin '{phase_id}'")
            entry = self.state().phase(phase_id).entry
            _check_entered(phase, entry)
            left = self._ongoing.phase
            back = self._is_back(left, phase_id)
            return PhaseBegun(
                phase=phase_id,
                rule=self.campaign.checklist.phase_rules[phase_id],
                reason=check_reason(reason) if back else reason.strip(),
                back_from=left if back else "",
                entry=tuple(entry),
            )

        self._add(person, made)
        return self.state().phase(phase_id)

    def _is_back(self, left: str, phase_id: str) -> bool:
        """Whether the phase is the one that was left, or stands before it."""
        order = list(self.phases)
        return left in order and order.index(phase_id) <= order.index(left)

    def lift_stop(self, phase_id: str, stop: str, reason: str, person: str) -> PhaseState:
        """Say why testing may go on after a stop rule: its count begins anew.

        Raises Trouble: `unknown_phase`, `unknown_stop`, `stop_not_reached`, `no_reason`.
        """
        phase = self.phase_named(phase_id)
        rules = {one.id: one for one in phase.stop}
        if stop not in rules:
            cure = f"there are: {', '.join(rules)}" if rules else "it has none"
            raise Trouble(f"'{phase_id}' has no stop rule '{stop}'", cure=cure, code="unknown_stop")

        def made() -> Body:
            state = next(one for one in self.state().phase(phase_id).stops if one.id == stop)
            if not state.reached:
                what = f"the stop rule '{stop}' is not reached: {state.count} of {state.at}"
                raise Trouble(what, cure="go on testing", code="stop_not_reached")
            return StopLifted(phase=phase_id, stop=stop, reason=check_reason(reason))

        self._add(person, made)
        return self.state().phase(phase_id)

    # ------------------------------------------------------------ sessions

    def begin_session(
        self, sight: Sight | None, person: str, conditions: Mapping[str, str] | None = None
    ) -> SessionState:
        """Begin to test in the current phase, with these conditions carried over into each trial.

        The robot is looked at first: its fingerprints are noted, it must run the campaign's bundle, and every holding condition
        must be met. `sight` may be None where the phase has no holding condition.

        What the phase waits for before it begins must still be so, after that look too: it can show that an item was confirmed
        for another robot, or for none that was seen yet. Where it is refused, the fingerprints that were seen stay noted.

        Raises Trouble: `no_phase`, `phase_changed`, `session_open`, `phase_stopped`, `other_robot`, `wrong_bundle`,
            `holding_unmet`, `unknown_condition`, `entry_unmet`.
        """
        phase = self.check_may_begin(conditions)
        given = carried({}, checked(phase, conditions or {}))
        holding = self._looked_at(sight, person, phase, "begin a session")
        self._check_still_entered(phase)
        journal, last_seq = journal_of(sight)

        def made() -> Body:
            self._check_no_session("begin another")
            self._check_not_stopped(self._current())
            return SessionBegun(
                phase=phase.id,
                rule=self._ongoing.rule,
                conditions=given,
                fingerprints=self._fingerprints(),
                holding=holding,
                journal=journal,
                first_seq=last_seq + 1 if journal else 0,
                moment=self._moment(sight),
            )

        stored = self._add(person, made)
        self._patience.forget()
        self._mark_begun(stored.entry.seq)
        self._told(sight, phase.id, given)
        return self._session_state(stored.entry.seq)

    def check_may_begin(self, conditions: Mapping[str, str] | None = None) -> Phase:
        """The phase that a session would be begun in; asks no robot. Raises Trouble as `begin_session` does."""
        self._caught_up()
        phase = self._current()
        self._check_no_session("begin another")
        self._check_not_stopped(phase)
        checked(phase, conditions or {})
        return phase

    def check_may_resume(self) -> None:
        """Whether there is something to resume; asks no robot. Raises Trouble: `no_session`, `not_paused`."""
        self._caught_up()
        self._check_paused(self._open())

    def look(self, sight: Sight | None) -> FieldState:
        """See whether all still holds, to be called about once a second; where a condition was left, the session is paused.

        It never resumes: only a person does.
        """
        self._caught_up()
        session = self._ongoing.session
        if session is None or session.paused:
            self._patience.forget()
        elif (phase := self.phases.get(session.begun.phase)) is not None:
            seen = holding_now(phase, self.campaign.bundle, sight)
            left = self._patience.left(phase, seen, self._mono_ns())
            if left is not None:
                self._leave(session, phase, *left, sight)
        return self.state()

    def _leave(
        self, session: SessionNow, phase: Phase, seen: ConditionSeen, broken_s: float, sight: Sight | None
    ) -> None:
        title = next(one.title for one in phase.holding if one.id == seen.id)
        why = f"{title}: {seen.words}, for {broken_s:.0f} s"
        self._pause(session.seq, seen.id, why, PROGRAM, sight)
        self._tell(f"the session is paused: {why}")

    def pause(self, why: str, person: str, sight: Sight | None = None) -> SessionState:
        """A person pauses the session. Raises Trouble: `no_session`, `session_paused`."""
        self._caught_up()
        session = self._open()
        if session.paused:
            what = f"the session is paused already: {session.paused}"
            raise Trouble(what, cure="`fieldgate session resume` lets it go on", code="session_paused")
        self._pause(session.seq, "", " ".join(why.split()) or f"{person} paused it", person, sight)
        return self._session_state(session.seq)

    def _pause(self, session: int, condition: str, why: str, person: str, sight: Sight | None) -> None:
        """Pause it, where nobody else has, and nobody ended it, meanwhile."""
        with self.campaign.locked():
            self._caught_up()
            now = self._ongoing.session
            if now is None or now.seq != session or now.paused:
                return
            body = SessionPaused(session=session, condition=condition, why=why, moment=self._moment(sight))
            self._add(person, lambda: body)

    def resume(self, sight: Sight | None, person: str, note: str = "") -> SessionState:
        """A person lets a paused session go on; everything is looked at as when it was begun.

        Raises Trouble: `no_session`, `not_paused`, `other_robot`, `wrong_bundle`, `holding_unmet`.
        """
        self._caught_up()
        session = self._open()
        self._check_paused(session)
        phase = self._current()
        holding = self._looked_at(sight, person, phase, "resume the session")

        def made() -> Body:
            self._check_paused(self._open())
            moment = self._moment(sight)
            return SessionResumed(session=session.seq, note=note.strip(), holding=holding, moment=moment)

        self._add(person, made)
        self._patience.forget()
        self._told(sight, phase.id, session.conditions)
        return self._session_state(session.seq)

    def end_session(self, person: str, sight: Sight | None = None, why: str = "") -> SessionState:
        """End the session. A trial that was begun and not logged stays shown as open and counts nowhere.

        Raises Trouble: `no_session`.
        """
        seqs: list[int] = []

        def made() -> Body:
            seqs.append(self._open().seq)
            return self._ended(seqs[-1], "", " ".join(why.split()), sight)

        self._add(person, made)
        self._told(sight, "", {})  # and nothing is known to be in view any more
        return self._session_state(seqs[-1])

    def set_conditions(self, conditions: Mapping[str, str], person: str, sight: Sight | None = None) -> SessionState:
        """From here on these conditions are carried over into trials, in place of those of the same name; an empty value takes
        one away. The robot is told where it can be.

        Raises Trouble: `no_session`, `unknown_condition`.
        """
        self._caught_up()
        given = checked(self._current(), conditions)
        found: list[tuple[int, dict[str, str]]] = []

        def made() -> Body:
            session = self._open()
            found.append((session.seq, carried(session.conditions, given)))
            return ConditionsSet(session=session.seq, conditions=found[-1][1])

        self._add(person, made)
        seq, now = found[-1]
        self._told(sight, self._ongoing.phase, now)
        return self._session_state(seq)

    # ------------------------------------------------------------ parts

    def _looked_at(self, sight: Sight | None, person: str, phase: Phase, act: str) -> tuple[ConditionSeen, ...]:
        """Everything that must be so of the robot; the holding conditions as they were found."""
        if sight is not None:
            self.campaign.observe(sight, person)
            self._caught_up()
        holding = settled_holding(phase, self.campaign.bundle, sight)
        check_held(phase, holding, act)
        if sight is not None and sight.session is not None:
            self._check_bundle()
        return holding

    def _check_still_entered(self, phase: Phase) -> None:
        """Refuse a session of a phase that could not begin as things are now. Raises Trouble: `entry_unmet`."""
        lacking = _lacking(phase, self.state().phase(phase.id).entry)
        if lacking:
            what = f"no session of '{phase.id}' can begin: {'; '.join(seen.words for _, seen in lacking)}"
            raise Trouble(what, cure=_entry_cures(lacking), code="entry_unmet")

    def _check_bundle(self) -> None:
        wanted, runs = self.campaign.bundle, self._ongoing.fingerprints.get("bundle", "")
        if wanted and runs != wanted:
            what = f"the robot runs {short(runs) or 'no bundle'}, this campaign is about {short(wanted)}"
            cure = f"run `fieldgate start {self.campaign.robot} --bundle {wanted[:12]}`"
            raise Trouble(what, cure=cure, code="wrong_bundle")

    def _check_no_session(self, act: str) -> None:
        session = self._ongoing.session
        if session is not None:
            what = f"can't {act}: a session of '{session.begun.phase}' is open"
            raise Trouble(what, cure="end it first: `fieldgate session end`", code="session_open")

    def _check_not_stopped(self, phase: Phase) -> None:
        stop = self._ongoing.reached(phase)
        if stop:
            rule = next(one for one in phase.stop if one.id == stop)
            what = f"'{phase.id}' was stopped: {rule.title} ({self._ongoing.stop_count(phase, stop)} of {rule.at})"
            lift = f"`fieldgate phase lift {stop} --reason ...` says why it may go on"
            raise Trouble(what, cure=f"{rule.cure.strip()} {lift}".strip(), code="phase_stopped")

    def _check_paused(self, session: SessionNow) -> None:
        if not session.paused:
            raise Trouble("the session is not paused", cure="go on testing", code="not_paused")

    def _ended(self, session: int, stop: str, why: str, sight: Sight | None) -> SessionEnded:
        journal, last_seq = journal_of(sight)
        moment = self._moment(sight)
        return SessionEnded(session=session, stop=stop, why=why, journal=journal, last_seq=last_seq, moment=moment)

    def _mark_begun(self, seq: int) -> None:
        """Remember by the monotonic clock when that entry was written: wall clocks jump."""
        self._begun_mono_ns = {seq: self._mono_ns()}


PROGRAM = "fieldgate"
"""Who pauses a session that nobody paused."""


def journal_of(sight: Sight | None) -> tuple[str, int]:
    """The robot's journal and the last entry of it that is known now; empty and 0 without a robot."""
    session = sight.session if sight is not None else None
    shot = session.snapshot if session is not None else None
    if shot is None or shot.state is None:
        return "", 0
    return shot.state.journal.id, max(shot.state.journal.last_seq, _newest_seq(shot))


def _newest_seq(shot: Snapshot) -> int:
    rows: tuple[Sequence[object], ...] = (shot.windows, shot.hosts, shot.events, shot.failures)
    return max((row[-1].seq for row in rows if row), default=0)  # type: ignore[attr-defined]


def _check_entered(phase: Phase, entry: Sequence[ConditionSeen]) -> None:
    """Refuse a phase whose entry conditions are not all met. Raises Trouble: `entry_unmet`."""
    lacking = _lacking(phase, entry)
    if lacking:
        what = f"'{phase.id}' can't begin: {'; '.join(seen.words for _, seen in lacking)}"
        raise Trouble(what, cure=_entry_cures(lacking), code="entry_unmet")


def _lacking(phase: Phase, entry: Sequence[ConditionSeen]) -> list[tuple[Entry, ConditionSeen]]:
    return [(condition, seen) for condition, seen in zip(phase.entry, entry, strict=True) if seen.met is not True]


def _entry_cures(lacking: Sequence[tuple[Entry, ConditionSeen]]) -> str:
    return "; ".join(dict.fromkeys(_entry_cure(condition) for condition, _ in lacking))


def _entry_cure(condition: Entry) -> str:
    if condition.stage:
        return f"open the gate of '{condition.stage}' (`fieldgate campaign pass {condition.stage}`)"
    if condition.items_of:
        return f"settle the items of '{condition.items_of}' (`fieldgate check`)"
    if condition.item:
        return f"settle '{condition.item}' (`fieldgate check`, or `fieldgate campaign confirm {condition.item}`)"
    return f"pass the phase '{condition.phase}' (`fieldgate phase show`)"
