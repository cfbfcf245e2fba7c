"""What a checklist says of an item in words: the same on the screen, in a pipe, in the report and on paper."""

from __future__ import annotations

from datetime import datetime, timezone

from console.checklist.states import ItemState
from console.fieldtest.judging import limit_words, measured_words, number_words

SHORT = 8


def short(digest: str) -> str:
    """The beginning of a digest, enough for people."""
    return digest[:SHORT]


def utc_words(wall_ns: int) -> str:
    """`2026-11-21 06:00:00Z`."""
    return datetime.fromtimestamp(wall_ns // 1_000_000_000, timezone.utc).strftime("%Y-%m-%d %H:%M:%SZ")


def local_words(wall_ns: int) -> str:
    """The same moment by this computer's time zone, with its offset: `2026-11-21 07:00:00+01:00`."""
    local = datetime.fromtimestamp(wall_ns // 1_000_000_000, timezone.utc).astimezone()
    return local.isoformat(sep=" ", timespec="seconds")


def age_words(seconds: float) -> str:
    """An age for people: `12 s`, `3 min`, `5 h`, `9 d`; what lies ahead is `in the future`."""
    if seconds < 0:
        return "in the future"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def value_words(state: ItemState) -> str:
    """What was measured or said last, short; a dash where nothing was yet."""
    basis = state.basis
    if basis is None:
        return "-"
    if basis.confirmation is not None:
        if basis.confirmation.meaning == "witnessed" and basis.confirmation.holds:
            return f"performed by {', '.join(state.performers)}, witnessed by {basis.person}"
        return f"{'performed' if basis.confirmation.holds else 'said no'} by {basis.person}"
    evidence = basis.evidence
    if evidence is None or evidence.measurement is None or evidence.judgement is None:
        return "-"
    unit = state.item.criterion.unit if state.item.criterion else ""
    return measured_words(evidence.measurement, evidence.judgement, unit)


def bound_words(state: ItemState) -> str:
    """The bound that decided, behind the value: `, lower bound 77.2 %`; empty where the value itself did, or nothing yet."""
    criterion, evidence = state.item.criterion, state.basis.evidence if state.basis else None
    judged = evidence.judgement if evidence else None
    if criterion is None or judged is None or criterion.judge != "bound" or criterion.comparison == "==":
        return ""
    wants_lower = (criterion.comparison in (">", ">=")) != (judged.verdict == "fail")
    bound, side = (judged.lower, "lower") if wants_lower else (judged.upper, "upper")
    return "" if bound is None else f", {side} bound {number_words(bound, criterion.unit)}"


def asked_words(state: ItemState) -> str:
    """The limit that the value is held against, or what the item asks of a person."""
    if state.item.criterion is not None:
        return limit_words(state.item.criterion)
    return {
        "sensed": "as the probe says",
        "measured": "a value",
        "confirmed": "one person vouches",
        "witnessed": "two people vouch",
    }[state.item.kind]
