"""The checklist as entries: stage headers, items with why and what to do, folded passes, gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from console.checking.view import ChecklistView, folds
from console.checklist.states import PASSED, SETTLED, ItemState, StageState
from console.checklist.wording import age_words
from console.marks import MARKS
from console.widgets.cells import Span, clean, fit, width_of
from console.widgets.item_words import (
    age_cell,
    do_words,
    flag_words,
    is_explained,
    limit_cell,
    n_cell,
    said_cell,
    value_cell,
    wrapped,
)

WORD, N, AGE, SAID = 12, 6, 6, 24
"""Widths in cells of the state's word, of n and age, and the most of what was said."""
FULL = 74
"""Rows of fewer cells leave out n and age."""
INDENT = "     "


@dataclass(frozen=True)
class Entry:
    """One thing in the list. `key` is `item:ID`, `fold:STAGE` or `gate:STAGE`; empty: the cursor skips it.

    The first of `lines` is its row, the others explain it.
    """

    key: str
    stage: str
    lines: tuple[tuple[Span, ...], ...]
    item: ItemState | None = None


def entries_of(view: ChecklistView, width: int, keep: str = "") -> list[Entry]:
    """Everything in order, each line for `width` cells.

    `keep` is the key of the row under the cursor: it never folds away, so that no key reaches a row that nobody chose.
    """
    return [entry for n, stage in enumerate(view.state.stages) for entry in _stage(view, stage, n + 1, width, keep)]


def _stage(view: ChecklistView, stage: StageState, number: int, width: int, keep: str) -> Iterator[Entry]:
    id = stage.stage.id
    yield Entry("", id, (_header(view, stage, number, width),))
    quiet = [item for item in stage.items if folds(item) and keep != f"item:{item.item.id}"]
    folding = len(quiet) > 1 or keep == f"fold:{id}"
    if folding:
        yield Entry(f"fold:{id}", id, (_fold(view, id, quiet, width),))
    for item in stage.items:
        if not folding or id in view.unfolded or item not in quiet:
            yield item_entry(view, item, width)
    yield Entry(f"gate:{id}", id, tuple(_gate(view, stage, width)))


def _header(view: ChecklistView, stage: StageState, number: int, width: int) -> tuple[Span, ...]:
    passed = sum(item.state in PASSED for item in stage.items)
    left_out = sum(item.state == "n/a" for item in stage.items)
    line = "-" if view.charset.ascii else "─"
    tail = f" {passed} of {len(stage.items) - left_out} passed{f', {left_out} n/a' if left_out else ''} "
    title = fit(f"{number} {clean(stage.stage.title)}", min(width - len(tail) - 5, len(stage.stage.title) + 4)).rstrip()
    role = "title" if stage.stage.id == view.state.stage else "muted"
    left: tuple[Span, ...] = ((line, "line"), (f" {title} ", role))
    used = 1 + len(title) + 2
    return (*left, (line * max(0, width - used - len(tail) - 1), "line"), (tail, "muted"), (line, "line"))


def _fold(view: ChecklistView, stage: str, quiet: Sequence[ItemState], width: int) -> tuple[Span, ...]:
    verb = "folds" if stage in view.unfolded else "unfolds"
    text = f"{len(quiet)} sensed item{'' if len(quiet) == 1 else 's'} passed"
    times = [item.basis.wall_ns for item in quiet if item.basis]
    if times:
        text += f", oldest {age_words(max(0.0, view.age_s(min(times))))}"
    room = width - WORD - 2
    hint = 14 if len(text) <= room - 14 else 0  # the age tells more; the key line names Enter too
    return (
        (f"{view.charset.glyph('pass')} ", "ok"),
        (fit("pass", WORD), "ok"),
        (fit(text, max(0, room - hint)), "text"),
        (fit(f"Enter {verb}", hint, right=True), "muted"),
    )


def item_entry(view: ChecklistView, item: ItemState, width: int) -> Entry:
    """An item's row, with the reason and the cure below where it needs them."""
    lines = [_row(view, item, width)]
    if item.flags:
        lines += _below("warning", flag_words(item), width - len(INDENT) - 9, "warning")
    if is_explained(item):
        room = width - len(INDENT) - 5
        lines += _below("why", item.reason, room, MARKS[item.state].role if item.state == "fail" else "text")
        lines += _below("do", do_words(item), room, "muted")
    return Entry(f"item:{item.item.id}", item.stage, tuple(lines), item)


