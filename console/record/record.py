"""A campaign's record on disk: append-only, chained, committed before it is acknowledged.

Several threads may use one Record, and several processes one folder. It holds `record.db` (SQLite, WAL) and
`attachments/SHA256`.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from console.record.attachments import Attachments, attachments_of
from console.record.canonical import CURE, digest_of, entry_of, item_of, kind_of, line_of, outline_of
from console.record.database import create_database, open_database, read_only_trouble, translated, trouble_of
from console.record.entries import Attachment, Body, Entry
from console.record.rows import Head, RecordLike, Row, Stored
from remote.atomic import sync
from remote.errors import Trouble

__all__ = ["Head", "Record", "RecordLike", "Row", "Stored"]

FILE = "record.db"
FOLDER = "attachments"
_ALL = "SELECT seq, kind, item, digest, line FROM entries ORDER BY seq"
_ONE = "SELECT digest, line FROM entries WHERE seq = ?"
_LAST = "SELECT seq, digest, line FROM entries ORDER BY seq DESC LIMIT 1"
_TYPES = (int, str, str, str, bytes)
WallClock = Callable[[], int]


class Record:
    """Make one with `Record.create` or `Record.open`; every method raises Trouble with one of docs/record.md's codes."""

    def __init__(self, folder: Path, connection: sqlite3.Connection, wall_ns: WallClock, read_only: bool) -> None:
        self.folder = folder
        self.path = folder / FILE
        self._connection = connection
        self._wall_ns = wall_ns
        self._read_only = read_only
        self._lock = threading.RLock()
        self._attachments = Attachments(folder / FOLDER)

    @classmethod
    def create(cls, folder: Path, *, wall_ns: WallClock = time.time_ns) -> Record:
        """Make an empty record in `folder`, which is made 0700 if it is not there. `record_exists` where it holds one."""
        with translated(folder / FILE):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync(folder.parent)
        create_database(folder / FILE)
        return cls.open(folder, wall_ns=wall_ns)

    @classmethod
    def open(cls, folder: Path, *, wall_ns: WallClock = time.time_ns, read_only: bool = False) -> Record:
        """Open the record in `folder`; `read_only` never writes, also on a medium that can't be written."""
        return cls(folder, open_database(folder / FILE, read_only=read_only), wall_ns, read_only)

    def append(self, person: str, body: Body, *, behind: Head | None = None) -> Stored:
        """Add an entry behind the last one; it is synced to the disk when this returns, or nothing of it is there.

        What it attaches must be kept before (`attach`, `attach_file`), else `attachment_missing`. `behind` is the entry that it
        must stand right behind: where another program has added one meanwhile, `record_went_on`, and nothing is added.
        """
        for attachment in attachments_of(body):
            if not self._attachments.has(attachment):
                what = f"{attachment.name} ({attachment.digest}) is named by this entry but not kept in {self.folder}"
                raise Trouble(what, cure="attach the file first", code="attachment_missing")
        with self._writing():
            entry = self._next(person, body)
            if behind is not None and (entry.seq - 1, entry.prev) != behind:
                what = f"another program added entry {entry.seq - 1} to {self.path} meanwhile"
                raise Trouble(what, cure="look at it, then do it again", code="record_went_on")
            line = line_of(entry)
            stored = Stored(entry, digest_of(line))
            row = (entry.seq, kind_of(body), item_of(body), stored.digest, line)
            self._connection.execute("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", row)
        return stored

    def rows(self) -> list[Row]:
        """Every entry in order, not decoded and not checked."""
        with self._lock, translated(self.path):
            try:
                rows = self._read()
            except sqlite3.Error as error:
                raise self._unreadable(error) from error
        return rows if _as_written(rows) else [_mended(row) for row in rows]

    def entry(self, seq: int) -> Entry:
        """One entry. `entry_missing`, `record_damaged` where it was changed, `record_newer` where its kind is not known."""
        where = f"entry {seq} of {self.path}"
        with self._lock, translated(self.path):
            found = self._connection.execute(_ONE, (seq,)).fetchone()
        if found is None:
            raise Trouble(
                f"there is no {where}",
                cure=f"`fieldgate campaign log {self.folder.name}` lists them",
                code="entry_missing",
            )
        digest, line = found
        if not isinstance(line, bytes) or digest_of(line) != digest:
            what = f"{where} was changed: its SHA-256 is not the one that was stored"
            raise Trouble(what, cure=CURE, code="record_damaged")
        return entry_of(line, where)

    def head(self) -> Head:
        """The last entry's number and digest."""
        with self._lock, translated(self.path):
            found = self._connection.execute(_LAST).fetchone()
        return Head(found[0], str(found[1])) if found else Head()

    def attach(self, data: bytes, name: str, media: str = "") -> Attachment:
        """Keep `data` (at most 64 MiB), synced; without `media` its type follows from `name`."""
        if self._read_only:
            raise read_only_trouble(self.path)
        return self._attachments.put(data, name, media)

    def attach_file(self, path: Path) -> Attachment:
        """Keep a file's content (at most 64 MiB), synced."""
        if self._read_only:
            raise read_only_trouble(self.path)
        return self._attachments.put_file(path)

    def attachment(self, digest: str) -> bytes:
        """The bytes with this SHA-256. `attachment_missing`, `attachment_damaged`."""
        return self._attachments.get(digest)

    def close(self) -> None:
        """Close the file; its log is folded in."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        if self._read_only:
            raise read_only_trouble(self.path)
        with self._lock, translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _next(self, person: str, body: Body) -> Entry:
        """The entry behind the last one; nothing is added to a record whose last entry was changed."""
        now_ns, found = self._wall_ns(), self._connection.execute(_LAST).fetchone()
        if not found:
            return Entry(seq=1, prev=Head().digest, wall_ns=now_ns, person=person, body=body)
        seq, digest, line = found
        last = outline_of(line) if isinstance(line, bytes) else None
        if last is None or last.seq != seq or digest_of(line) != digest:
            what = f"entry {seq} of {self.path}, the last one, was changed; nothing can be added behind it"
            raise Trouble(what, cure=CURE, code="record_damaged")
        back_ms = max(0, last.wall_ns - now_ns) / 1e6
        wall_ns = max(last.wall_ns, now_ns)
        return Entry(seq=seq + 1, prev=digest, wall_ns=wall_ns, clock_back_ms=back_ms, person=person, body=body)

    def _read(self) -> list[Row]:
        try:
            return list(map(Row._make, self._connection.execute(_ALL)))
        except sqlite3.OperationalError as error:
            if "decode" not in str(error):
                raise
        self._connection.text_factory = _any_text  # forged text: read it, so that the chain can tell where
        return list(map(Row._make, self._connection.execute(_ALL)))

    def _unreadable(self, error: sqlite3.Error) -> Trouble:
        """Name the entry behind which SQLite gives up."""
        last = 0
        with suppress(sqlite3.Error):
            for row in self._connection.execute(_ALL):
                last = row[0]
        trouble = trouble_of(self.path, error)
        return Trouble(f"{trouble.what}, behind entry {last}", cure=trouble.cure, code=trouble.code)


def _as_written(rows: list[Row]) -> bool:
    """Whether every column holds the type that we write: SQLite stores any type in any column."""
    columns = zip(*rows, strict=True)
    return all(set(map(type, column)) == {wanted} for column, wanted in zip(columns, _TYPES, strict=False))


def _any_text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _mended(row: Row) -> Row:
    """A forged row with the types that readers rely on; its digest then tells on it."""
    line = row.line if isinstance(row.line, bytes) else str(row.line).encode("utf-8", "replace")
    return Row(row.seq, str(row.kind), str(row.item), str(row.digest), line)
