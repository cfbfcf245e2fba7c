"""The part of a query that says when and where: it narrows running time as it narrows failures."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

import msgspec

from console.failures.circumstances import local_hour
from console.failures.query import Query, Term

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_OF_FAILURES = frozenset(("text", "kind", "label", "marked", "picture", "noted"))


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A window of running, as a query's terms see it."""

    wall_ns: int
    robot: str = ""
    bundle: str = ""
    light: float | None = None
    temp_c: float | None = None
    conditions: Mapping[str, str] = {}


def covers(query: Query, moment: Moment) -> bool:
    """Whether failures of that moment could match. Terms that say what a failure is (kind, label, words, mark) don't count."""
    return all(_holds(term, moment) != term.hide for term in query.terms if term.field not in _OF_FAILURES)


def _holds(term: Term, moment: Moment) -> bool:
    if term.field == "time":
        low, high = term.low_ns, term.high_ns
        return (low is None or moment.wall_ns >= low) and (high is None or moment.wall_ns < high)
    if term.field in ("light", "temp", "hour"):
        return _compared(term, _number(term, moment))
    if term.field == "robot":
        return moment.robot.casefold() == term.value
    if term.field == "bundle":
        return moment.bundle.casefold().startswith(term.value)
    if term.field == "imported":
        return term.value == "no"
    named = [word for name, word in moment.conditions.items() if term.field == "place" or name.casefold() == term.name]
    return term.value in {word.casefold() for word in named}


def _number(term: Term, moment: Moment) -> float | None:
    if term.field == "hour":
        return local_hour(moment.wall_ns)
    return moment.light if term.field == "light" else moment.temp_c


def _compared(term: Term, value: float | None) -> bool:
    if value is None or term.number is None:
        return False
    return _COMPARE[term.compared](value, term.number) if term.compared else round(value) == round(term.number)
