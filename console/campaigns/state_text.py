"""A checklist's state and a record's entries as lines for a pipe: 80 columns, glyph and word, no colour."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from console.campaigns.entry_words import body_words
from console.campaigns.next_step import next_step
from console.checklist.states import ChecklistState, GateState, ItemState, StageState, State
from console.checklist.wording import age_words, asked_words, bound_words, short, utc_words, value_words
from console.marks import ASCII, MARKS, UNICODE, Charset, to_ascii
from console.record.entries import Entry
from console.record.statements import plain

WIDTH = 80
_INDENT = " " * 6


def charset_for(encoding: str | None) -> Charset:
    """Glyphs where what we write to can take them, else their ASCII twins."""
    try:
        "".join(mark.glyph for mark in MARKS.values()).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def state_text(state: ChecklistState, charset: Charset = UNICODE, width: int = WIDTH) -> str:
    """The whole checklist: a head, each stage with its items and its gate, and what to do next."""
    lines = [*_head(state, width), ""]
    for stage in state.stages:
        lines += [*_stage(stage, state.wall_ns, charset, width), ""]
    lines += _next(state, width)
    return _encoded(lines, charset)


def item_text(item: ItemState, now_ns: int, charset: Charset = UNICODE, width: int = WIDTH) -> str:
    """One item, as in the whole checklist."""
    return _encoded(list(_item(item, now_ns, charset, width)), charset)


def entry_line(entry: Entry) -> str:
    """One entry of the record on one line: number, time, person, kind, and what it says."""
    kind, words = body_words(entry.body)
    words = plain(words)
    return f"{entry.seq:>5}  {utc_words(entry.wall_ns)}  {plain(entry.person):<12}  {kind:<12}  {words}"


# ------------------------------------------------------------ parts


def _head(state: ChecklistState, width: int) -> Iterator[str]:
    named = f" {state.bundle_name}" if state.bundle_name else ""
    yield f"{state.campaign}  robot {state.robot}, bundle{named} {short(state.bundle)}, revision {short(state.revision)}"
    counts = [f"{state.count(name)} {name}" for name in _STATES if state.count(name)]
    yield from textwrap.wrap(f"{len(state.items())} items: {', '.join(counts)}; {state.entries} entries", width)
    for warning in state.warnings:
        yield from textwrap.wrap(f"warning: {warning}", width, subsequent_indent="  ")


_STATES: tuple[State, ...] = (
    "pass",
    "marginal",
    "fail",
    "stale",
    "unavailable",
    "pending",
    "running",
    "overridden",
    "deferred",
    "n/a",
)


def _stage(stage: StageState, now_ns: int, charset: Charset, width: int) -> Iterator[str]:
    settled = sum(item.need == "nothing" for item in stage.items)
    yield f"{stage.stage.id}: {stage.stage.title} ({settled} of {len(stage.items)} settled)"
    for item in stage.items:
        yield from _item(item, now_ns, charset, width)
    yield from _gate(stage.gate, charset, width)


def _item(item: ItemState, now_ns: int, charset: Charset, width: int) -> Iterator[str]:
    below = f" ({item.below})" if item.below else ""
    flags = f" [{', '.join(item.flags)}]" if item.flags else ""
    yield _cut(
        f"  {charset.glyph(item.state)} {item.state + below:<11} {item.item.id}: {item.item.title}{flags}", width
    )
    value = value_words(item)
    if item.basis is not None and value != "-":
        value += bound_words(item)
        limit = f" ({asked_words(item)})" if item.item.criterion else ""
        age_s = (now_ns - item.basis.wall_ns) / 1e9
        when = age_words(age_s) + (" ago" if age_s >= 0 else " by this clock")
        yield from _wrapped(f"{value}{limit}, {when}", width)
    if item.state != "pass" and item.reason:
        yield from _wrapped(item.reason, width)
    if item.state in ("fail", "stale", "unavailable") and item.cure:
        yield from _wrapped(f"-> {item.cure}", width)


def _gate(gate: GateState, charset: Charset, width: int) -> Iterator[str]:
    if gate.open:
        yield f"  {charset.glyph('pass')} gate open"
        return
    yield f"  {charset.glyph('pending')} gate shut" + (":" if gate.blocked_by else "; nothing is in its way")
    for why in gate.blocked_by:
        yield from textwrap.wrap(why, width, initial_indent=_INDENT + "- ", subsequent_indent=_INDENT + "  ")


def _next(state: ChecklistState, width: int) -> Iterator[str]:
    if state.recheck:
        yield from textwrap.wrap(f"look again at: {', '.join(state.recheck)}", width, subsequent_indent="  ")
    words = f"next: {next_step(state)}"
    yield from textwrap.wrap(words, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), width, initial_indent=_INDENT, subsequent_indent=_INDENT)


def _cut(line: str, width: int) -> str:
    return line if len(line) <= width else line[: width - 1] + "…"


def _encoded(lines: list[str], charset: Charset) -> str:
    """The lines as text; what packs, people and robots wrote can't move the cursor."""
    printable = ("".join(char if char.isprintable() else "?" for char in line) for line in lines)
    return "".join(f"{to_ascii(line) if charset.ascii else line}\n" for line in printable)
