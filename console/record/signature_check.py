"""One signature of a record: what was signed, by whom, against which roster, and whether the record is still what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from console.record.entries import Attachment, Entry, Opened, Revised, Signature
from console.record.roster import Roster, parse_roster
from console.record.rows import RecordLike
from console.record.signing import verify
from console.record.sshsig import read_armored
from console.record.statements import Statement, plain, read_statement
from remote.errors import Trouble

_SECOND_NS = 1_000_000_000
_ROUNDING_S = 5  # the two may have been read one after the other
_REVISABLE = ("bundle", "bundle_name", "revision", "pack", "overlays", "roster")


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One signature. `bad` says why it does not hold against the record and its own roster; empty where it does.

    `distrusted` says why it does not hold against the roster given from outside; empty where it does or none was given.
    `withdrawn` says where and why somebody took it back, which is no forgery. `head` is the last entry that it covers;
    `statement` the SHA-256 of the text that was signed, `roster` that of the record's roster in force then.
    """

    seq: int
    wall_ns: int
    stage: str
    meaning: str
    principal: str
    name: str
    role: str
    key: str
    local_time: str
    head: int
    statement: str
    roster: str = ""
    bad: str = ""
    distrusted: str = ""
    withdrawn: str = ""


class Ground:
    """What signatures stand on while a record is gone through from its first entry: what is in force, and all digests.

    Args:
        record: gives attachments.
        trusted: the roster from outside, or None.
        digests: the SHA-256 of each entry's line by its number.
        items: the item of each entry by its number.
    """

    def __init__(
        self, *, record: RecordLike, trusted: Roster | None, digests: dict[int, str], items: dict[int, str]
    ) -> None:
        self.record = record
        self.trusted = trusted
        self.digests = digests
        self.items = items
        self.opened: Opened | None = None
        self._rosters: dict[str, Roster | str] = {}

    def take(self, body: Opened | Revised) -> None:
        """From here on this is in force."""
        if isinstance(body, Opened):
            self.opened = body
        elif self.opened is not None:
            new = {name: getattr(body, name) for name in _REVISABLE if getattr(body, name) is not None}
            self.opened = msgspec.structs.replace(self.opened, **new)

    def pack(self) -> str:
        """The name of the pack in force."""
        return self.opened.pack_name if self.opened else ""

    def roster(self) -> Roster:
        """The record's own roster in force. Trouble where there is none or it can't be read."""
        attached = self.opened.roster if self.opened else None
        if attached is None:
            raise Trouble("the record holds no roster to check it against", code="bad_roster")
        if attached.digest not in self._rosters:
            self._rosters[attached.digest] = self._read(attached)
        found = self._rosters[attached.digest]
        if isinstance(found, str):
            raise Trouble(found, code="bad_roster")
        return found

    def roster_or_none(self) -> Roster | None:
        """The same, or None where there is none that can be read."""
        try:
            return self.roster()
        except Trouble:
            return None

    def _read(self, attached: Attachment) -> Roster | str:
        """The roster, or why it can't be had: said again for each signature, read once."""
        try:
            text = self.record.attachment(attached.digest).decode("utf-8")
            return parse_roster(text, f"the record's roster {attached.name}")
        except UnicodeDecodeError:
            return "the record's roster is no text"
        except Trouble as trouble:
            return trouble.what


def check_signature(entry: Entry, signature: Signature, ground: Ground) -> Checked:
    """Everything about one signature; a forged one never raises. Trouble `no_ssh_keygen`."""
    roster = ground.opened.roster if ground.opened else None
    checked = Checked(
        seq=entry.seq,
        wall_ns=entry.wall_ns,
        stage=signature.stage,
        meaning=signature.meaning,
        principal=signature.principal,
        name=signature.name,
        role=signature.role,
        key=signature.key,
        local_time=signature.local_time,
        head=signature.head,
        statement=signature.statement.digest,
        roster=roster.digest if roster else "",
    )
    try:
        data = ground.record.attachment(signature.statement.digest)
        statement = read_statement(data)
        read_armored(signature.armored)
        own = ground.roster()
    except Trouble as trouble:
        return msgspec.structs.replace(checked, bad=trouble.what, distrusted=trouble.what if ground.trusted else "")
    at_wall_ns = max(entry.wall_ns, _seconds(statement.utc) * _SECOND_NS)
    differs = next(_differences(entry, signature, statement, ground), "")
    bad = differs or _by(own, data, signature, ground.pack(), at_wall_ns)
    trusted = ground.trusted
    distrusted = _by(trusted, data, signature, ground.pack(), at_wall_ns) if trusted is not None else ""
    return msgspec.structs.replace(checked, bad=bad, distrusted=distrusted)


