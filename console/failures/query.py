"""The line behind `/` and `--find`: words, `field:value`, `!` before what is to be hidden. Parsing only; searching.py finds.

    dark shadow !mirror kind:no_detection label:cube light:<40 time:>2026-11-20T10:00 place:dock marked:yes

Everything must hold at once. Words are regular expressions over kind and text, case is ignored; "..." keeps blanks together
and takes a colon as it is. A field that is none of FIELDS is a condition's name, and `place:` any condition's word.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Collection
from datetime import datetime, timedelta, timezone
from typing import Literal, get_args

import msgspec

from remote.errors import Trouble

Field = Literal[
    "text",
    "kind",
    "label",
    "robot",
    "bundle",
    "light",
    "temp",
    "time",
    "hour",
    "marked",
    "picture",
    "noted",
    "imported",
    "place",
    "condition",
]
Compared = Literal["", "<", ">", "<=", ">="]
FIELDS: dict[str, str] = {
    "kind": "the failure's kind, `kind:no_detection`; several with commas",
    "label": "a label that was detected in the frame, `label:cube`; `label:none` where nothing was",
    "robot": "the robot's name",
    "bundle": "the beginning of the bundle's digest",
    "light": "the picture's mean grey level, 0 to 255, `light:<40`",
    "temp": "the hottest sensor in degrees Celsius, `temp:>80`",
    "time": "when, by your clock: `time:2026-11-20`, `time:>2026-11-20T10:00` (a Z behind it: UTC)",
    "hour": "the hour of the day by your clock, 0 to 23, `hour:>=18`",
    "marked": "`yes`, `no`, or the mark: `seen`, `real`, `false_alarm`, `to_label`",
    "picture": "`yes` or `no`: whether the robot took a picture",
    "noted": "`yes` or `no`: whether somebody wrote a note",
    "imported": "`yes` or `no`: whether it comes from an imported log",
    "place": "a word of any condition, `place:dock`",
}
"""Every field with what it means, as the help says it."""
_FIELDS: dict[str, Field] = {one: one for one in get_args(Field)}
_NUMBERS = ("light", "temp", "hour", "time")
_COMPARISONS: dict[str, Compared] = {one: one for one in get_args(Compared)}
_YES_NO = ("picture", "noted", "imported")
_ANSWERS = ("yes", "no", "seen", "real", "false_alarm", "to_label")
LENGTH_MAX = 1000
_TIME_CURE = "write 2026-11-20 or 2026-11-20T10:00, with a Z for UTC"
_TERM = re.compile(r'(!?)(?:([A-Za-z_][A-Za-z0-9_.-]*):)?("(?:[^"]*)"?|\S*)')
_COMPARED = re.compile(r"(<=|>=|<|>|)\s*(.*)\Z", re.DOTALL)
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d)(?::(\d\d)(?::(\d\d))?)?)?(Z?)\Z")


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that must hold, or with `hide` must not. `at` is its place in the line, from 0.

    `name`: the condition's, for field `condition`. `value` in lower case but for `text`. `number` is compared (grey level,
    degrees) as `compared` says, rounded where that is empty. A time lies in [low_ns, high_ns) since the epoch.
    """

    field: Field
    value: str
    name: str = ""
    compared: Compared = ""
    number: float | None = None
    low_ns: int | None = None
    high_ns: int | None = None
    hide: bool = False
    at: int = 0


class Query(msgspec.Struct, frozen=True):
    """What is looked for: every term must hold. `line` is how a person wrote it."""

    terms: tuple[Term, ...] = ()
    line: str = ""


EVERYTHING = Query()


def parse(line: str, conditions: Collection[str] | None = None) -> Query:
    """The query that a line says.

    `conditions`: the names of conditions that there are; another one is refused as a mistake. None: any name is taken.
    Raises Trouble `bad_query`, whose words name the place in the line. Whether a word is a regular expression that can be
    used is said when it is looked for.
    """
    if len(line) > LENGTH_MAX:
        raise Trouble(
            f"the query has {len(line)} characters, at most {LENGTH_MAX} are read", cure="shorten it", code="bad_query"
        )
    terms = []
    for found in _TERM.finditer(line):
        if found.group().strip():
            terms.append(_term(found, conditions))
    return Query(tuple(terms), line.strip())


