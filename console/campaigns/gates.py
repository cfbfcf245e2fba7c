"""The part of a campaign that opens gates: the go/no-go poll, statements, signatures, and what is in force."""

from __future__ import annotations

import calendar
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

import msgspec

from console.campaigns import vouching
from console.campaigns.in_force import attach_text, read_kpis, read_source
from console.campaigns.looking import Looking
from console.campaigns.origin import Origin
from console.campaigns.statement import covers_of, phases_of, statement_of
from console.checklist.packs.loading import pack_path, parse_checklist
from console.checklist.packs.sources import Source
from console.checklist.signatories import why_not_sign
from console.checklist.states import SignatureState, StageState
from console.record import signing
from console.record.entries import GatePassed, Meaning, Poll, Revised, Signature
from console.record.roster import load_roster
from console.record.rows import Head
from console.record.statements import Statement, read_statement
from console.record.verify import verify_record
from remote.errors import Trouble


class Gates(Looking):
    """Looking, with all that opens a stage's gate and what changes the checklist itself."""

    def stage_state(self, stage: str) -> StageState:
        """How a stage stands; Trouble (`unknown_stage`) where there is none of that id."""
        wanted = self.check_stage(stage)
        return next(one for one in self.state().stages if one.stage.id == wanted)

    def poll(self, stage: str, role: str, go: bool, person: str, note: str = "") -> StageState:
        """Answer the stage's go/no-go in a role. Raises Trouble: `unknown_stage`, `not_allowed`, `not_in_roster`."""
        with self._lock:
            found = self.stage_state(stage)
            asked = found.stage.gate.poll
            if role not in asked:
                cure = f"asked are: {', '.join(asked)}" if asked else "its gate asks nobody"
                raise Trouble(f"the gate of '{stage}' does not ask '{role}'", cure=cure, code="not_allowed")
            self.person(person, role)
            self.see_files()
            found = self.stage_state(stage)
            self._append(person, Poll(stage=stage, role=role, go=go, note=note, basis=found.gate.basis))
        return self.stage_state(stage)

    def statement(self, stage: str, meaning: Meaning, principal: str, key: signing.KeyChoice) -> bytes:
        """What this person would sign now, readable text. Raises Trouble where they may not sign it, which says why."""
        fingerprint = signing.public_half(key).fingerprint
        with self._lock:
            self.see_files()
            now_ns = self.now_ns()
            return self._stated(stage, meaning, principal, fingerprint, now_ns, _local(now_ns))

    def sign(
        self,
        stage: str,
        meaning: Meaning,
        principal: str,
        key: signing.KeyChoice,
        *,
        shown: bytes | None = None,
        tell: Callable[[str], None] = lambda words: None,
    ) -> SignatureState:
        """Sign the stage's statement with the person's own SSH key; blocks while a passphrase or a touch is asked for.

        Args:
            stage: the stage's id.
            meaning: what the signature means.
            principal: who signs, from the roster.
            key: with which key.
            shown: the statement that the person has read; refused (`statement_changed`) where the record went on since. None:
                the statement is made now.
            tell: gets a sentence when a touch is waited for.

        Raises:
            Trouble: `not_allowed`, `not_in_roster`, `key_...`, `statement_changed`, whatever signing raises (docs/record.md).
        """
        self.see_files()
        self.known_person(principal)
        text = shown if shown is not None else self.statement(stage, meaning, principal, key)
        signing.check_key(self.roster, principal, signing.public_half(key))
        self._unchanged(text, stage, meaning, principal)
        armored = signing.sign(text, key, tell=tell)
        with self._lock:
            said = self._unchanged(text, stage, meaning, principal)  # signing may have taken minutes
            body = self._signature(said, text, armored, meaning)
            stored = self.record.append(principal, body, behind=Head(*said.head_entry()))
        given = self.stage_state(stage).gate.signatures
        return next(one for one in given if one.seq == stored.entry.seq)

    def pass_gate(self, stage: str, person: str) -> StageState:
        """Open the stage's gate.

        Raises Trouble: `gate_blocked` that names everything that is missing, or `record_forged` where what the gate would open
        on was not given by those in whose name it stands.
        """
        with self._lock:
            self.see_files()
            found = self.stage_state(stage)
            if found.gate.open:
                raise Trouble(f"the gate of '{stage}' is open already", cure="go on", code="gate_open")
            if found.gate.blocked_by:
                what = f"the gate of '{stage}' stays shut: {'; '.join(found.gate.blocked_by)}"
                raise Trouble(what, cure="settle that first", code="gate_blocked")
            self._check_record()
            signatures = tuple(one.seq for one in found.gate.signatures if not one.void)
            self._append(person, GatePassed(stage=stage, signatures=signatures))
        return self.stage_state(stage)

    def revise(
        self,
        reason: str,
        person: str,
        *,
        bundle: str | None = None,
        bundle_name: str | None = None,
        pack: Path | str | None = None,
        overlays: Sequence[Path] | None = None,
        roster: Path | None = None,
    ) -> None:
        """Put another bundle, pack, overlays or roster in force; None leaves each as it is. What rested on the old goes stale.

        Raises Trouble: `no_reason`, `nothing_to_do`, `bad_pack`, `bad_roster`.
        """
        said = vouching.check_reason(reason)
        if bundle is None and pack is None and overlays is None and roster is None:
            raise Trouble(
                "nothing is to be revised", cure="name a bundle, a pack, overlays or a roster", code="nothing_to_do"
            )
        with self._lock:
            opened = self._force.opened
            is_same = (bundle, bundle_name or "") == (opened.bundle, opened.bundle_name)
            if is_same and pack is None and overlays is None and roster is None:
                what = f"nothing is to be revised: {bundle_name or 'it'} {self.bundle[:8]} is the same bundle as before"
                raise Trouble(what, cure="leave it, or name the bundle that is new", code="nothing_to_do")
            name = (bundle_name or "") if bundle is not None else None  # the old bundle's name is not the new one's
            body = Revised(reason=said, bundle=bundle, bundle_name=name)
            self._append(person, self._with_roster(self._with_checklist(body, pack, overlays), roster))
            self.state()

    def _check_record(self) -> None:
        report = verify_record(self.record)
        if not report.intact:
            wrong = [f"{one.where}: {one.what}" for one in report.problems]
            wrong += [f"entry {one.seq}: {one.bad}" for one in report.signatures if one.bad]
            what = f"the record is not what its people wrote and signed: {'; '.join(wrong[:3])}"
            raise Trouble(what, cure=f"see `fieldgate verify {self.name}`", code="record_forged")

    def _stated(
        self, stage: str, meaning: Meaning, principal: str, fingerprint: str, wall_ns: int, local_time: str
    ) -> bytes:
        person, pack = self.known_person(principal), self.checklist.pack.name
        found = self.stage_state(stage)
        why_not = why_not_sign(found, meaning, person, fingerprint, pack, self.now_ns(), self.roster)
        if why_not:
            raise Trouble(why_not, cure=self._who_signs(found, meaning), code="not_allowed")
        return statement_of(self.state(), stage, meaning, person, fingerprint, wall_ns, local_time, pack=pack)

    def _who_signs(self, stage: StageState, meaning: Meaning) -> str:
        wanted = stage.stage.gate.signatures
        roles = [role for one in wanted if one.meaning == meaning for role in one.roles]
        if roles:
            return f"let somebody sign who may: {self.who_may(*roles)}"
        return f"asked are: {', '.join(dict.fromkeys(one.meaning for one in wanted)) or 'no signatures'}"

    def _unchanged(self, text: bytes, stage: str, meaning: Meaning, principal: str) -> Statement:
        """The statement, read back; Trouble (`statement_changed`) where it is not what the record says now."""
        said = read_statement(text)
        with self._lock:
            now = self._stated(stage, meaning, principal, said.key, _wall_ns(said.utc), said.local)
        if now != text:
            what = f"the record went on since the statement on '{stage}' was shown"
            raise Trouble(what, cure="read it again, then sign", code="statement_changed")
        return said

    def _signature(self, said: Statement, text: bytes, armored: str, meaning: Meaning) -> Signature:
        name = f"{said.stage}-{meaning}-{said.principal}.txt"
        return Signature(
            stage=said.stage,
            meaning=meaning,
            principal=said.principal,
            name=self.roster.person(said.principal).name,
            role=said.role,
            key=said.key,
            statement=self.record.attach(text, name, "text/plain"),
            armored=armored,
            covers=covers_of(self.state(), said.stage),
            phases=phases_of(self.state(), said.stage),
            head=said.head_entry()[0],
            local_time=said.local,
        )

    def _with_checklist(self, body: Revised, pack: Path | str | None, overlays: Sequence[Path] | None) -> Revised:
        """The revision with the checklist that is to be in force; what is not given stays as the record has it."""
        if pack is None and overlays is None:
            return body
        old = [Source(*source) for source in self.checklist.sources]
        path = None if pack is None else pack_path(pack)
        first = old[0] if path is None else read_source(path)
        laid = old[1:] if overlays is None else [read_source(one) for one in overlays]
        checklist = parse_checklist([first, *laid])
        if checklist.pack.name != self.checklist.pack.name:
            what = f"the campaign goes by '{self.checklist.pack.name}', this pack is '{checklist.pack.name}'"
            raise Trouble(what, cure="make a campaign of its own for it", code="other_pack")
        was = Origin.read(self.folder)
        kept = Origin.of(
            path or Path(was.pack), overlays if overlays is not None else [Path(one) for one in was.overlays]
        )
        kept.write(self.folder)
        texts = [attach_text(self.record, one) for one in (first, *laid)]
        beside = read_kpis(path) if path is not None else None
        kpis = attach_text(self.record, beside) if beside is not None else None
        changed = kpis if kpis != self._force.opened.kpis else None
        return msgspec.structs.replace(
            body, revision=checklist.revision, pack=texts[0], overlays=tuple(texts[1:]), kpis=changed
        )

    def _with_roster(self, body: Revised, roster: Path | None) -> Revised:
        if roster is None:
            return body
        load_roster(roster)
        return msgspec.structs.replace(body, roster=self.record.attach_file(roster))


def _local(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns // 1_000_000_000, timezone.utc).astimezone().isoformat(timespec="seconds")


def _wall_ns(utc: str) -> int:
    """Of a statement's time, to the second."""
    return calendar.timegm(time.strptime(utc, "%Y-%m-%dT%H:%M:%SZ")) * 1_000_000_000
