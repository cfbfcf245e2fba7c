"""Everything that is known of an item or a gate, as labelled lines: the evidence on one screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from console.checking.view import ChecklistView
from console.checklist.states import Basis, GateState, ItemState, StageState
from console.checklist.wording import age_words, asked_words, local_words, short, utc_words, value_words
from console.fieldtest.criteria import Judgement
from console.marks import MARKS
from console.record.entries import Attachment, Evidence
from console.widgets.checklist_rows import gate_words, named
from console.widgets.item_words import do_words, flag_words, short_number, who_words


class Line(NamedTuple):
    """A label (may be empty), a text of any length, its colour role."""

    label: str
    text: str
    role: str = "text"


def item_lines(view: ChecklistView, item: ItemState) -> list[Line]:
    """An item in full; texts are as they came, so clean them before they are shown."""
    lines = [*_state(view, item), *_asked(item), *_basis(view, item), *_people(view, item), *_references(item)]
    return [line for line in lines if line.text]


def _state(view: ChecklistView, item: ItemState) -> Iterator[Line]:
    state = item.state
    mark = MARKS[state]
    yield Line("", item.item.title, "title")
    below = f", over {item.below}" if item.below else ""
    since = f", since {age_words(view.age_s(item.since_wall_ns))}" if item.since_wall_ns else ""
    yield Line("state", f"{view.charset.glyph(state)} {state}{below}{since}", mark.role)
    yield Line("why", item.reason, mark.role if state == "fail" else "text")
    yield Line("do", do_words(item))
    if item.flags:
        yield Line("warning", flag_words(item), "warning")


def _asked(item: ItemState) -> Iterator[Line]:
    asked = item.item
    yield Line("statement", asked.statement, "strong")
    yield Line("reason", asked.why)
    yield Line("how", asked.how if " ".join(asked.how.split()) != " ".join(item.cure.split()) else "")
    yield Line("limit", asked_words(item))
    words = [asked.kind, f"by probe {asked.probe.name}" if asked.probe else ""]
    words += ["critical" if asked.critical else "", "latched: a fail stays until a fix" if asked.latched else ""]
    words += [f"holds for {asked.hold}" if asked.hold else "", f"with a {asked.inspect}" if asked.inspect else ""]
    words += [f"valid for {asked.valid_for}" if asked.valid_for else ""]
    yield Line("kind", ", ".join(word for word in words if word))
    if asked.act:
        yield Line("command", f"{asked.act.says}: {' '.join(asked.act.argv)}")


def _basis(view: ChecklistView, item: ItemState) -> Iterator[Line]:
    basis = item.basis
    if basis is None:
        yield Line("value", "nothing yet", "muted")
        return
    yield Line("value", value_words(item), "strong")
    if basis.evidence is not None:
        yield from _evidence(basis.evidence)
    age = age_words(view.age_s(basis.wall_ns))
    yield Line("when", f"{utc_words(basis.wall_ns)}, here {local_words(basis.wall_ns)}, {age} ago")
    if item.expires_wall_ns is not None:
        yield Line("ends", f"{utc_words(item.expires_wall_ns)}, in {age_words(-view.age_s(item.expires_wall_ns))}")
    yield from _freshness(basis)
    yield from _rests_on(view, basis)
    yield Line("entry", f"#{basis.seq} {short(basis.digest)}, attempts {item.attempts}, failures {item.failures}")
    yield from _files(basis)


def _evidence(evidence: Evidence) -> Iterator[Line]:
    if evidence.unavailable:
        yield Line("not seen", evidence.unavailable, "warning")
    if evidence.judgement is not None:
        yield from _judgement(evidence.judgement)
    details = [f"{name} {_number(value)}" for name, value in evidence.details.items() if name != "cure"]
    yield Line("also", ", ".join(details), "muted")


def _number(value: object) -> str:
    return short_number(value) if isinstance(value, float) else str(value)


def _judgement(judgement: Judgement) -> Iterator[Line]:
    if judgement.value is not None:
        low = "none" if judgement.lower is None else short_number(judgement.lower)
        high = "none" if judgement.upper is None else short_number(judgement.upper)
        bounded = judgement.lower is not None or judgement.upper is not None
        yield Line("n", f"{judgement.n}" + (f", bounds {low} to {high}" if bounded else ""))
    yield Line("judged", f"{judgement.verdict}: {judgement.why}" if judgement.why else judgement.verdict)
    if judgement.more is not None:
        yield Line("", f"{judgement.more} more would decide if all go well", "muted")
    if judgement.meets_letter and judgement.verdict in ("inconclusive", "fail"):
        yield Line("", "the estimate alone would meet the letter; its bound does not", "muted")


def _freshness(basis: Basis) -> Iterator[Line]:
    if basis.evidence is None:
        return
    moment = basis.evidence.moment
    words = [f"last heard {moment.link_age_ms:.0f} ms before" if moment.link_age_ms is not None else ""]
    if moment.clock_offset_ms is not None:
        words.append(f"its clock {moment.clock_offset_ms / 1000:+.2f} s")
    yield Line("robot", ", ".join(word for word in words if word))


def _rests_on(view: ChecklistView, basis: Basis) -> Iterator[Line]:
    source = basis.evidence or basis.confirmation
    if source is None:
        return
    parts = []
    for name, digest in source.fingerprints.items():
        now = view.state.fingerprints.get(name, digest)
        changed = f" (now {short(now) or 'not seen'})" if now != digest else ""
        parts.append(f"{name} {short(digest) or 'not seen'}{changed}")
    yield Line("rests on", ", ".join(parts))
    yield Line("rule", short(source.rule))


def _files(basis: Basis) -> Iterator[Line]:
    kept: tuple[Attachment, ...] = basis.attachments
    for attachment in kept:
        yield Line("file", f"{attachment.name}, {attachment.bytes} bytes, {short(attachment.digest)}")


def _people(view: ChecklistView, item: ItemState) -> Iterator[Line]:
    yield Line("who", who_words(item))
    confirmation = item.basis.confirmation if item.basis else None
    if confirmation is not None:
        looked = "" if confirmation.looked_ms is None else f", looked {confirmation.looked_ms / 1000:.1f} s"
        yield Line("said", f"{confirmation.meaning}: {'yes' if confirmation.holds else 'no'}{looked}")
        yield Line("note", confirmation.note)
        if confirmation.transcribed is not None:
            yield Line("paper", f"by {confirmation.transcribed.by} at {confirmation.transcribed.at}")
    if item.override is not None:
        end = item.override.expires_wall_ns
        until = f"until {utc_words(end)} (in {age_words(-view.age_s(end))})"
        yield Line("override", f"{item.override.role}: {item.override.reason}, {until}", "warning")
    if item.owner:
        yield Line("owner", item.owner, "accent")


def _references(item: ItemState) -> Iterator[Line]:
    asked = item.item
    yield Line("hazard", asked.hazard or "")
    yield Line("asked by", asked.requirement or "")
    yield Line("if it fails", asked.cure if asked.cure != item.cure else "", "muted")
    yield Line("override by", ", ".join(asked.override_by), "muted")
    yield Line("defer by", ", ".join(asked.defer_by), "muted")


def gate_lines(view: ChecklistView, stage: StageState) -> list[Line]:
    """A stage's gate in full: what is missing, the poll, the signatures."""
    word, role, _ = gate_words(stage)
    lines = [Line("", f"Gate of {stage.stage.title}", "title"), Line("state", word, role)]
    lines.append(Line("purpose", stage.stage.purpose))
    lines += [Line("mind", text, "warning") for text in view.state.warnings]
    lines += [
        Line("missing" if n == 0 else "", named(stage, text), "warning") for n, text in enumerate(stage.gate.blocked_by)
    ]
    lines += [*_poll(view, stage.gate), *_signatures(view, stage.gate)]
    if not stage.stage.gate.overrides_allowed:
        lines.append(Line("overrides", "none may stand when this gate is opened", "muted"))
    if stage.gate.passed_wall_ns is not None:
        lines.append(Line("passed", utc_words(stage.gate.passed_wall_ns)))
    return [line for line in lines if line.text]


def _poll(view: ChecklistView, gate: GateState) -> Iterator[Line]:
    for n, answer in enumerate(gate.poll):
        label = "poll" if n == 0 else ""
        if answer.go is None:
            why = f", reset: {answer.reset}" if answer.reset else ""
            yield Line(label, f"{answer.role}: no answer yet{why}", "muted")
            continue
        age = f", {age_words(view.age_s(answer.wall_ns))} ago" if answer.wall_ns else ""
        note = f": {answer.note}" if answer.note else ""
        text = f"{answer.role}: {'GO' if answer.go else 'NO-GO'} by {answer.person}{age}{note}"
        yield Line(label, text, "ok" if answer.go else "critical")


def _signatures(view: ChecklistView, gate: GateState) -> Iterator[Line]:
    for n, given in enumerate(gate.signatures):
        label = "signed" if n == 0 else ""
        one = given.signature
        text = f"#{given.seq} {one.meaning} by {one.name} ({one.role}), {utc_words(given.wall_ns)}, {one.key}"
        if given.void:
            yield Line(label, f"{view.charset.glyph('error')} VOID {text}: {given.void}", "critical")
        else:
            yield Line(label, f"{view.charset.glyph('ok')} {text}", "ok")
