"""The ground that a field test stands on: its campaign, how its phases stand, and adding entries behind what was read."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import msgspec

from console.campaigns.campaign import Campaign
from console.campaigns.looking_at import moment_of
from console.checklist.probes import Sight
from console.checklist.wording import short
from console.fieldwork.holding import Patience
from console.fieldwork.ongoing import Ongoing, SessionNow, check_current
from console.fieldwork.telling import tell_watch
from console.phases.schema import Phase
from console.phases.states import FieldState, SessionState
from console.record.entries import Body, Entry, Moment, Revised
from console.record.rows import Head, Stored
from remote.errors import Trouble
from remote.protocol import Watch
from remote.refusals import nearest_of

_TRIES = 20
"""So often a new entry is tried behind what other programs add meanwhile."""
RESTING_ON = ("bundle", "robot")
"""The fingerprints without which no trial counts."""

Tell = Callable[[str], None]
"""Gets a sentence that a person should read, such as that the robot was not told the conditions."""


class FieldGround:
    """A campaign's field test, read; FieldTest adds what people do.

    Args:
        campaign: the campaign, owned and closed by whoever made it.
        tell: gets what a person should read beside the result.
        mono_ns: the laptop's monotonic clock, the same that sights have.
    """

    def __init__(
        self,
        campaign: Campaign,
        tell: Tell = lambda words: None,
        *,
        mono_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.campaign = campaign
        self._tell = tell
        self._mono_ns = mono_ns
        self._patience = Patience()
        self._begun_mono_ns: dict[int, int] = {}
        with campaign.locked():
            rows = campaign.record.rows()
            self._ongoing = Ongoing.of(rows, lambda: campaign.checklist)
            self._head = Head(rows[-1].seq, rows[-1].digest)

    def state(self) -> FieldState:
        """How all phases stand now."""
        return self.campaign.state().field

    @property
    def phases(self) -> Mapping[str, Phase]:
        """The phases of the checklist in force, by id, in their order."""
        return {phase.id: phase for phase in self.campaign.checklist.pack.phases}

    def phase_named(self, phase_id: str) -> Phase:
        """The phase of that id. Raises Trouble (`unknown_phase`) with the nearest known one."""
        known = self.phases
        if phase_id in known:
            return known[phase_id]
        pack = self.campaign.checklist.pack.name
        cure = nearest_of(phase_id, known, "phases") if known else "use a pack that has phases (docs/phases.md)"
        what = f"the pack '{pack}' has no phase '{phase_id}'" if known else f"the pack '{pack}' has no phases"
        raise Trouble(what, cure=cure, code="unknown_phase")

    # ------------------------------------------------------------ for those who write

    def _add(self, person: str, made: Callable[[], Body]) -> Stored:
        """Add what `made` returns, durably, right behind everything that it looked at.

        It looks at what is known here, without reading the record; where another program has added something, which
        the record tells when it is written, it is made again. What it refuses it refuses by the newest state only.
        """
        with self.campaign.locked():
            for _ in range(_TRIES):
                try:
                    stored = self.campaign.record.append(person, made(), behind=self._head)
                except Trouble:
                    if not self._caught_up():
                        raise
                    continue
                self._take(stored.entry, stored.digest)
                return stored
        raise Trouble("other programs write into this record all the time", cure="try again", code="record_went_on")

    def _caught_up(self) -> bool:
        """Read what was added since; whether something was."""
        with self.campaign.locked():
            before, head = self._head, self.campaign.record.head()
            for seq in range(before.seq + 1, head.seq + 1):
                entry = self.campaign.record.entry(seq)
                if isinstance(entry.body, Revised):
                    self.campaign.state()  # takes the revision over
                self._ongoing.take(entry)
            self._head = head
            return head != before

    def _take(self, entry: Entry, digest: str) -> None:
        self._ongoing.take(entry)
        self._head = Head(entry.seq, digest)

    def _current(self) -> Phase:
        """The phase that was begun last. Raises Trouble: `no_phase`, `phase_changed`."""
        return check_current(self._ongoing, self.phases.get(self._ongoing.phase))

    def _open(self) -> SessionNow:
        """The session that is not ended. Raises Trouble: `no_session`."""
        session = self._ongoing.session
        if session is None:
            raise Trouble("no session is open", cure="begin one: `fieldgate session begin`", code="no_session")
        return session

    def _taking(self) -> tuple[SessionNow, Phase]:
        """The open session, which takes trials, and its phase. Raises Trouble: `no_session`, `session_paused`,
        `bundle_changed`."""
        session = self._open()
        if session.paused:
            what = f"the session is paused: {session.paused}"
            raise Trouble(what, cure="mend it, then `fieldgate session resume`", code="session_paused")
        phase, began = self._current(), session.begun.fingerprints.get("bundle", "")
        if began != self.campaign.bundle:
            what = f"the session began with {short(began)}, the campaign is about {short(self.campaign.bundle)} since"
            raise Trouble(what, cure="end the session and begin another", code="bundle_changed")
        return session, phase

    def _session_state(self, seq: int) -> SessionState:
        return next(one for one in self.state().sessions if one.seq == seq)

    def _moment(self, sight: Sight | None) -> Moment:
        return Moment(wall_ns=self.campaign.wall_ns()) if sight is None else moment_of(sight)

    def _fingerprints(self) -> dict[str, str]:
        """What a trial rests on, as it is known now; empty text for what was never seen."""
        known = {**self._ongoing.fingerprints, "bundle": self.campaign.bundle}
        return {name: known.get(name, "") for name in RESTING_ON}

    def _told(self, sight: Sight | None, phase: str, conditions: Mapping[str, str]) -> None:
        """Tell the robot under which conditions it works from now on; say where it could not be told."""
        if sight is None or sight.session is None:
            return
        words = {"phase": phase, **conditions} if phase else None
        why_not = tell_watch(sight, lambda watch: _under(watch, words))
        if why_not:
            self._tell(f"the robot was not told the conditions: {why_not}; its own entries go on under the old ones")


def _under(watch: Watch, words: dict[str, str] | None) -> Watch:
    """With these conditions; without a session (None) also nothing is known to be in view any more."""
    if words is None:
        return msgspec.structs.replace(watch, conditions={}, expected=(), complete=False, own_truth=False)
    return msgspec.structs.replace(watch, conditions=words)
