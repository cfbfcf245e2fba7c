"""Whether a record is what its people signed: chain, attachments, references, statements and signatures. Reads, never writes.

What each check can and can't find is said in docs/record.md, "Signatures".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from console.record.attachments import attachments_of
from console.record.canonical import digest_of, entry_of, item_of
from console.record.chain import check_chain
from console.record.entries import Entry, GatePassed, Opened, Revised, Signature, Withdrawal
from console.record.field_checks import FieldChecks
from console.record.roster import Roster
from console.record.rows import Head, RecordLike, Row
from console.record.signature_check import Checked, Ground, check_signature
from console.record.statements import plain
from remote.errors import Trouble


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is not as it was written. `where` names the place; `seq` is its entry, None where it has none."""

    where: str
    what: str
    seq: int | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What was found.

    `head` is the last entry as its bytes say. `protected_to` is the number of the last entry that a good signature covers,
    0 without one: whatever comes after it can be made anew by anybody who can write the file. `known` are the heads that were
    written down elsewhere and compared. `passing`: all behind `protected_to` are gates passed, which always come
    behind the signatures. `trusted` says whether signatures were also checked against a roster given from outside.
    `notes` are facts that are no forgery: a clock set back, entries dated in the future.
    """

    campaign: str = ""
    robot: str = ""
    bundle: str = ""
    entries: int = 0
    head: Head = Head()
    problems: tuple[Problem, ...] = ()
    signatures: tuple[Checked, ...] = ()
    protected_to: int = 0
    known: tuple[Head, ...] = ()
    passing: bool = False
    trusted: bool = False
    notes: tuple[str, ...] = ()

    @property
    def intact(self) -> bool:
        """Whether nothing was changed and every signature is good, against every roster that was asked."""
        return not self.problems and not any(one.bad or one.distrusted for one in self.signatures)


def verify_record(
    record: RecordLike, roster: Roster | None = None, *, known: Sequence[Head] = (), wall_ns: int | None = None
) -> Report:
    """Check everything that can be checked.

    Args:
        record: a campaign's record, or one read from JSON.
        roster: a roster that is trusted, from outside of the record; None: only the record's own is asked.
        known: heads of this record that were written down elsewhere.
        wall_ns: now, to notice entries dated in the future; None: not looked at.

    Raises:
        Trouble: `no_ssh_keygen`, and what reading the file itself raises. A forged record never raises.
    """
    return _Verifying(record, roster).run(tuple(known), wall_ns)


class _Verifying:
    def __init__(self, record: RecordLike, roster: Roster | None) -> None:
        self.record = record
        self.roster = roster
        self.rows = record.rows()
        self.digests = {
            row.seq: digest_of(row.line) for row in reversed(self.rows)
        }  # of two with one number: the first
        self.ground = Ground(record=record, trusted=roster, digests=self.digests, items=_items(self.rows))
        self.problems: list[Problem] = []
        self.signatures: list[Checked] = []
        self.notes: list[str] = []
        self.attached: set[str] = set()
        self.kinds: dict[int, object] = {}
        self.field = FieldChecks()

    def run(self, known: tuple[Head, ...], wall_ns: int | None) -> Report:
        broken = check_chain(self.rows, self.record.head())
        self.problems.extend(Problem(where=f"entry {one.seq}", what=one.what, seq=one.seq) for one in broken)
        self._compare(known)
        entries = [entry for row in self.rows if (entry := self._decoded(row)) is not None]
        self._begins(entries)
        for entry in entries:
            self._entry(entry, wall_ns)
        opened = self.ground.opened
        protected_to = max((one.seq for one in self.signatures if not (one.bad or one.distrusted)), default=0)
        return Report(
            campaign=opened.campaign if opened else "",
            robot=opened.robot if opened else "",
            bundle=opened.bundle if opened else "",
            entries=len(self.rows),
            head=Head(self.rows[-1].seq, digest_of(self.rows[-1].line)) if self.rows else Head(),
            problems=tuple(self.problems),
            signatures=tuple(self.signatures),
            protected_to=protected_to,
            known=known,
            passing=all(isinstance(body, GatePassed) for seq, body in self.kinds.items() if seq > protected_to),
            trusted=self.roster is not None,
            notes=tuple(self.notes),
        )

    def _compare(self, known: tuple[Head, ...]) -> None:
        for head in known:
            found = self.digests.get(head.seq)
            if found is None:
                what = f"it was cut short: it once had an entry {head.seq} ({head.digest[:12]}), now it has not"
                self.problems.append(Problem(where="end", what=what))
            elif found != head.digest:
                what = f"it is not the entry that was written down elsewhere ({head.digest[:12]}), but {found[:12]}"
                self.problems.append(Problem(where=f"entry {head.seq}", what=what, seq=head.seq))

    def _decoded(self, row: Row) -> Entry | None:
        try:
            entry = entry_of(row.line, f"entry {row.seq}")
        except Trouble as trouble:
            self._found(row.seq, trouble.what)
            return None
        if item_of(entry.body) != row.item:  # a field that we don't know would hide it from whoever looks for its item
            self._found(row.seq, f"it is sorted as of {row.item!r}, but is about {item_of(entry.body)!r}")
        return entry

    def _begins(self, entries: list[Entry]) -> None:
        if not self.rows:
            self.problems.append(Problem(where="record", what="it holds no entry"))
        elif not entries or not isinstance(entries[0].body, Opened):
            self._found(self.rows[0].seq, "it is not the opening of a campaign, which comes first")

    def _entry(self, entry: Entry, wall_ns: int | None) -> None:
        body = entry.body
        for problem in [*self._attachments(entry), *self._references(entry), *self.field.check(entry)]:
            self._found(entry.seq, problem)
        if isinstance(body, Opened) and self.ground.opened is not None:
            self._found(entry.seq, "the campaign is opened a second time")
        elif isinstance(body, (Opened, Revised)):
            self._in_force(entry, body)
        elif isinstance(body, Signature):
            self.signatures.append(check_signature(entry, body, self.ground))
        elif isinstance(body, Withdrawal):
            self._withdraw(entry.seq, body)
        self.kinds[entry.seq] = body
        if entry.clock_back_ms > 0:
            self.notes.append(
                f"the clock had been set back by {entry.clock_back_ms / 1000:.0f} s before entry {entry.seq}"
            )
        if wall_ns is not None and entry.wall_ns > wall_ns and entry.seq == self.rows[-1].seq:
            self.notes.append(f"entry {entry.seq}, the last one, is dated in the future of this machine's clock")

    def _in_force(self, entry: Entry, body: Opened | Revised) -> None:
        """Take it, and tell of another roster: whoever may write may put one in force."""
        before = self.ground.roster_or_none()
        self.ground.take(body)
        after = self.ground.roster_or_none()
        if isinstance(body, Revised) and body.roster is not None:
            said = "; ".join(_other_people(before or Roster(), after or Roster())) or "the same people and keys"
            who = f"entry {entry.seq}: {entry.person} put another roster in force: {body.reason}"
            self.notes.append(f"{who} ({said})")

    def _attachments(self, entry: Entry) -> Iterator[str]:
        for attachment in attachments_of(entry.body):
            if attachment.digest in self.attached:
                continue
            self.attached.add(attachment.digest)
            try:
                found = len(self.record.attachment(attachment.digest))
            except Trouble as trouble:
                yield f"{attachment.name}: {trouble.what}"
                continue
            if found != attachment.bytes:
                yield f"{attachment.name} has {found} bytes, the entry says {attachment.bytes}"

    def _references(self, entry: Entry) -> Iterator[str]:
        body = entry.body
        if isinstance(body, Withdrawal) and body.seq not in self.kinds:
            yield f"it withdraws entry {body.seq}, which does not stand before it"
        if isinstance(body, GatePassed):
            for seq in body.signatures:
                signed = self.kinds.get(seq)
                if not isinstance(signed, Signature) or signed.stage != body.stage:
                    yield f"it rests on entry {seq}, which is no signature on '{body.stage}' before it"

    def _withdraw(self, seq: int, withdrawal: Withdrawal) -> None:
        words = f"withdrawn in entry {seq}: {withdrawal.reason}"
        self.signatures = [
            msgspec.structs.replace(one, withdrawn=words) if one.seq == withdrawal.seq else one
            for one in self.signatures
        ]

    def _found(self, seq: int, what: str) -> None:
        self.problems.append(Problem(where=f"entry {seq}", what=what, seq=seq))


def _other_people(before: Roster, after: Roster) -> Iterator[str]:
    """What of a roster a signature rests on that another one says otherwise."""
    for old in before.people:
        new = after.find(old.principal)
        if new is None:
            yield f"{old.principal} ({old.name}) is not in it any more"
            continue
        if new.name != old.name:
            yield f"{old.principal} is {new.name}, not {old.name}"
        for word in ("keys", "roles"):
            if set(getattr(new, word)) != set(getattr(old, word)):
                yield f"{old.principal} ({old.name}) has other {word}"
    known = {one.principal for one in before.people}
    yield from (f"{one.principal} ({one.name}) is new" for one in after.people if one.principal not in known)


def _items(rows: Sequence[Row]) -> dict[int, str]:
    return {row.seq: row.item for row in reversed(rows)}


def sentences(report: Report, void: Mapping[int, str] | None = None) -> tuple[str, ...]:
    """The report for people, a line each: intact or where broken, each signature, what is not protected, the head.

    `void` says by entry why a signature no longer counts (`Now.void`); None: not known.
    """
    found = [f"{problem.where}: {plain(problem.what)}" for problem in report.problems]
    whole = f"{report.entries} entries hang together and every attachment is the one that was attached"
    signed = [_of_signature(one, report.intact, (void or {}).get(one.seq, "")) for one in report.signatures]
    return (*(found or [whole]), *signed, *_protected(report), *map(plain, report.notes))


def _of_signature(one: Checked, intact: bool, void: str) -> str:
    who = f"{one.name} ({one.principal}) as {one.role}"
    whose = f"entry {one.seq}: {one.meaning} at '{one.stage}' by {who}, {one.local_time}, key {one.key}"
    if one.bad:
        return plain(f"{whose}: NOT GOOD: {one.bad}")
    if one.distrusted:
        return plain(f"{whose}: NOT GOOD against the roster that you gave: {one.distrusted}")
    gone = one.withdrawn or void
    if gone:
        return plain(f"{whose}: the signature itself is good, but it no longer counts: {gone}")
    return plain(f"{whose}: good" if intact else f"{whose}: the signature itself is good")


def _protected(report: Report) -> Iterator[str]:
    if report.signatures and not report.trusted:
        yield (
            "the signatures were checked against the roster within the record alone: whoever makes a whole record anew brings "
            "a roster too; give one that you trust with --roster"
        )
    for head in report.known:
        later = report.entries - head.seq
        if not any(one.seq in (None, head.seq) for one in report.problems):
            added = "1 entry was" if later == 1 else f"{later} entries were"
            yield f"entry {head.seq} is the one that was written down; {added} added since"
    pinned = max([report.protected_to, *(head.seq for head in report.known)], default=0)
    if report.entries > pinned:
        yield _unprotected(pinned + 1, report.entries, report.passing)
    yield f"head: {report.head.seq}:{report.head.digest}"


def _unprotected(first: int, last: int, passing: bool) -> str:
    one = first == last
    span, they, them = (f"entry {first} is", "it", "it") if one else (f"entries {first} to {last} are", "they", "them")
    normal = "; this is normal after `campaign pass`, which writes behind the signatures" if passing else ""
    return (
        f"{span} protected by no signature: {they} could be made anew, or taken away, unseen; "
        f"only a later signature, or a head digest known elsewhere (--head), protects {them}{normal}"
    )
