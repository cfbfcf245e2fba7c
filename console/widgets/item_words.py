"""An item in a few cells: its number against its limit, its n, its age, what it asks for."""

from __future__ import annotations

import textwrap

from rich.cells import chop_cells

from console.checklist.states import ItemState, Need
from console.checklist.wording import age_words
from console.fieldtest.criteria import Answer, Criterion
from console.widgets.cells import clean, width_of

NEED_WORDS: dict[Need, str] = {
    "probe": "r looks at it",
    "value": "v enters the value",
    "confirmation": "c vouches for it",
    "witness": "w: a second witnesses",
    "command": "a runs its command",
    "photo": "c, with a photo",
    "file": "c, with a file",
    "fix": "f: write down the fix",
    "nothing": "",
}
EXPLAINED = ("fail", "stale", "unavailable", "overridden", "deferred")
"""States under which the reason and the cure are always shown; `pending` too, once something was tried."""


FLAG_WORDS: dict[str, str] = {
    "too quick": "confirmed faster than its text can be read",
    "transcribed": "copied from paper",
    "time untrusted": "the clocks could not be compared when it was seen",
    "not in the roster": "confirmed by somebody who is not in the campaign's roster",
}
"""Words of warning as sentences; others stand as they are."""
_AGAIN: dict[Need, str] = {
    "probe": "r looks at it",
    "value": "v enters the value again",
    "confirmation": "c vouches for it again",
    "witness": "w: a second person witnesses it",
    "command": "a runs its command again",
    "photo": "c vouches for it, with a photo",
    "file": "c vouches for it, with a file",
}


def do_words(item: ItemState) -> str:
    """What to do about it now: its cure, and the key that comes next."""
    if item.need == "witness":
        return _AGAIN["witness"]
    key = _AGAIN.get(item.need, "")
    cure = item.cure.strip()
    if item.state == "pending" and item.need == "probe":
        return key
    if item.state == "fail" and key and cure:
        return f"{cure.rstrip('. ')}; then {key}"
    return cure or key


def flag_words(item: ItemState) -> str:
    """Its words of warning as sentences."""
    return ", ".join(FLAG_WORDS.get(flag, flag) for flag in item.flags)


def short_number(value: float) -> str:
    """A number in few cells: 0.076, 4.2, 312, 12345."""
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}".removesuffix(".0") if abs(value) >= 10 else f"{value:.3g}"


def limit_cell(criterion: Criterion) -> str:
    """`(< 500 ms)`."""
    unit = f" {criterion.unit}" if criterion.unit else ""
    return clean(f"({criterion.comparison} {short_number(criterion.threshold)}{unit})")


def value_cell(item: ItemState) -> str:
    """`p99 312 ms`; empty where nothing was measured."""
    evidence = item.basis.evidence if item.basis else None
    if evidence is None or evidence.judgement is None or evidence.judgement.value is None:
        return ""
    criterion = item.item.criterion
    name = f"{criterion.statistic} " if criterion and criterion.statistic not in ("value", "rate") else ""
    unit = f" {criterion.unit}" if criterion and criterion.unit else ""
    return clean(f"{name}{short_number(evidence.judgement.value)}{unit}")


def n_cell(item: ItemState) -> str:
    """`n 300`; empty where there is none."""
    evidence = item.basis.evidence if item.basis else None
    judgement = evidence.judgement if evidence else None
    if judgement is None or judgement.value is None:
        return ""
    if judgement.n < 1000:
        return f"n {judgement.n}"
    return f"n {judgement.n / 1000:.0f}k" if judgement.n < 100_000 else f"n {judgement.n / 1e6:.1f}M"


def said_cell(item: ItemState) -> str:
    """What was said or seen of an item that has no number, or what it asks for next."""
    basis = item.basis
    if item.state == "running":
        return "being looked at"
    if item.need != "nothing" and item.state == "pending":
        return NEED_WORDS[item.need]
    if basis is None:
        return NEED_WORDS[item.need]
    if basis.confirmation is not None:
        return clean(who_words(item) if basis.confirmation.holds else f"{basis.person} said no")
    found = basis.evidence.measurement if basis.evidence else None
    return clean(found.words) if isinstance(found, Answer) else ""


def who_words(item: ItemState) -> str:
    """The performers, and who witnessed it: `ada, seen by bob`."""
    basis = item.basis
    names = ", ".join(item.performers) or (basis.person if basis else "")
    confirmation = basis.confirmation if basis else None
    if basis is not None and confirmation is not None and confirmation.meaning == "witnessed":
        return f"{names}, seen by {basis.person}"
    return names


def age_cell(item: ItemState, now_wall_ns: int) -> str:
    """How old what it rests on is."""
    return age_words(max(0.0, (now_wall_ns - item.basis.wall_ns) / 1e9)) if item.basis else ""


def is_explained(item: ItemState) -> bool:
    """Whether why and what to do stand under the item."""
    return item.state in EXPLAINED or (item.state == "pending" and item.attempts > 0)


def wrapped(text: str, width: int, lines: int | None = None) -> list[str]:
    """Foreign text on lines of at most `width` cells, with an ellipsis where more than `lines` would be needed."""
    flat = " ".join(clean(text).split())
    if width < 4 or not flat:
        return []
    if width_of(flat) == len(flat):
        return textwrap.wrap(flat, width, max_lines=lines, placeholder="…")
    chunks = chop_cells(flat, width)
    return chunks if lines is None else chunks[:lines]
