"""Finding rows: what SQLite can judge, it judges; words go through a regular-expression engine whose time is linear.

Kinds, labels and conditions are judged once for each different one, not for each row.
"""

from __future__ import annotations

import re
import sqlite3
from array import array
from collections.abc import Callable, Iterator, Sequence

import msgspec

from console.failures.query import Query, Term, bad
from console.failures.shelf import MARKS
from remote.errors import Trouble
from remote.protocol import FAILURES

PART_ROWS = 20_000
"""Rows looked at before what was found is handed on."""
FIRST_PART_ROWS = 1_000
LOCAL_HOUR = "CAST(strftime('%H', wall_ns / 1000000000, 'unixepoch', 'localtime') AS INTEGER)"
"""The hour of the day by the laptop's clock, as SQL."""
_strings = msgspec.json.Decoder(tuple[str, ...])
_dict = msgspec.json.Decoder(dict[str, str])


class Found:
    """The numbers of rows that match, newest first; grows until `complete`."""

    def __init__(self) -> None:
        self.rows: array[int] = array("q")
        self.complete = False

    @property
    def count(self) -> int:
        """How many were found so far."""
        return len(self.rows)

    def extend(self, part: array[int]) -> None:
        """More, older than all before."""
        self.rows.extend(part)


class KnownWords(msgspec.Struct, frozen=True):
    """Every different kind, set of labels, set of conditions and bundle, by the number that rows hold."""

    kinds: dict[int, str]
    labels: dict[int, tuple[str, ...]]
    conditions: dict[int, dict[str, str]]
    bundles: dict[int, str]

    @property
    def condition_names(self) -> tuple[str, ...]:
        """The conditions' names, sorted."""
        return tuple(sorted({name for one in self.conditions.values() for name in one}))


def known_words(database: sqlite3.Connection) -> KnownWords:
    """Read them; some thousands at most where robots name their conditions with sense."""
    found: dict[str, dict[int, str]] = {"kind": {}, "labels": {}, "conditions": {}, "bundle": {}}
    for number, what, text in database.execute("SELECT id, what, text FROM words"):
        found[what][number] = text
    return KnownWords(
        found["kind"],
        {number: _strings.decode(text) for number, text in found["labels"].items()},
        {number: _dict.decode(text) for number, text in found["conditions"].items()},
        found["bundle"],
    )


def check(database: sqlite3.Connection, query: Query) -> None:
    """Raise Trouble `bad_query` where `search` would: then nothing needs to be looked through to know."""
    for term in query.terms:
        if term.field == "text":
            _pattern(term)
    condition(query, known_words(database))


def search(database: sqlite3.Connection, query: Query, after_row: int = 0) -> Iterator[array[int]]:
    """Row numbers above `after_row`, newest first, in parts as they are found.

    Raises Trouble `bad_query` before the first part.
    """
    words = [term for term in query.terms if term.field == "text"]
    patterns = [_pattern(term) for term in words]
    where, values = condition(query, known_words(database))
    if after_row:
        where, values = f"row > ? AND ({where})", [after_row, *values]
    columns = "row, line" if words else "row"
    cursor = database.execute(f"SELECT {columns} FROM failures WHERE {where} ORDER BY wall_ns DESC, row DESC", values)
    size = FIRST_PART_ROWS
    while rows := cursor.fetchmany(size):
        yield _matching(rows, words, patterns) if words else array("q", [row for (row,) in rows])
        size = PART_ROWS


def condition(query: Query, known: KnownWords) -> tuple[str, list[object]]:
    """The SQL condition on `failures` of every term but words, with its values."""
    parts, values = ["1"], list[object]()
    for term in query.terms:
        if term.field != "text":
            sql, more = _SQL[term.field](term, known)
            # What is unknown (a light that nobody measured) is not hidden: it does not hold, so its opposite does.
            parts.append(f"NOT coalesce({sql}, 0)" if term.hide else sql)
            values += more
    return " AND ".join(f"({part})" for part in parts), values


# ------------------------------------------------------------ words


def _pattern(term: Term) -> str:
    import polars

    pattern = f"(?i){term.value}"
    try:
        polars.Series([""]).str.contains(pattern)
    except polars.exceptions.PolarsError as error:
        raise _bad_pattern(term, str(error)) from error
    return pattern


