"""A pack's phases as text: what one attempt is, what must be shown, and when testing pauses or stops."""

from __future__ import annotations

from collections.abc import Iterator

from console.checklist.packs.filling import hanging, paragraphs
from console.fieldtest.judging import limit_words
from console.phases.schema import Condition, Entry, Holding, Phase, Question, Stop
from console.printing import in_line

_CHECKS = {
    "link": "the robot is heard and its data fresh",
    "worker": "inference runs",
    "bundle": "the campaign's bundle runs",
    "camera": "the camera is alive",
}


def phase_lines(number: int, phase: Phase, width: int) -> Iterator[str]:
    """The phase in some twenty lines, each at most `width` long."""
    yield ""
    yield in_line(f"phase {number}. {phase.title} ({phase.id})")
    yield from paragraphs(phase.purpose, "   ", width)
    parts = [
        ("a trial", [phase.trial]),
        ("success", [f"{phase.success}; {_aborted(phase)}"]),
        ("written down", [_condition(one) for one in phase.conditions]),
        ("begins when", [entry_words(one) for one in phase.entry]),
        (
            "passes when",
            [*map(_question, phase.questions), *([f"sessions ran {phase.min_running}"] if phase.min_running else [])],
        ),
        ("pauses when", [_holding(one) for one in phase.holding]),
        ("stops when", [_stop(one) for one in phase.stop]),
        ("planned", [f"{phase.planned_n} trials"]),
    ]
    for name, lines in parts:
        for place, words in enumerate(lines):
            yield from hanging(f"   {name + ':' if place == 0 else '':<14}", words, width)


def entry_words(entry: Entry) -> str:
    """What an entry condition asks for, in words."""
    if entry.title:
        return entry.title
    if entry.stage is not None:
        return f"the gate of {entry.stage} is open"
    if entry.items_of is not None:
        return f"every item of {entry.items_of} is settled"
    return f"the item {entry.item} is settled" if entry.item is not None else f"the phase {entry.phase} is passed"


def plan_words(question: Question) -> str:
    """How the question is decided: `looked at after each, 220 at most (99 % hoped for, power 80 %)`; empty without a plan."""
    plan = question.plan
    if plan is None:
        return ""
    look = f"looked at after each, {plan.n} at most" if plan.look == "sequential" else f"judged once, at {plan.n}"
    return f"{look} ({plan.expected:g} % hoped for, power {plan.power:.0%})".replace("%)", " %)")


def _question(question: Question) -> str:
    criterion = question.criterion
    words = f"{question.title}  [{question.id}] {criterion.metric} {limit_words(criterion)}, of {question.denominator}"
    where = ", ".join(f"{name} {value}" for name, value in question.where.items())
    ends = [f"where {where}" if where else "", plan_words(question)]
    ends += [f"against {question.baseline.item}"] if question.baseline else []
    return "; ".join([words, *(one for one in ends if one)])


def _running(phase: Phase) -> list[str]:
    return [f"sessions ran {phase.min_running} together"] if phase.min_running else []


def _aborted(phase: Phase) -> str:
    return "broken off is a failure" if phase.aborted == "failure" else "broken off is left out"


def _condition(condition: Condition) -> str:
    values = f": {', '.join(condition.values)}" if condition.values else ""
    return f"{condition.title} [{condition.id}]{values}{' (always)' if condition.required else ''}"


def _holding(holding: Holding) -> str:
    if holding.criterion is not None:
        kept = f"{holding.criterion.metric} {limit_words(holding.criterion)}"
    else:
        kept = _CHECKS[holding.check or "link"]
    return f"for {holding.for_} not: {kept}"


def _stop(stop: Stop) -> str:
    return f"{stop.title} [{stop.id}]"
