"""Writing rows into the book's tables: each kind, set of labels and set of conditions as the number of a word."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

import msgspec

from console.failures.rows import MARK_WORDS, ClipPicture, FailureRow, MarkWord

TEXT_MAX = 4000
"""Characters of a failure's text that the book keeps; the whole text stays where it came from."""
MARKS: tuple[MarkWord, ...] = ("", *MARK_WORDS)
"""A mark's number is its place here."""

_ADD = (
    "INSERT INTO failures (row, source, number, wall_ns, kind, labels, conditions, bundle, light, temp_c,"
    " picture, line) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_encoder = msgspec.json.Encoder()


class ClipBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the book keeps of a clip."""

    pictures: tuple[ClipPicture, ...] = ()
    reason: str = ""


class Shelf:
    """Adds rows within a transaction that its owner has begun. Not locked."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._words: dict[tuple[str, str], int] = {}

    def source(self, name: str, robot: str, file: str = "") -> int:
        """The number of a journal or imported file, made where it is new."""
        sql = "INSERT OR IGNORE INTO sources (name, robot, file) VALUES (?, ?, ?)"
        self._database.execute(sql, (name, robot, file))
        return int(self._database.execute("SELECT id FROM sources WHERE name = ?", (name,)).fetchone()[0])

    def add(self, source: int, rows: Iterable[tuple[int, FailureRow]]) -> int:
        """Add (number within the source, row) where that number is not here yet; how many were new."""
        new = self._not_here(source, rows)
        row = int(self._database.execute("SELECT coalesce(max(row), 0) FROM failures").fetchone()[0]) + 1
        kept = [msgspec.structs.replace(one, text=kept_text(one.text)) for one in new.values()]
        cells = [
            (at, source, number, *self._cells(one)) for at, (number, one) in enumerate(zip(new, kept, strict=True), row)
        ]
        self._database.executemany(_ADD, cells)
        bodies = [(at, _encoder.encode(one)) for at, one in enumerate(kept, row)]
        self._database.executemany("INSERT INTO details VALUES (?, ?)", bodies)
        return len(kept)

    def _not_here(self, source: int, rows: Iterable[tuple[int, FailureRow]]) -> dict[int, FailureRow]:
        """The rows whose numbers are not here yet, each number once."""
        given: dict[int, FailureRow] = {}
        for number, row in rows:
            given.setdefault(number, row)
        sql = "SELECT number FROM failures WHERE source = ? AND number IN (SELECT value FROM json_each(?))"
        for (number,) in self._database.execute(sql, (source, str(list(given)))):
            del given[number]
        return given

    def add_clip(self, source: int, failure: str, clip: ClipBody) -> None:
        """Keep what a clip says of the failure of that id (the robot's own)."""
        self._database.execute(
            "INSERT OR REPLACE INTO clips VALUES (?, ?, ?)", (source, failure, _encoder.encode(clip))
        )

    def forget_words(self) -> None:
        """After a transaction that was rolled back: numbers given in it are void."""
        self._words.clear()

    def _cells(self, row: FailureRow) -> tuple[object, ...]:
        return (
            row.wall_ns,
            self._word("kind", row.kind),
            self._word("labels", _encoder.encode(row.labels).decode()),
            self._word("conditions", _encoder.encode(dict(sorted(row.conditions.items()))).decode()),
            self._word("bundle", row.bundle),
            row.light,
            row.temp_c,
            int(bool(row.at or row.pictures)),
            line_of(row.kind, row.text),
        )

    def _word(self, what: str, text: str) -> int:
        known = self._words.get((what, text))
        if known is not None:
            return known
        self._database.execute("INSERT OR IGNORE INTO words (what, text) VALUES (?, ?)", (what, text))
        sql = "SELECT id FROM words WHERE what = ? AND text = ?"
        number = int(self._database.execute(sql, (what, text)).fetchone()[0])
        if len(self._words) > 100_000:  # a robot that invents conditions must not fill the memory
            self._words.clear()
        self._words[what, text] = number
        return number


def line_of(kind: str, text: str) -> str:
    """What words of a query are looked for in: the kind in words, then the text."""
    return f"{kind.replace('_', ' ')}: {text}"


def kept_text(text: str) -> str:
    """The text as the book keeps it: at most TEXT_MAX characters, then how many there were."""
    text = text.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate can't be stored
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]} ... ({len(text)} characters)"