def _by(roster: Roster, data: bytes, signature: Signature, pack: str, at_wall_ns: int) -> str:
    person = roster.find(signature.principal)
    if person is None:
        return f"'{signature.principal}' is not in the roster"
    if person.name != signature.name:
        return f"the roster calls {signature.principal} '{person.name}', the signature '{signature.name}'"
    refused = person.why_not(signature.role, pack, at_wall_ns)
    return refused or verify(data, signature.armored, roster, signature.principal, at_wall_ns)


def _differences(entry: Entry, signature: Signature, statement: Statement, ground: Ground) -> Iterator[str]:
    """Where entry, statement and record don't agree, each as a sentence."""
    for word in ("stage", "meaning", "name", "principal", "role", "key"):
        signed = getattr(statement, word)
        if signed != plain(getattr(signature, word)):
            yield f"its entry says {word} '{getattr(signature, word)}', the signed statement '{signed}'"
    if read_armored(signature.armored).fingerprint != signature.key:
        yield f"its entry names the key {signature.key}, the signature was given with another one"
    yield from _times(signature, statement)
    yield from _about(statement, ground)
    yield from _stands_on(entry, signature, statement, ground)


def _times(signature: Signature, statement: Statement) -> Iterator[str]:
    if statement.local != plain(signature.local_time):
        yield f"its entry says local time {signature.local_time}, the signed statement {statement.local}"
    if not _seconds(statement.utc):
        yield f"the statement's time is none: {statement.utc}"
    elif abs(_seconds(statement.local) - _seconds(statement.utc)) > _ROUNDING_S:
        yield f"the statement's two times differ: {statement.utc} and {statement.local}"


def _about(statement: Statement, ground: Ground) -> Iterator[str]:
    opened = ground.opened
    if opened is None:
        yield "nothing was opened before it"
        return
    bundle = f"{opened.bundle_name}, sha256 {opened.bundle}" if opened.bundle_name else opened.bundle
    pairs = (
        ("campaign", statement.campaign, opened.campaign),
        ("robot", statement.robot, opened.robot),
        ("bundle", statement.bundle, bundle),
        ("revision", statement.revision, opened.revision),
    )
    for word, signed, now in pairs:
        if signed != plain(now):
            yield f"it was given for the {word} '{signed}', the record says '{now}'"


def _stands_on(entry: Entry, signature: Signature, statement: Statement, ground: Ground) -> Iterator[str]:
    seq, digest = statement.head_entry()
    found = ground.digests.get(seq)
    if found is None or seq >= entry.seq:
        yield f"it was given on a record that had {seq} entries before it; some of them are missing here"
    elif found != digest:
        yield f"the record was changed after it was signed: entry {seq} or one before it is not what was signed"
    if seq != entry.seq - 1:
        yield f"it was given right behind entry {seq}, but stands as entry {entry.seq}: entries were put between or taken out"
    if signature.head != seq:
        yield f"its entry says that it stands on entry {signature.head}, the signed statement says {seq}"
    yield from _covers(signature, statement, ground)


def _covers(signature: Signature, statement: Statement, ground: Ground) -> Iterator[str]:
    if {k: v for k, v in signature.covers.items() if v} != {plain(k): v for k, v in statement.covers().items() if v}:
        yield "its entry covers other evidence than the signed statement"
    if {plain(id): basis for id, basis in signature.phases.items()} != statement.phases():
        yield "its entry covers other phases than the signed statement"
    for item in statement.items:
        rests_on = item.rests_on()
        if rests_on is None:
            continue
        if ground.digests.get(rests_on[0]) != rests_on[1]:
            yield f"'{item.item}' was signed on entry {rests_on[0]}, which is not the same any more"
        elif plain(ground.items.get(rests_on[0], "")) != item.item:
            yield f"'{item.item}' was signed on entry {rests_on[0]}, which is about '{ground.items.get(rests_on[0])}'"


def _seconds(moment: str) -> int:
    """Seconds since the Unix epoch of an ISO 8601 time with its offset; 0 for what is none."""
    try:
        when = datetime.fromisoformat(moment.replace("Z", "+00:00"))
        return int(when.timestamp()) if when.tzinfo is not None else 0
    except (ValueError, OverflowError):
        return 0
