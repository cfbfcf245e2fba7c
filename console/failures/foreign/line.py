"""One line of a foreign log: what happened, in what light, when, where. docs/failures.md says which forms are understood."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Union

from console.failures.circumstances import light_name, temp_name
from remote.protocol import FAILURES

LINE_LIMIT_BYTES = 65_536
"""A longer line is not read (but counted)."""
_KEYED = re.compile(r"\[?([A-Za-z][A-Za-z _]{0,30}?)\s*[:=]\s*(.*)\Z", re.DOTALL)
_CLOCK = re.compile(r"(?<!\d)(\d{1,2}):\d\d:\d\d(?:[.,]\d+)?")
_STAMP = re.compile(r"[\[(]?(?:\d{4}-\d\d-\d\d[ T])?\d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?[\])]?")
_EPOCH = re.compile(r"(\d{10})(?:\d{3})?(?:\.\d+)?\Z")
_NUMBER = re.compile(r"\d{1,6}(?:\.\d+)?(?![\d:-])")
_WORDS = re.compile(r"[A-Za-z][A-Za-z _]{0,29}\Z")
_VALUE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_ -]{0,39}\Z")
_UNIQUE = re.compile(r"(?=.*\d)[0-9a-fA-F-]{8,}\Z|\d{5,}\Z")
_LEVEL = re.compile(
    r"[\s\[\]()-]*(?:(?:debug|info|warning|warn|error|critical|fatal|root)\b)?[\s\[\]():-]*", re.IGNORECASE
)
_REGULAR = re.compile(r"(?:ok|okay|alive|heartbeat|status|frames?|detected|detections?|# detections?)\b")
_LIGHT = frozenset(("light", "light level", "light_level", "brightness", "lux"))
_TIME = frozenset(("time", "timestamp", "date", "when"))
_LEVELS = frozenset(("debug", "info", "warn", "warning", "error", "critical", "fatal", "root"))
_TEMP = frozenset(("temp", "temp c", "temp_c", "temperature"))
_NOT_GROUPS = frozenset(
    ("id", "picture", "repeats", "image", "file", "path", "frame", "text", "bundle", "sha", "digest")
)
_SAME = {"no_detections": "no_detection", "nothing_detected": "no_detection", "no_objects_detected": "no_detection"}
_SEEN = frozenset(("detections", "detected", "objects"))
_NOTHING = frozenset(("", "0", "none", "[]", "nothing"))
_MOST_FIELDS = 8
_KIND_CHARS = 60
_REMEMBERED = 64


class ForeignLine(NamedTuple):
    """What a line says. Two lines that say the same are equal, whenever they were written.

    `failure`: False for a regular line (`Detections: 3 | ...`, `OK | ...`), which tells that the robot was running. `kind`: a
    snake_case word, of remote.protocol.FAILURES where it is one. `hour`: of the day as written, 0 to 23. `light`: rounded;
    `light_word` where it is written in words. `temp_c` rounded. `fields`: other `key=value` of few words, sorted.
    """

    failure: bool
    kind: str
    hour: int | None
    light: int | None
    light_word: str = ""
    temp_c: int | None = None
    fields: tuple[tuple[str, str], ...] = ()


class Cell(NamedTuple):
    """What of a line is counted: its light and its temperature as the names of their bands, empty where none is told."""

    failure: bool
    kind: str
    hour: int | None
    light: str
    temp: str
    fields: tuple[tuple[str, str], ...]


def cell_of(said: ForeignLine) -> Cell:
    """The cell that a line is counted in."""
    light = f"light {said.light_word}" if said.light_word else light_name(said.light)
    temp = "" if said.temp_c is None else temp_name(said.temp_c)
    return Cell(said.failure, said.kind, said.hour, light, temp, said.fields)


class Part(NamedTuple):
    """What stands between two `|`. `role` says what it is for; `key` is lower-case, empty for words; `text` as written.

    `value` is what the role makes of it, `hour` the hour of a clock time in it, `stamp` the words that hold that time.
    """

    role: Literal["kind", "seen", "light", "time", "temp", "field", "none"]
    key: str
    text: str
    value: Any = None
    hour: int | None = None
    stamp: str = ""


def read_line(line: bytes) -> Union[ForeignLine, str]:
    """The line (without its line feed), or why it can't be read. Never raises. Invalid UTF-8 is read as far as it goes."""
    parts = parts_of(line)
    return parts if isinstance(parts, str) else read_parts(parts)


