"""What the report shows, gathered from the folded checklist and the record: plain values for the page's template."""

from __future__ import annotations

import base64
from collections.abc import Sequence

import msgspec

from console.campaigns.entry_words import body_words
from console.checklist.pack import Checklist
from console.checklist.states import ChecklistState, ItemState, SignatureState, StageState
from console.checklist.wording import asked_words, local_words, short, utc_words, value_words
from console.marks import MARKS
from console.record.entries import Attachment, Attempt, Confirmation, Entry, Evidence, Fix, Note
from console.record.roster import NAMESPACE
from console.report.failures_sheet import FailuresSheet
from console.report.field_sheet import FieldSheet
from console.report.gap_sheet import GapSheet

PICTURE_LIMIT_BYTES = 4 * 1024 * 1024
"""A larger picture or file is named with its digest and lies in the JSON record."""


class Line(msgspec.Struct, frozen=True):
    """One row of two columns."""

    name: str
    value: str


class Picture(msgspec.Struct, frozen=True):
    """A file of the record: `uri` holds its bytes (data:), empty where it is too large; `shown` says that it is a picture."""

    name: str
    digest: str
    bytes: int
    uri: str
    shown: bool


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """One look, confirmation, fix or note of an item."""

    seq: int
    when: str
    person: str
    role: str
    word: str
    text: str


class ItemSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One item: its state, what it rests on, and every attempt."""

    id: str
    title: str
    glyph: str
    word: str
    role: str
    kind: str
    value: str
    asked: str
    n: str
    reason: str
    cure: str
    critical: bool
    refs: str
    lines: tuple[Line, ...]
    tries: tuple[Try, ...]
    pictures: tuple[Picture, ...]


class SignatureSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One signature with all that is needed to check it by OpenSSH alone."""

    seq: int
    name: str
    principal: str
    meaning: str
    role: str
    key: str
    when: str
    local: str
    void: str
    history: str
    statement: str
    statement_uri: str
    armored: str
    armored_uri: str
    command: str


class StageSheet(msgspec.Struct, frozen=True, kw_only=True):
    """One stage and its gate."""

    id: str
    title: str
    purpose: str
    items: tuple[ItemSheet, ...]
    gate: str
    blocked_by: tuple[str, ...]
    polls: tuple[Line, ...]
    signatures: tuple[SignatureSheet, ...]


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """The whole report."""

    title: str
    headline: str
    head: tuple[Line, ...]
    counts: tuple[Line, ...]
    warnings: tuple[str, ...]
    overrides: tuple[Line, ...]
    deferrals: tuple[Line, ...]
    stages: tuple[StageSheet, ...]
    allowed_signers: str
    allowed_signers_uri: str
    log: tuple[Try, ...]
    checks: tuple[str, ...]
    first_words: tuple[str, ...] = ()
    field: FieldSheet | None = None
    failures: FailuresSheet | None = None
    gap: GapSheet | None = None


def sheet_of(
    state: ChecklistState,
    checklist: Checklist,
    entries: Sequence[tuple[Entry, str]],
    files: dict[str, bytes],
    *,
    allowed_signers: str,
    checks: Sequence[str] = (),
    first_words: Sequence[str] = (),
    field: FieldSheet | None = None,
    failures: FailuresSheet | None = None,
    gap: GapSheet | None = None,
) -> Sheet:
    """Gather the report.

    Args:
        state: the checklist as it stands.
        checklist: the pack in force.
        entries: every entry with its digest, in order.
        files: the attachments' bytes by digest, statements among them.
        allowed_signers: OpenSSH's file for the record's roster.
        checks: what `verify` says of the record, a sentence each.
        first_words: what a manager reads first.
        field, failures, gap: the field test, its failures, simulation against reality; where there are some.
    """
    history = _history(entries)
    return Sheet(
        title=f"{checklist.pack.title}: {state.bundle_name or short(state.bundle)} on {state.robot}",
        headline=_headline(state),
        head=_head(state, checklist),
        counts=_counts(state),
        warnings=state.warnings,
        overrides=tuple(_override(item) for item in state.items() if item.override is not None),
        deferrals=tuple(Line(i.item.title, f"{i.owner}: {i.reason}") for i in state.items() if i.state == "deferred"),
        stages=tuple(_stage(stage, history, files) for stage in state.stages),
        allowed_signers=allowed_signers,
        allowed_signers_uri=_uri(allowed_signers.encode(), "text/plain"),
        log=tuple(_logged(entry, digest) for entry, digest in entries),
        checks=tuple(checks),
        first_words=tuple(first_words),
        field=field,
        failures=failures,
        gap=gap,
    )


