"""A campaign: bringing one bundle onto one robot. Everything that screens and commands do to a checklist goes through here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from console.campaigns import vouching
from console.campaigns.gates import Gates
from console.checklist.states import ItemState
from console.record.canonical import kind_of
from console.record.entries import (
    Attachment,
    Confirmation,
    Deferral,
    Fix,
    Meaning,
    Note,
    Override,
    Signature,
    Transcribed,
    Withdrawal,
)
from console.record.ledger import Ledger
from remote.errors import Trouble


class Campaign(Gates):
    """A whole campaign: Standing says how things are, Looking adds probes and values, Gates what opens a stage, this class
    what people say of items.

    Thread-safe and blocking: a screen calls it from worker threads. Whatever a method refuses it raises as Trouble, before
    anything is written; what it accepts is synced to the disk when it returns.
    """

    def confirm(
        self,
        item_id: str,
        holds: bool,
        person: str,
        *,
        meaning: Meaning = "performed",
        note: str = "",
        answer: str = "",
        looked_ms: int | None = None,
        files: Sequence[Path] = (),
        transcribed: Transcribed | None = None,
    ) -> ItemState:
        """A person vouches for the item's statement (`holds`), or says that it does not hold.

        Args:
            item_id: a confirmed or witnessed item.
            holds: yes or no.
            person: the principal of who says so.
            meaning: `performed`, or `witnessed` by a second person.
            note: their words.
            answer: what they typed for a critical item: the last four characters of the robot's serial number as this campaign
                saw it. A wrong answer is noted and raises Trouble `challenge_failed`.
            looked_ms: how long the statement was on the screen; None: not known.
            files: photos or other files to keep with it.
            transcribed: where this was written on paper first.

        Raises:
            Trouble: `not_confirmable`, `not_applicable`, `nothing_to_witness`, `same_person`, `not_in_roster`,
                `challenge_failed`, `challenge_unknown`, `nothing_attached`.
        """
        with self._lock:
            state = self.item_state(item_id)
            vouching.check_confirmable(state, meaning, holds)
            if meaning == "witnessed":
                pack = self.checklist.pack.name
                vouching.check_witness(state, person, self.roster, pack, self.now_ns(), self.name)
            if holds:
                vouching.check_listed(state, person, self.roster, self.name)
            challenge = self._challenged(state, answer, person) if holds else ""
            attachments = self._attached(files)
            vouching.check_inspected(state.item, holds, meaning, attachments)
            statement = state.item.statement or state.item.title
            body = Confirmation(
                item=item_id,
                meaning=meaning,
                holds=holds,
                statement=statement,
                note=note,
                challenge=challenge,
                looked_ms=looked_ms,
                too_quick=holds and vouching.too_quick(statement, looked_ms),
                rule=self.checklist.rules[item_id],
                fingerprints=self._resting_on(state.item.rests_on),
                attachments=attachments,
                transcribed=transcribed,
            )
            self._append(person, body)
            return self.item_state(item_id)

    def challenge(self, item_id: str) -> str:
        """What a person must type to confirm the item, in words; empty where nothing is asked."""
        return vouching.challenge_words(self.item_state(item_id))

    def override(self, item_id: str, role: str, reason: str, days: float, person: str) -> ItemState:
        """Let an item stand though it is not passed, for 1 to 90 days; it stays counted and in sight.

        Raises Trouble: `not_allowed`, `not_in_roster`, `no_reason`, `bad_days`, `nothing_to_do`.
        """
        with self._lock:
            state = self.item_state(item_id)
            vouching.check_unsettled(state, "override")
            vouching.check_role(
                state.item, role, state.item.override_by, "override", self.who_may(*state.item.override_by)
            )
            self.person(person, role)
            said, span_ns = vouching.check_reason(reason), vouching.check_days(days)
            ends_ns = self.now_ns() + span_ns
            self._append(person, Override(item=item_id, role=role, reason=said, expires_wall_ns=ends_ns))
            return self.item_state(item_id)

    def defer(self, item_id: str, role: str, until_stage: str, owner: str, reason: str, person: str) -> ItemState:
        """Put an item off to a later stage, which it then blocks; `owner` answers for it.

        Raises Trouble: `not_allowed`, `not_in_roster`, `no_reason`, `no_owner`, `bad_stage`, `nothing_to_do`.
        """
        with self._lock:
            state = self.item_state(item_id)
            vouching.check_unsettled(state, "defer")
            vouching.check_role(state.item, role, state.item.defer_by, "defer", self.who_may(*state.item.defer_by))
            self.person(person, role)
            stages = [stage.id for stage in self.checklist.pack.stages]
            later = stages[stages.index(state.stage) + 1 :]
            if until_stage not in later:
                cure = f"later stages are: {', '.join(later)}" if later else "its stage is the last one: settle it"
                raise Trouble(f"'{until_stage}' is no stage after '{state.stage}'", cure=cure, code="bad_stage")
            if not owner.strip():
                raise Trouble("nobody would answer for it", cure="name an owner", code="no_owner")
            said = vouching.check_reason(reason)
            body = Deferral(item=item_id, role=role, until_stage=until_stage, owner=owner.strip(), reason=said)
            self._append(person, body)
            return self.item_state(item_id)

    def fix(self, item_id: str, text: str, person: str) -> ItemState:
        """Write down what was done about the item's last failure. Raises Trouble: `no_failure`, `no_reason`."""
        with self._lock:
            state = self.item_state(item_id)
            if state.last_failure_seq is None:
                raise Trouble(f"'{item_id}' never failed", cure="write a note instead", code="no_failure")
            said = vouching.check_fix(text)
            self._append(person, Fix(item=item_id, failure_seq=state.last_failure_seq, text=said))
            return self.item_state(item_id)

    def withdraw(self, seq: int, reason: str, person: str) -> None:
        """Take back a confirmation, an override, a deferral, a signature, a poll answer, a trial, a score or an intervention.

        The entry stays in the record, and a trial that was taken back is counted as undone wherever its phase is shown. So
        everybody may; but a signature is taken back by its signer, or by one who has a role that signs at its gate.

        Raises Trouble: `entry_missing`, `not_withdrawable`, `withdrawn_already`, `no_reason`, `not_allowed`.
        """
        with self._lock:
            body = self.record.entry(seq).body
            vouching.check_withdrawable(seq, kind_of(body))
            if isinstance(body, Signature):
                at = [stage for stage in self.checklist.pack.stages if stage.id == body.stage]
                roles = tuple(role for stage in at for one in stage.gate.signatures for role in one.roles)
                vouching.check_withdrawer(body, roles, person, self.roster, self.who_may(*roles))
            said = vouching.check_reason(reason)
            if seq in Ledger(self.record.rows()).withdrawn:
                raise Trouble(f"entry {seq} is withdrawn already", cure="nothing to do", code="withdrawn_already")
            self._append(person, Withdrawal(seq=seq, reason=said))

    def note(
        self, text: str, person: str, item_id: str = "", files: Sequence[Path] = (), *, about: int = 0
    ) -> tuple[Attachment, ...]:
        """Keep a person's words, on an item, on the entry `about` or on the whole campaign, and files, which are returned as
        kept.

        Raises Trouble: `unknown_item`, `entry_missing`, `no_text`, or what attaching raises.
        """
        if about:
            self.record.entry(about)
        item = self.item_state(item_id).item.id if item_id else ""
        if not text.strip() and not files:
            raise Trouble("the note is empty", cure="say something, or attach a file", code="no_text")
        attachments = self._attached(files)
        self._append(person, Note(item=item, about=about, text=text.strip(), attachments=attachments))
        return attachments

    def _challenged(self, state: ItemState, answer: str, person: str) -> str:
        """Which check was answered, empty where none is asked. A wrong answer is noted and raised."""
        asked = vouching.challenge_words(state)
        if not asked:
            return ""
        if not answer.strip():
            raise Trouble(f"'{state.item.id}' is critical", cure=f"{asked} (`--answer`)", code="challenge_failed")
        if not vouching.is_serial(answer, self.seen_facts().get("serial", ""), state.item.id):
            self._append(person, Note(item=state.item.id, text="gave a wrong serial number; not confirmed"))
            what = f"that is not it: '{state.item.id}' stays as it is, and the wrong answer is noted"
            raise Trouble(what, cure=f"{asked}, as the robot itself shows it", code="challenge_failed")
        return "serial"