def with_term(query: Query, field: str, value: str) -> str:
    """The query's line with `field:value` behind it, quoted where that is needed."""
    quoted = f'"{value}"' if re.search(r'[\s"<>!:]', value) and field not in _NUMBERS else value
    return f"{query.line} {field}:{quoted}".strip()


def bad(what: str, at: int, cure: str = "") -> Trouble:
    """The Trouble of a query whose mistake begins at character `at` (from 0) of its line."""
    return Trouble(f"{what} (at character {at + 1})", cure=cure, code="bad_query")


def _term(found: re.Match[str], conditions: Collection[str] | None) -> Term:
    hide, field, value = bool(found[1]), (found[2] or "").lower(), found[3]
    at = found.start()
    if value.startswith('"'):
        if len(value) < 2 or not value.endswith('"'):
            raise bad('a " is not closed', found.start(3), 'write a second " where the words end')
        value = value[1:-1]
    if not value.strip():
        what = f"nothing stands behind '{field}:'" if field else "nothing stands behind '!'"
        raise bad(what, at, "write what is looked for, or take it away")
    if not field:
        return Term(field="text", value=value, hide=hide, at=found.start(3))
    if field in FIELDS:
        return _of_field(field, value, hide, at)
    if conditions is not None and field not in {name.lower() for name in conditions}:
        raise _unknown(field, at, conditions)
    return Term(field="condition", name=field, value=value.casefold(), hide=hide, at=at)


def _of_field(field: str, value: str, hide: bool, at: int) -> Term:
    place = at + hide + len(field) + 1
    known = _FIELDS[field]
    if field in _NUMBERS:
        return _compared(known, value, hide, at, place)
    value = value.casefold()
    if field in ("kind", "marked"):
        value = value.replace(" ", "_").replace("-", "_")
    allowed = _ANSWERS if field == "marked" else _ANSWERS[:2] if field in _YES_NO else ()
    if allowed and value not in allowed:
        what = f"'{field}:' takes {', '.join(allowed)}, not '{value}'"
        raise bad(what, place, f"write {field}:{allowed[0]}")
    return Term(field=known, value=value, hide=hide, at=at)


def _compared(field: Field, value: str, hide: bool, at: int, place: int) -> Term:
    found = _COMPARED.match(value)
    assert found is not None
    compared, text = _COMPARISONS[found[1]], found[2]
    if field != "time":
        number = _plain(field, text, place)
        return Term(field=field, value=value, compared=compared, number=number, hide=hide, at=at)
    low, high = _span(text, place)
    bounds: dict[Compared, tuple[int | None, int | None]] = {
        "": (low, high),
        "<": (None, low),
        ">=": (low, None),
        ">": (high, None),
        "<=": (None, high),
    }
    first, end = bounds[compared]
    return Term(field=field, value=value, compared=compared, low_ns=first, high_ns=end, hide=hide, at=at)


def _plain(field: Field, text: str, place: int) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not math.isfinite(number):
        raise bad(
            f"'{field}:' takes a number, as in `{field}:<40`, not '{text}'",
            place,
            f"write {field}:<40, {field}:>=40 or {field}:40",
        )
    return number


def _span(text: str, place: int) -> tuple[int, int]:
    """The first and the end nanosecond of a day, hour, minute or second."""
    found = _DAY.match(text)
    if not found:
        raise bad(f"'{text}' is no time", place, _TIME_CURE)
    day, hour, minute, second, zulu = found.groups()
    try:
        when = datetime.fromisoformat(f"{day}T{hour or '00'}:{minute or '00'}:{second or '00'}")
        when = when.replace(tzinfo=timezone.utc) if zulu else when.astimezone()
        wide = timedelta(seconds=1) if second else timedelta(minutes=1) if minute else timedelta(hours=1)
        low, high = when.timestamp(), (when + (wide if hour else timedelta(days=1))).timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise bad(f"'{text}' is no time: {error}", place, _TIME_CURE) from error
    return int(low) * 1_000_000_000, int(high) * 1_000_000_000


def _unknown(field: str, at: int, conditions: Collection[str]) -> Trouble:
    names = [*FIELDS, *sorted(conditions)]
    near = difflib.get_close_matches(field, names, n=1)
    cure = f"did you mean `{near[0]}:`?" if near else f"there are {', '.join(names)}"
    return bad(f"there is no field '{field}:'", at, f'{cure}; to look for the words themselves write "{field}:..."')