# ------------------------------------------------------------ page one


def _headline(state: ChecklistState) -> str:
    total = sum(item.state != "n/a" for item in state.items())
    passed = state.count("pass", "marginal")
    opened = [stage.stage.title for stage in state.stages if stage.gate.open]
    gates = f"gates open: {', '.join(opened)}" if opened else "no gate is open"
    phases = [
        f"phase {one.phase.title}: {one.status}" for one in state.field.phases if one.phase.id == state.field.current
    ]
    return "; ".join((f"{passed} of {total} items passed", gates, *phases))


def _head(state: ChecklistState, checklist: Checklist) -> tuple[Line, ...]:
    pack = checklist.pack
    return (
        Line("campaign", state.campaign),
        Line("robot", state.robot),
        Line("bundle", f"{state.bundle_name} {state.bundle}".strip()),
        Line("checklist", f"{pack.name} {pack.version}, revision {state.revision}"),
        Line("record", f"{state.entries} entries, head {state.entries}:{state.head}"),
        Line("as of", f"{utc_words(state.wall_ns)} ({local_words(state.wall_ns)})"),
    )


def _counts(state: ChecklistState) -> tuple[Line, ...]:
    order = ("pass", "marginal", "fail", "stale", "unavailable", "pending", "overridden", "deferred", "n/a")
    found = [(name, sum(item.state == name for item in state.items())) for name in order]
    always = ("overridden", "deferred")
    return tuple(Line(_mark(name)[1], str(count)) for name, count in found if count or name in always)


def _override(item: ItemState) -> Line:
    override = item.override
    assert override is not None
    until = utc_words(override.expires_wall_ns)
    return Line(item.item.title, f"{override.reason} ({override.role}, until {until}; below it: {item.below})")


# ------------------------------------------------------------ stages and items


def _stage(stage: StageState, history: dict[str, list[Try]], files: dict[str, bytes]) -> StageSheet:
    gate = stage.gate
    passed = f"passed {utc_words(gate.passed_wall_ns)}" if gate.passed_wall_ns else "never passed"
    word = "OPEN" if gate.open else "CLOSED"
    polls = (Line(poll.role, _poll_words(poll.go, poll.person, poll.reset)) for poll in gate.poll)
    return StageSheet(
        id=stage.stage.id,
        title=stage.stage.title,
        purpose=stage.stage.purpose,
        items=tuple(_item(item, history.get(item.item.id, []), files) for item in stage.items),
        gate=f"{word}, {passed}",
        blocked_by=gate.blocked_by,
        polls=tuple(polls),
        signatures=tuple(_signature(one, files) for one in gate.signatures),
    )


def _poll_words(go: bool | None, person: str, reset: str) -> str:
    if go is None:
        return f"no answer ({reset})" if reset else "no answer"
    return f"{'GO' if go else 'NO GO'} by {person}"


def _item(state: ItemState, tries: list[Try], files: dict[str, bytes]) -> ItemSheet:
    item, basis = state.item, state.basis
    glyph, word, role = _mark(state.state)
    judgement = basis.evidence.judgement if basis and basis.evidence else None
    refs = " ".join(ref for ref in (item.requirement, item.hazard) if ref)
    return ItemSheet(
        id=item.id,
        title=item.title,
        glyph=glyph,
        word=word,
        role=role,
        kind=item.kind,
        value=value_words(state),
        asked=asked_words(state),
        n=str(judgement.n) if judgement else "",
        reason=state.reason,
        cure=state.cure if state.state not in ("pass", "n/a") else "",
        critical=item.critical,
        refs=refs,
        lines=tuple(_lines(state)),
        tries=tuple(tries),
        pictures=tuple(_picture(one, files) for one in (basis.attachments if basis else ())),
    )


def _lines(state: ItemState) -> list[Line]:
    basis = state.basis
    if basis is None:
        return []
    lines = [Line("entry", f"{basis.seq}, {basis.digest}"), Line("when", _moment_words(basis.wall_ns, basis.evidence))]
    lines.append(Line("who", ", ".join(state.performers) or basis.person))
    if basis.evidence is not None:
        lines += _evidence_lines(basis.evidence)
    if basis.confirmation is not None:
        lines.append(Line("statement", basis.confirmation.statement))
        lines += [Line("note", basis.confirmation.note)] if basis.confirmation.note else []
        lines.append(Line("checklist rule", short(basis.confirmation.rule)))
    if state.flags:
        lines.append(Line("flagged", ", ".join(state.flags)))
    if state.expires_wall_ns is not None:
        lines.append(Line("valid until", utc_words(state.expires_wall_ns)))
    return lines


