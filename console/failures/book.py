"""The book of failures: every failure of every robot of this laptop, and of imported logs, once, quick to search.

failures.db is made from the laptop's store and from imported files and can be made again; what people said is kept in
failure_marks.jsonl (said.py) and read into it.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import msgspec

from console.failures.database import open_book, reading
from console.failures.feed import clips_of, failures_of
from console.failures.groups import Group, groups
from console.failures.query import EVERYTHING, Query
from console.failures.rows import ClipPicture, FailureNote, FailureRow, MarkWord
from console.failures.said import Imported, Marked, Noted, SaidFile, Saying
from console.failures.searching import Found, known_words, search
from console.failures.shelf import MARKS, ClipBody, Shelf
from console.places import data_dir
from console.store.sqlite_file import store_trouble
from console.store.store import Journal, Store
from remote.errors import Trouble

BATCH_ROWS = 500
"""Rows in one transaction of `refresh`: other processes wait no longer than that takes."""
_PAGE = (
    "SELECT failures.row, sources.name, sources.robot, sources.id, number, mark, body FROM failures"
    " JOIN sources ON sources.id = source JOIN details ON details.row = failures.row"
)
_row = msgspec.json.Decoder(FailureRow)
_clip = msgspec.json.Decoder(ClipBody)


class Refreshed(msgspec.Struct, frozen=True):
    """What `refresh` brought: new rows, and how many sayings and clips were read."""

    rows: int = 0
    clips: int = 0
    sayings: int = 0


class FailureBook:
    """failures.db and failure_marks.jsonl. One object may serve several threads; several processes may hold the files.

    Args:
        folder: None takes `data_dir()`.
        wall_ns: the laptop's wall clock.

    `moved_aside` names the corrupt file that this one replaces, None normally.
    """

    def __init__(self, folder: Path | None = None, *, wall_ns: Callable[[], int] = time.time_ns) -> None:
        folder = folder or data_dir()
        self.path = folder / "failures.db"
        self._wall_ns = wall_ns
        self._lock = threading.Lock()
        self._database, self.moved_aside = open_book(self.path)
        self._reader = reading(self.path)
        self._read_lock = threading.Lock()
        self._shelf = Shelf(self._database)
        self._said = SaidFile(folder / "failure_marks.jsonl")
        self.damaged_marks = 0

    def close(self) -> None:
        """Close the files."""
        with self._lock, self._read_lock:
            self._reader.close()
            self._database.close()

    # ------------------------------------------------------------ filling

    def refresh(self, store: Store, tell: Callable[[int], None] = lambda rows: None) -> Refreshed:
        """Take what the store has and the book has not: every journal, also old ones, and what people said meanwhile.

        `tell` hears how many rows of a journal are new so far.
        """
        rows = clips = 0
        for journal in store.journals():
            clips += self._take_clips(store, journal)
            rows += self._take_failures(store, journal, tell)
        return Refreshed(rows, clips, self.hear(again=rows > 0))

    def add_imported(self, rows: Iterable[tuple[int, FailureRow]], digest: str, file: str) -> int:
        """Add the rows of a foreign file: (line number from 1, row). How many were new.

        `digest` is the SHA-256 of the file's content and `file` its name, for people. A line that is here already, from
        this file's content under whatever name, is not counted again. Robot and `imported_from` of each row are kept;
        its `id` becomes `DIGEST:LINE`.
        """
        given, added = iter(rows), 0
        while batch := list(islice(given, BATCH_ROWS)):
            named = [(line, msgspec.structs.replace(row, id=f"{digest}:{line}")) for line, row in batch]
            with self._writing():
                added += self._shelf.add(self._shelf.source(digest, batch[0][1].robot, file), named)
        if added:
            self._said.append([Imported(file=file, digest=digest, rows=added, wall_ns=self._wall_ns())])
        self.hear(again=added > 0)
        return added

    def imported_as(self, digest: str) -> str | None:
        """The robot that a foreign file of that content was imported as; None where it is not here."""
        with self.reading() as reader:
            found = reader.execute("SELECT robot FROM sources WHERE name = ?", (digest,)).fetchone()
        return None if found is None else str(found[0])

    def _take_failures(self, store: Store, journal: Journal, tell: Callable[[int], None]) -> int:
        """The seq up to which entries were read moves with the rows, in one transaction: no hole and no double."""
        added, source = 0, self._source(journal)
        found = failures_of(store, journal, self._read_up_to(source, "failures_seq"))
        while batch := list(islice(found, BATCH_ROWS)):
            with self._writing():
                added += self._shelf.add(source, batch)
                self._advance(source, "failures_seq", batch[-1][0])
            tell(added)
        return added

    def _take_clips(self, store: Store, journal: Journal) -> int:
        count, source = 0, self._source(journal)
        found = clips_of(store, journal, self._read_up_to(source, "clips_seq"))
        while batch := list(islice(found, BATCH_ROWS)):
            with self._writing():
                for _, failure, clip in batch:
                    self._shelf.add_clip(source, failure, clip)
                self._advance(source, "clips_seq", batch[-1][0])
            count += len(batch)
        return count

    def _source(self, journal: Journal) -> int:
        with self._writing():
            return self._shelf.source(journal.journal, journal.robot)

    def _read_up_to(self, source: int, column: str) -> int:
        return int(self._read(f"SELECT {column} FROM sources WHERE id = ?", (source,))[0][0])

    def _advance(self, source: int, column: str, seq: int) -> None:
        self._database.execute(f"UPDATE sources SET {column} = max({column}, ?) WHERE id = ?", (seq, source))

    # ------------------------------------------------------------ what people say

    def mark(self, ids: Sequence[str], word: MarkWord, person: str) -> None:
        """Say what these failures are; an empty word takes back what was said. Durable when it returns."""
        now_ns = self._wall_ns()
        self._say([Marked(id=id, mark=word, person=person, wall_ns=now_ns) for id in ids])

    def note(self, id: str, text: str, person: str) -> None:
        """Write something on a failure. Durable when it returns."""
        self._say([Noted(id=id, text=text, person=person, wall_ns=self._wall_ns())])

    def _say(self, sayings: list[Saying]) -> None:
        self._said.append(sayings)
        self.hear()

    def hear(self, *, again: bool = False) -> int:
        """Read what was said since the last time; `again`: rows came that something may have been said of before."""
        if not again and self._said.size() == self._heard_up_to():
            return 0
        with self._writing():
            heard = self._said.after(self._heard_up_to())
            self.damaged_marks += heard.damaged
            for place, saying in heard.sayings:
                self._hear_one(place, saying)
            self._apply([one.id for _, one in heard.sayings if not isinstance(one, Imported)], everything=again)
            if heard.end != self._heard_up_to():  # an unchanged book must not look changed to who watches it
                self._database.execute("INSERT OR REPLACE INTO about VALUES ('heard', ?)", (str(heard.end),))
        return len(heard.sayings)

    def _heard_up_to(self) -> int:
        found = self._read("SELECT CAST(value AS INTEGER) FROM about WHERE name = 'heard'", ())
        return found[0][0] if found else 0

    def _hear_one(self, place: int, saying: Saying) -> None:
        if isinstance(saying, Marked):
            sql = "INSERT OR REPLACE INTO marks VALUES (?, ?)"
            self._database.execute(sql, (saying.id, MARKS.index(saying.mark)))
        elif isinstance(saying, Noted):
            sql = "INSERT OR REPLACE INTO notes VALUES (?, ?, ?, ?, ?)"
            self._database.execute(sql, (saying.id, place, saying.wall_ns, saying.person, saying.text))

    def _apply(self, ids: list[str], *, everything: bool) -> None:
        """Bring the newest marks, and whether there are notes, into the rows."""
        if everything:
            ids = [str(id) for (id,) in self._database.execute("SELECT id FROM marks UNION SELECT id FROM notes")]
        for id in dict.fromkeys(ids):
            source, _, number = id.rpartition(":")
            self._database.execute(
                "UPDATE failures SET mark = coalesce((SELECT mark FROM marks WHERE id = ?1), 0),"
                " noted = EXISTS (SELECT 1 FROM notes WHERE id = ?1)"
                " WHERE source = (SELECT id FROM sources WHERE name = ?2) AND number = ?3",
                (id, source, int(number) if number.isdecimal() else -1),
            )

    def imports(self) -> tuple[Imported, ...]:
        """Every file that was ever imported, oldest first: after a damage these are to be imported again."""
        return tuple(one for _, one in self._said.after(0).sayings if isinstance(one, Imported))

    # ------------------------------------------------------------ reading

    def find(self, query: Query = EVERYTHING) -> Found:
        """Everything that matches, newest first. Blocks until all are found; raises Trouble `bad_query`."""
        found = Found()
        with self.reading() as reader:
            for part in search(reader, query):
                found.extend(part)
        found.complete = True
        return found

    def groups(self, query: Query, by: str) -> tuple[Group, ...]:
        """How many of what matches belong to each kind, label, hour, light, or word of a condition; see groups.py."""
        with self.reading() as reader:
            return groups(reader, query, by)

    def page(self, found: Found, offset: int, count: int) -> tuple[FailureRow, ...]:
        """The rows of one page; only these are read. Fewer where the end is reached."""
        return self.rows(found.rows[offset : offset + count])

    def rows(self, numbers: Sequence[int]) -> tuple[FailureRow, ...]:
        """The rows of these numbers, in their order; those that are gone are left out."""
        found = self.numbered(numbers)
        return tuple(found[number] for number in numbers if number in found)

    def numbered(self, numbers: Sequence[int]) -> dict[int, FailureRow]:
        """The rows of these numbers by number; those that are gone are left out."""
        sql = f"{_PAGE} WHERE failures.row IN (SELECT value FROM json_each(?))"
        with self.reading() as reader:
            return {cells[0]: self._filled(reader, cells) for cells in reader.execute(sql, (str(list(numbers)),))}

    def all_rows(self, found: Found, page: int = 500) -> Iterator[FailureRow]:
        """Every row, newest first, read a page at a time: memory does not grow with the book."""
        for offset in range(0, found.count, page):
            yield from self.page(found, offset, page)

    def failure(self, id: str) -> FailureRow:
        """The failure of that id, or of `BEGINNING:NUMBER` where only one source begins so.

        Raises Trouble `unknown_failure`.
        """
        beginning, _, number = id.rpartition(":")
        sql = (
            "SELECT failures.row FROM failures JOIN sources ON sources.id = source"
            " WHERE number = ? AND substr(name, 1, length(?)) = ? LIMIT 2"
        )
        found = self._read(sql, (int(number), beginning, beginning)) if number.isdecimal() and beginning else []
        if len(found) == 1:
            return self.rows([found[0][0]])[0]
        what = f"there are several failures '{id}'" if found else f"there is no failure '{id}' on this laptop"
        cure = "`fieldgate failures list` shows the names; write more of its beginning"
        raise Trouble(what, cure=cure, code="unknown_failure")

    def conditions(self) -> tuple[str, ...]:
        """The names of the conditions that failures were recorded under."""
        with self.reading() as reader:
            return known_words(reader).condition_names

    @property
    def version(self) -> int:
        """Another number after anything in the book has changed, whoever changed it; means something for this object only."""
        return int(self._read("PRAGMA data_version", ())[0][0])

    @property
    def count(self) -> int:
        """How many failures there are."""
        return int(self._read("SELECT count(*) FROM failures", ())[0][0])

    def _filled(self, reader: sqlite3.Connection, cells: tuple[object, ...]) -> FailureRow:
        _, name, robot, source, number, mark, body = cells
        row = _row.decode(body)  # type: ignore[arg-type]
        id = f"{name}:{number}"
        notes = reader.execute("SELECT wall_ns, person, text FROM notes WHERE id = ? ORDER BY place", (id,))
        clip = reader.execute(
            "SELECT body FROM clips WHERE source = ? AND failure = ?", (source, row.failure)
        ).fetchone()
        kept = _clip.decode(clip[0]) if clip and row.failure else ClipBody()
        return msgspec.structs.replace(
            row,
            robot=row.robot or robot,
            mark=MARKS[int(mark)] if 0 <= int(mark) < len(MARKS) else "",  # type: ignore[call-overload]
            notes=tuple(FailureNote(*note) for note in notes),
            after=row.after or _after(kept.pictures),
            clip=kept.pictures,
            no_picture=kept.reason or row.no_picture,
        )

    # ------------------------------------------------------------ the files

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """The connection that only reads, for one thread at a time."""
        with self._read_lock:
            try:
                yield self._reader
            except sqlite3.Error as error:
                raise store_trouble(self.path, error) from error

    def _read(self, sql: str, values: tuple[object, ...]) -> list[tuple[int, ...]]:
        with self.reading() as reader:
            return reader.execute(sql, values).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """BEGIN IMMEDIATE .. COMMIT; anything raised inside rolls back, SQLite's own errors become Trouble."""
        with self._lock:
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield
                self._database.execute("COMMIT")
            except BaseException as error:
                self._shelf.forget_words()
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")
                if isinstance(error, sqlite3.Error):
                    raise store_trouble(self.path, error) from error
                raise


def _after(pictures: tuple[ClipPicture, ...]) -> str | None:
    """The last picture behind the failure."""
    later = [one.picture for one in pictures if one.offset_ms > 0]
    return later[-1] if later else None