def _below(name: str, text: str, room: int, role: str) -> list[tuple[Span, ...]]:
    names = [name, ""]
    found = wrapped(text, room, 2)
    return [
        ((INDENT, "text"), (fit(names[n], max(5, len(name) + 2)), "muted"), (line, role))
        for n, line in enumerate(found)
    ]


def _row(view: ChecklistView, item: ItemState, width: int) -> tuple[Span, ...]:
    mark = MARKS[item.state]
    quiet = "muted" if item.state == "n/a" else "text"
    tail = (
        *_measured(item, mark.role if item.state in ("fail", "marginal") else quiet),
        *_freshness(view, item, width),
    )
    # The title has all that is left, so that as little of it as can be is cut on a narrow screen.
    room = max(8, width - 2 - WORD - sum(width_of(text) for text, _ in tail))
    return (
        (f"{view.charset.glyph(item.state)} ", mark.role),
        (fit(item.state, WORD), mark.role),
        (fit(clean(item.item.title), room), quiet),
        *tail,
    )


def _measured(item: ItemState, role: str) -> tuple[Span, ...]:
    """The value against its limit; without a value what was said, what is asked for next, or the limit alone."""
    value, criterion = value_cell(item), item.item.criterion
    if value and criterion is not None:
        return ((f" {value}", role), (f" {limit_cell(criterion)}", "muted"))
    said = said_cell(item) or (limit_cell(criterion) if criterion is not None else "")
    return ((f" {fit(said, min(width_of(said), SAID))}", "muted"),) if said else ()


def _freshness(view: ChecklistView, item: ItemState, width: int) -> tuple[Span, ...]:
    """n and age; left to the evidence beside the list where the list is narrow."""
    if width < FULL or item.basis is None:
        return ()
    n = fit(n_cell(item), N) if value_cell(item) else ""
    return ((f" {n}", "muted"), (fit(age_cell(item, view.state.wall_ns), AGE, right=True), "muted"))


def _gate(view: ChecklistView, stage: StageState, width: int) -> Iterator[tuple[Span, ...]]:
    word, role, text = gate_words(stage)
    glyph = view.charset.glyph({"open": "ok", "ready": "next", "shut": "off"}[word])
    yield (
        (f"{glyph} ", role),
        (fit(word, WORD), role),
        (fit(f"gate: {clean(text)}", max(0, width - WORD - 2)), "text" if word != "shut" else "muted"),
    )


def gate_words(stage: StageState) -> tuple[str, str, str]:
    """(open, ready or shut; its colour role; one line about it)."""
    gate = stage.gate
    if gate.open:
        return "open", "ok", "passed"
    if not gate.blocked_by:
        return "ready", "info", "nothing is missing - G opens it"
    missing = _missing(stage)
    if not missing:
        first, more = named(stage, gate.blocked_by[0]), len(gate.blocked_by) - 1
        return "shut", "muted", first + (f" (and {more} more)" if more else "")
    return "shut", "muted", "; ".join(missing)


def _missing(stage: StageState) -> list[str]:
    """What a gate waits for, in few words with the key that gives it."""
    left = [item for item in stage.items if item.state not in SETTLED]
    parts = [f"{len(left)} items open"] if len(left) > 1 else [f"'{item.item.title}' is {item.state}" for item in left]
    answers = {one.role: one.go for one in stage.gate.poll}
    wanted = [role for role in stage.stage.gate.poll if answers.get(role) is None]
    parts += [f"g: go from {', '.join(wanted)}"] if wanted else []
    parts += [f"{role} says NO-GO" for role in stage.stage.gate.poll if answers.get(role) is False]
    given = {one.signature.meaning for one in stage.gate.signatures if not one.void}
    unsigned = [one.meaning for one in stage.stage.gate.signatures if one.meaning not in given]
    return [*parts, *([f"S: signature '{', '.join(unsigned)}'"] if unsigned else [])]


def named(stage: StageState, sentence: str) -> str:
    """A sentence about the gate with the items' titles instead of their ids, as the list shows them."""
    for item in stage.items:
        sentence = sentence.replace(f"'{item.item.id}'", f"'{item.item.title}'")
        sentence = sentence.replace(f"{item.item.id} ({item.state})", f"'{item.item.title}' ({item.state})")
    return sentence