def _evidence_lines(evidence: Evidence) -> list[Line]:
    rests = ", ".join(f"{name} {value[:24]}" for name, value in sorted(evidence.fingerprints.items()))
    lines = [Line("source", evidence.source), Line("checklist rule", short(evidence.rule))]
    lines += [Line("rests on", rests)] if rests else []
    lines += [Line(name.replace("_", " "), f"{value}") for name, value in evidence.details.items()]
    return lines


def _moment_words(wall_ns: int, evidence: Evidence | None) -> str:
    words = f"{utc_words(wall_ns)} ({local_words(wall_ns)})"
    moment = evidence.moment if evidence else None
    if moment is not None and moment.robot_wall_ns is not None:
        offset = "" if moment.clock_offset_ms is None else f", offset {moment.clock_offset_ms:.0f} ms"
        words += f"; robot's clock {utc_words(moment.robot_wall_ns)}{offset}"
    if moment is not None and moment.link_age_ms is not None:
        words += f"; last heard {moment.link_age_ms:.0f} ms before"
    return words


# ------------------------------------------------------------ signatures


def _signature(state: SignatureState, files: dict[str, bytes]) -> SignatureSheet:
    signed = state.signature
    statement = files.get(signed.statement.digest, b"")
    name = f"statement-{state.seq}.txt"
    command = f"ssh-keygen -Y verify -f allowed_signers -I {signed.principal} -n {NAMESPACE} -s {name}.sig < {name}"
    return SignatureSheet(
        seq=state.seq,
        name=signed.name,
        principal=signed.principal,
        meaning=signed.meaning,
        role=signed.role,
        key=signed.key,
        when=utc_words(state.wall_ns),
        local=signed.local_time,
        void=state.void,
        history=state.history,
        statement=statement.decode("utf-8", "replace"),
        statement_uri=_uri(statement, "text/plain"),
        armored=signed.armored,
        armored_uri=_uri(signed.armored.encode(), "text/plain"),
        command=command,
    )


# ------------------------------------------------------------ history


def _history(entries: Sequence[tuple[Entry, str]]) -> dict[str, list[Try]]:
    found: dict[str, list[Try]] = {}
    for entry, digest in entries:
        item = getattr(entry.body, "item", "")
        if item:
            found.setdefault(item, []).append(_log_row(entry, digest))
    return found


def _logged(entry: Entry, digest: str) -> Try:
    """An entry in the words of `fieldgate campaign log`."""
    kind, words = body_words(entry.body)
    return msgspec.structs.replace(_log_row(entry, digest), word=kind, text=words or short(digest))


def _log_row(entry: Entry, digest: str) -> Try:
    role, word, text = _said(entry)
    return Try(
        seq=entry.seq,
        when=utc_words(entry.wall_ns),
        person=entry.person,
        role=role,
        word=word,
        text=text or short(digest),
    )


def _said(entry: Entry) -> tuple[str, str, str]:
    """Colour role, word and sentence of an entry."""
    body = entry.body
    if isinstance(body, Attempt):
        if body.evidence.judgement is None:
            return _mark("unavailable")[2], "unavailable", body.evidence.unavailable
        verdict = body.evidence.judgement.verdict
        return _mark(verdict)[2], verdict, body.evidence.judgement.why
    if isinstance(body, Confirmation):
        role = "ok" if body.holds else "critical"
        return role, body.meaning if body.holds else "said no", body.note or body.statement
    if isinstance(body, Fix):
        return "info", "fix", f"of entry {body.failure_seq}: {body.text}"
    if isinstance(body, Note):
        return "muted", "note", body.text
    reason = getattr(body, "reason", "")
    return "info", type(body).__name__.lower(), reason


def _mark(state: str) -> tuple[str, str, str]:
    """Glyph, word and colour role of a state."""
    mark = MARKS.get(state)
    return (mark.glyph, mark.word, mark.role) if mark else ("?", state, "muted")


def _picture(attachment: Attachment, files: dict[str, bytes]) -> Picture:
    data = files.get(attachment.digest, b"")
    shown = attachment.media in ("image/jpeg", "image/png")
    media = attachment.media if shown else "application/octet-stream"
    uri = _uri(data, media) if data and len(data) <= PICTURE_LIMIT_BYTES else ""
    return Picture(attachment.name, attachment.digest, attachment.bytes, uri, shown)


def _uri(data: bytes, media: str) -> str:
    return f"data:{media};base64,{base64.b64encode(data).decode()}"
