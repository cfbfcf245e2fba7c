"""How many failures belong together: by kind, label, hour of the day, light, robot, mark, or a condition's words."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from console.failures.query import Query, with_term
from console.failures.searching import LOCAL_HOUR, KnownWords, condition, known_words, search
from console.failures.shelf import MARKS
from remote.errors import Trouble

BY = ("kind", "label", "hour", "light", "place", "robot", "marked")
"""What can be grouped by, beside the names of conditions; `place` counts every word of every condition."""
LIGHT_STEP = 32
"""Grey levels in one group of light."""


class Group(msgspec.Struct, frozen=True):
    """`count` failures with `name` in common. `query` is the line that shows just these; empty where none says that."""

    name: str
    count: int
    query: str = ""


def groups(database: sqlite3.Connection, query: Query, by: str) -> tuple[Group, ...]:
    """Groups, the largest first (hours and light in their order). A failure with two labels counts in both.

    Raises Trouble `bad_query`.
    """
    known = known_words(database)
    column, members = _COLUMNS.get(by, ("conditions", _condition(by)))
    counts: Counter[tuple[str, str]] = Counter()
    for value, count in _counted(database, query, column, known):
        for member in members(value, known):
            counts[member] += count
    ordered = (
        sorted(counts.items()) if by in ("hour", "light") else sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    )
    return tuple(Group(name, count, term and _line(query, term)) for (name, term), count in ordered)


def _counted(
    database: sqlite3.Connection, query: Query, column: str, known: KnownWords
) -> Iterable[tuple[object, int]]:
    """(value, count) of a column over what matches."""
    if any(term.field == "text" for term in query.terms):
        database.execute("PRAGMA query_only = OFF")
        database.execute("CREATE TEMP TABLE IF NOT EXISTS matched (row INTEGER PRIMARY KEY)")
        database.execute("DELETE FROM matched")
        for part in search(database, query):
            database.executemany("INSERT INTO matched VALUES (?)", ((row,) for row in part))
        where, values = "row IN (SELECT row FROM matched)", list[object]()
    else:
        where, values = condition(query, known)
    cursor = database.execute(f"SELECT {column}, count(*) FROM failures WHERE {where} GROUP BY 1", values)
    return list(cursor)


def _line(query: Query, term: str) -> str:
    field, _, value = term.partition(":")
    return with_term(query, field, value)


# ------------------------------------------------------------ members: (name, term that shows it)

Members = Callable[[object, KnownWords], list[tuple[str, str]]]


def _kind(value: object, known: KnownWords) -> list[tuple[str, str]]:
    name = known.kinds[int(str(value))]
    return [(name, f"kind:{name}")]


def _labels(value: object, known: KnownWords) -> list[tuple[str, str]]:
    labels = known.labels[int(str(value))]
    return [(label, f"label:{label}") for label in labels] or [("nothing detected", "label:none")]


def _condition(by: str) -> Members:
    def members(value: object, known: KnownWords) -> list[tuple[str, str]]:
        here = {name.casefold(): word for name, word in known.conditions[int(str(value))].items()}
        if by == "place":
            return [(f"{name} {word}", f"{name}:{word}") for name, word in here.items()] or [("not told", "")]
        return [(here[by.casefold()], f"{by}:{here[by.casefold()]}")] if by.casefold() in here else [("not told", "")]

    return members


def _hour(value: object, _: KnownWords) -> list[tuple[str, str]]:
    hour = int(str(value))
    return [(f"{hour:02d}:00 to {hour:02d}:59", f"hour:{hour}")]


def _light(value: object, _: KnownWords) -> list[tuple[str, str]]:
    if value is None:
        return [("not measured", "")]
    low = int(str(value)) * LIGHT_STEP
    return [(f"{low:3d} to {low + LIGHT_STEP - 1}", f"light:>={low} light:<{low + LIGHT_STEP}")]


def _robot(value: object, _: KnownWords) -> list[tuple[str, str]]:
    return [(str(value), f"robot:{value}")]


def _mark(value: object, _: KnownWords) -> list[tuple[str, str]]:
    word = MARKS[int(str(value))]
    return [(word or "not marked", f"marked:{word or 'no'}")]


_COLUMNS: dict[str, tuple[str, Members]] = {
    "kind": ("kind", _kind),
    "label": ("labels", _labels),
    "hour": (LOCAL_HOUR, _hour),
    "light": (f"CAST(light / {LIGHT_STEP} AS INTEGER)", _light),
    "robot": ("(SELECT robot FROM sources WHERE sources.id = source)", _robot),
    "marked": ("mark", _mark),
}


def check_by(by: str, conditions: Iterable[str]) -> None:
    """Raise Trouble `bad_query` for what nothing can be grouped by."""
    names = (*BY, *conditions)
    if by.casefold() not in {name.casefold() for name in names}:
        raise Trouble(f"failures can't be grouped by '{by}'", cure=f"by {', '.join(names)}", code="bad_query")
