"""A campaign's field test: everything that screens and commands do to phases, sessions and trials goes through here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.fieldwork.field_trials import FieldTrials
from console.fieldwork.ongoing import SessionNow
from console.phases.states import SessionState
from console.record.entries import Moment, SessionMeasured
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.store.store import Store


class FieldTest(FieldTrials):
    """A whole field test: FieldGround says how things are, FieldSessions adds phases and sessions, FieldTrials what is tried
    and scored, this class what the robot's journal says of it.

    Thread-safe and blocking: a screen calls it from worker threads. Whatever a method refuses it raises as Trouble, before
    anything is written; what it accepts is synced to the disk when it returns, so a laptop that crashes loses nothing. Several
    processes may use one campaign at once.
    """

    def measure(self, store: Store, person: str) -> SessionMeasured:
        """Count what the robot's journal says of every session, as far as it has come to this laptop, and write down what
        differs from what was written last. What it says of the newest session, which ends where its crashes reach a stop rule.

        Raises Trouble: `no_data` where no session had a robot.
        """
        self._caught_up()
        newest: SessionMeasured | None = None
        for state in self.state().sessions:
            if state.journal:
                newest = self._measure(store, state, person)
        if newest is None:
            cure = "begin a session with a robot"
            raise Trouble("no session had a robot whose journal could tell of it", cure=cure, code="no_data")
        self._stop_if_reached(person, None)
        return newest

    def _measure(self, store: Store, state: SessionState, person: str) -> SessionMeasured:
        from console.store.running import running_between

        session = self._ongoing.sessions[state.seq]
        before = session.measured
        if before is not None and _is_final(session, before):
            return before
        end_ns = state.ended_wall_ns or max(self.campaign.wall_ns(), state.began_wall_ns)
        robot = self.campaign.robot
        found = running_between(store, robot, state.began_wall_ns, end_ns, interventions=state.interventions)
        if before is not None and before.measured == found:
            return before
        body = SessionMeasured(
            session=state.seq,
            measured=found,
            fingerprints=session.begun.fingerprints,
            moment=Moment(wall_ns=self.campaign.wall_ns()),
        )
        if found.running.known_s > 0 or before is not None:  # a journal that has not come yet says nothing
            self._add(person, lambda: body)
        return body


def _is_final(session: SessionNow, before: SessionMeasured) -> bool:
    """Whether all of an ended session is known: nothing can be added to it."""
    running = before.measured.running
    return session.ended and running.wanted_s > 0 and running.unknown_s == 0