def read_parts(parts: list[Part]) -> Union[ForeignLine, str]:
    """What a line's parts say together, or why that is nothing."""
    first: dict[str, Part] = {}
    fields: dict[str, str] = {}
    for part in parts:
        first.setdefault("clock" if part.role in ("kind", "none") and part.hour is not None else part.role, part)
        if part.role == "kind":
            first.setdefault("kind", part)
        elif part.role == "field" and part.value:
            fields.setdefault(part.key, part.value)
    happened = first.get("kind") or first.get("seen")
    when, light, temp = first.get("time") or first.get("clock"), first.get("light"), first.get("temp")
    if happened is None:
        return "no words that say what happened"
    if when is None and light is None:
        return "neither light nor time in it"
    kind, failure = happened.value
    number, word = light.value if light else (None, "")
    others = tuple(sorted(fields.items())[:_MOST_FIELDS])
    return ForeignLine(failure, kind, when.hour if when else None, number, word, temp.value if temp else None, others)


def parts_of(line: bytes) -> Union[list[Part], str]:
    """The line taken apart at `|`, or why it can't be."""
    if len(line) > LINE_LIMIT_BYTES:
        return f"longer than {LINE_LIMIT_BYTES:,} bytes"
    if b"\0" in line:
        return "NUL bytes in it"
    segments = line.decode("utf-8", "replace").split("|")
    if len(segments) < 2:
        return "empty" if not segments[0].strip() else "no `|` in it"
    return [_known_part(text) if len(text) <= _REMEMBERED else _part(text) for text in segments]


def _part(segment: str) -> Part:
    text = segment.strip()
    found = _KEYED.match(text)
    while found and found[1].lower() in _LEVELS:
        text = found[2]
        found = _KEYED.match(text)
    if found:
        return _keyed(found[1].lower(), found[2])
    words = kind_words(text)
    if not words:
        return Part("none", "", text, None, _hour(text), text)
    return Part("kind", "", words, _named(words), _hour(text), text)


def _keyed(key: str, text: str) -> Part:
    if key in _LIGHT:
        return Part("light", key, text, _light(text))
    if key in _TIME:
        return Part("time", key, text, None, _hour(text))
    if key in _TEMP:
        return Part("temp", key, text, _number(text))
    if key in _SEEN:
        return Part("seen", key, text, _seen(text))
    grouped = key not in _NOT_GROUPS and _VALUE.match(text) and not _UNIQUE.match(text)
    return Part("field", key, text, text if grouped else "")


_known_part = lru_cache(maxsize=8192)(_part)


def kind_words(words: str) -> str:
    """A segment without its time stamp and its level: what happened, as somebody wrote it. Empty where nothing is left."""
    text = _STAMP.sub(" ", words)
    return text[_LEVEL.match(text).end() :].strip()  # type: ignore[union-attr]  # the pattern matches the empty text too


def _named(kind: str) -> tuple[str, bool]:
    """The kind's own word, and whether it is a failure."""
    low = re.sub(r"\d+", "#", kind)[:_KIND_CHARS].lower()
    name = re.sub(r"[^a-z0-9#]+", "_", low).strip("_") or "other"
    name = _SAME.get(name, name)
    if name in FAILURES:
        return name, True
    return ("regular", False) if _REGULAR.match(low) else (name, True)


def _seen(value: str) -> tuple[str, bool]:
    """`Detections: 0` is a failure, `Detections: 3` and `Detected: person` are regular lines."""
    return ("no_detection", True) if value.strip().lower() in _NOTHING else ("regular", False)


def _light(value: str) -> tuple[int | None, str]:
    number = _number(value)
    if number is not None:
        return number, ""
    return None, value.lower() if _WORDS.match(value) else ""


def _number(value: str) -> int | None:
    found = _NUMBER.match(value)
    return round(float(found[0])) if found else None


def _hour(text: str) -> int | None:
    epoch = _EPOCH.match(text)
    if epoch:
        return int(epoch[1]) // 3600 % 24
    found = _CLOCK.search(text)
    hour = int(found[1]) if found else 24
    return hour if hour < 24 else None