def _bad_pattern(term: Term, said: str) -> Trouble:
    why = re.search(r"^error: (.*)$", said, re.MULTILINE)
    caret = re.search(r"^ *(\^)", said, re.MULTILINE)
    place = max(0, caret.start(1) - caret.start() - 4 - len("(?i)")) if caret else 0
    words = why[1] if why else "it is too large" if "size limit" in said else said.splitlines()[0]
    cure = "a \\ before a sign such as ( takes it as it is"
    return bad(f"'{term.value}' is no regular expression: {words}", term.at + place, cure)


def _matching(rows: Sequence[tuple[int, str]], words: Sequence[Term], patterns: Sequence[str]) -> array[int]:
    import polars

    lines = polars.Series([line for _, line in rows], dtype=polars.String)
    mask = None
    for term, pattern in zip(words, patterns, strict=True):
        one = lines.str.contains(pattern)
        one = ~one if term.hide else one
        mask = one if mask is None else mask & one
    assert mask is not None
    return array("q", [rows[at][0] for at in mask.arg_true().to_list()])


# ------------------------------------------------------------ fields

Sql = tuple[str, list[object]]


def _among(column: str, numbers: Sequence[int]) -> Sql:
    return f"{column} IN (SELECT value FROM json_each(?))", [str(list(numbers))]


def _kind(term: Term, known: KnownWords) -> Sql:
    wanted = {part for part in term.value.split(",") if part}
    names = {name.casefold().replace(" ", "_") for name in known.kinds.values()}
    if names and not wanted & (names | FAILURES.keys()):  # a known kind that has not happened yet is no mistake
        cure = f"there are {', '.join(sorted(names))}"
        raise bad(f"no failure is of kind '{term.value}'", term.at, cure)
    return _among("kind", [n for n, name in known.kinds.items() if name.casefold().replace(" ", "_") in wanted])


def _label(term: Term, known: KnownWords) -> Sql:
    def has(labels: tuple[str, ...]) -> bool:
        return not labels if term.value == "none" else any(label.casefold() == term.value for label in labels)

    return _among("labels", [n for n, labels in known.labels.items() if has(labels)])


def _bundle(term: Term, known: KnownWords) -> Sql:
    return _among("bundle", [n for n, digest in known.bundles.items() if digest.casefold().startswith(term.value)])


def _condition(term: Term, known: KnownWords) -> Sql:
    def has(conditions: dict[str, str]) -> bool:
        return any(
            word.casefold() == term.value and (term.field == "place" or name.casefold() == term.name)
            for name, word in conditions.items()
        )

    return _among("conditions", [n for n, one in known.conditions.items() if has(one)])


def _robot(term: Term, _: KnownWords) -> Sql:
    own = "source IN (SELECT id FROM sources WHERE lower(robot) = ?)"
    return own, [term.value]


def _number(column: str) -> Callable[[Term, KnownWords], Sql]:
    def sql(term: Term, _: KnownWords) -> Sql:
        compared = f"{column} {term.compared} ?" if term.compared else f"round({column}) = round(?)"
        return compared, [term.number]

    return sql


def _time(term: Term, _: KnownWords) -> Sql:
    bounds = (("wall_ns >= ?", term.low_ns), ("wall_ns < ?", term.high_ns))
    given = [(sql, bound) for sql, bound in bounds if bound is not None]
    return " AND ".join(sql for sql, _ in given), [bound for _, bound in given]


def _hour(term: Term, _: KnownWords) -> Sql:
    return f"{LOCAL_HOUR} {term.compared or '='} ?", [term.number]


def _marked(term: Term, _: KnownWords) -> Sql:
    if term.value in ("yes", "no"):
        return ("mark != 0" if term.value == "yes" else "mark = 0"), []
    return "mark = ?", [next(n for n, word in enumerate(MARKS) if word == term.value)]


def _flag(sql: str) -> Callable[[Term, KnownWords], Sql]:
    return lambda term, _: (sql if term.value == "yes" else f"NOT ({sql})", [])


_SQL: dict[str, Callable[[Term, KnownWords], Sql]] = {
    "kind": _kind,
    "label": _label,
    "robot": _robot,
    "bundle": _bundle,
    "light": _number("light"),
    "temp": _number("temp_c"),
    "time": _time,
    "hour": _hour,
    "marked": _marked,
    "picture": _flag("picture"),
    "noted": _flag("noted"),
    "imported": _flag("source IN (SELECT id FROM sources WHERE file != '')"),
    "place": _condition,
    "condition": _condition,
}
