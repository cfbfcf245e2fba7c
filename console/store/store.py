"""What this laptop has seen: every journal entry once, without holes, as the robot wrote it."""

from __future__ import annotations

import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from console.places import data_dir
from console.store.database import open_database
from console.store.sqlite_file import store_trouble
from remote.errors import Trouble
from remote.protocol import Entry
from remote.ready_types import ready

_READ_ROWS = 500


class Journal(msgspec.Struct, frozen=True):
    """One journal of one robot as the store knows it. `id` is the store's own number for it."""

    id: int
    robot: str
    journal: str
    first_seen_wall_ns: int
    last_seq: int


class _Kind(msgspec.Struct):
    kind: str = "unknown"


_KIND_FIRST = b'{"kind":"'
_HEAD_BYTES = 40
TEN_S_NS = 10_000_000_000
_LATEST_NS = 1 << 61
_kind = msgspec.json.Decoder(_Kind)


class Store:
    """store.db (SQLite, WAL, mode 0600). One object may serve several threads; several processes may hold the file.

    Args:
        path: the file; None takes `data_dir()/store.db`.
        wall_ns: the laptop's wall clock.

    `moved_aside` names the corrupt file that this one replaces, None normally.
    """

    def __init__(self, path: Path | None = None, *, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self.path = path or data_dir() / "store.db"
        self._wall_ns = wall_ns
        self._lock = threading.Lock()
        self._database, self.moved_aside = open_database(self.path)
        self.store_id = self._about("store_id", uuid.uuid4().hex)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def note_robot(self, name: str, address: str) -> None:
        """Remember that a robot was reached."""
        sql = "INSERT OR REPLACE INTO robots (name, address, seen_wall_ns) VALUES (?, ?, ?)"
        self._write([(sql, [(name, address, self._wall_ns())])])

    def journal(self, robot: str, journal: str) -> Journal:
        """The robot's journal of that id, made where it is new."""
        sql = "INSERT OR IGNORE INTO journals (robot, journal, first_seen_wall_ns) VALUES (?, ?, ?)"
        self._write([(sql, [(robot, journal, self._wall_ns())])])
        return next(known for known in self.journals(robot) if known.journal == journal)

    def journals(self, robot: str | None = None) -> tuple[Journal, ...]:
        """Every journal, or every journal of a robot, oldest first."""
        sql = "SELECT id, robot, journal, first_seen_wall_ns, last_seq FROM journals"
        rows = self._read(f"{sql} WHERE ? IS NULL OR robot = ? ORDER BY id", (robot, robot))
        return tuple(Journal(*row) for row in rows)

    def last_seq(self, journal_id: int) -> int:
        """The last sequence number that is here or known to be lost; 0 for none."""
        return int(self._read("SELECT last_seq FROM journals WHERE id = ?", (journal_id,))[0][0])

    def add(self, journal_id: int, entries: Sequence[Entry]) -> int:
        """Store a batch durably, all of it or nothing; returns the last sequence number now here.

        Entries that are here already are passed over. A batch that would leave a hole raises Trouble (`out_of_order`);
        a full disk `store_full`.
        """
        rows = [(journal_id, e.seq, e.boot_id, e.mono_ns, e.wall_ns, kind_of(e), bytes(e.body)) for e in entries]
        sql = "INSERT OR IGNORE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)"
        return self._advance(journal_id, entries, sql, rows)

    def add_lost(self, journal_id: int, first_seq: int, last_seq: int) -> int:
        """Note that the robot no longer has these; what is here already does not count as lost."""
        with self._lock, self._transaction():
            here = self._last_seq_now(journal_id)
            if first_seq > here + 1:
                raise _out_of_order(here, first_seq)
            if last_seq > here:
                row = (journal_id, max(first_seq, here + 1), last_seq)
                self._database.execute("INSERT OR IGNORE INTO lost VALUES (?, ?, ?)", row)
                self._database.execute("UPDATE journals SET last_seq = ? WHERE id = ?", (last_seq, journal_id))
            return max(here, last_seq)

    def lost(self, journal_id: int) -> tuple[tuple[int, int], ...]:
        """The ranges (first, last) that the robot had let go before this laptop could take them."""
        rows = self._read("SELECT first_seq, last_seq FROM lost WHERE journal_id = ? ORDER BY 1", (journal_id,))
        return tuple((int(first), int(last)) for first, last in rows)

    def newest(self, journal_id: int, kind: str, count: int) -> tuple[Entry, ...]:
        """The last `count` entries of a kind, oldest first."""
        sql = (
            "SELECT seq, boot_id, mono_ns, wall_ns, body FROM entries "
            "WHERE journal_id = ? AND kind = ? ORDER BY seq DESC LIMIT ?"
        )
        return tuple(_entry(row) for row in reversed(self._read(sql, (journal_id, kind, count))))

    def beside(self, journal_id: int, kind: str, seq: int, *, before: int = 0, after: int = 0) -> tuple[Entry, ...]:
        """At most `before` entries of a kind before entry `seq`, and `after` behind it; oldest first, `seq` itself left out."""
        sql = "SELECT seq, boot_id, mono_ns, wall_ns, body FROM entries WHERE journal_id = ? AND kind = ? AND seq"
        earlier = self._read(f"{sql} < ? ORDER BY seq DESC LIMIT ?", (journal_id, kind, seq, before)) if before else []
        later = self._read(f"{sql} > ? ORDER BY seq LIMIT ?", (journal_id, kind, seq, after)) if after else []
        return tuple(map(_entry, [*reversed(earlier), *later]))

    def note_labels(self, bundle: str, labels: Sequence[str]) -> None:
        """Remember the labels of a bundle (its digest), in order: detections name them by index only."""
        self._about(f"labels:{bundle}", msgspec.json.encode(list(labels)).decode())

    def labels(self, bundle: str) -> tuple[str, ...]:
        """The bundle's labels in order; none where no robot has told them to this laptop."""
        found = self._read("SELECT value FROM about WHERE name = ?", (f"labels:{bundle}",))
        return msgspec.json.decode(found[0][0], type=ready(tuple[str, ...])) if found else ()

    def entries(self, journal_id: int, kind: str | None = None, after_seq: int = 0) -> Iterator[Entry]:
        """Every entry (of a kind) in order, read a piece at a time: memory does not grow with the store."""
        sql = (
            "SELECT seq, boot_id, mono_ns, wall_ns, body FROM entries WHERE journal_id = ? AND seq > ? "
            f"{'AND kind = ?' if kind else ''} ORDER BY seq LIMIT {_READ_ROWS}"
        )
        while True:
            rows = self._read(sql, (journal_id, after_seq, kind) if kind else (journal_id, after_seq))
            yield from map(_entry, rows)
            if len(rows) < _READ_ROWS:
                return
            after_seq = rows[-1][0]

    def select(self, sql: str, values: tuple[object, ...] = ()) -> list[Any]:
        """Rows of a query, for the modules of this room. Hold the answer small: the link waits meanwhile."""
        return self._read(sql, values)

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """One transaction for the modules of this room: all of it is kept, or nothing where something is raised."""
        with self._lock, self._transaction():
            yield self._database

    def _advance(self, journal_id: int, entries: Sequence[Entry], sql: str, rows: Sequence[tuple[object, ...]]) -> int:
        seqs = [entry.seq for entry in entries]
        with self._lock, self._transaction():
            here = self._last_seq_now(journal_id)
            expected = min(seqs[0], here + 1) if seqs else here + 1
            if seqs != list(range(expected, expected + len(seqs))):
                raise _out_of_order(here, seqs[0])
            fresh = rows[max(0, here + 1 - expected) :]
            if fresh:
                self._database.executemany(sql, fresh)
                self._database.execute("UPDATE journals SET last_seq = ? WHERE id = ?", (seqs[-1], journal_id))
                self._note_arrival(journal_id, entries[-1])
            return max(here, seqs[-1]) if seqs else here

    def _note_arrival(self, journal_id: int, newest: Entry) -> None:
        """The least that this laptop's clock was ahead of the robot's monotonic one, for each 10 s of the latter."""
        if not 0 <= newest.mono_ns < _LATEST_NS:
            return  # no clock of a computer says that
        self._database.execute(
            "INSERT INTO arrivals VALUES (?, ?, ?, ?) ON CONFLICT (journal_id, boot_id, ten_s) "
            "DO UPDATE SET offset_ns = min(offset_ns, excluded.offset_ns)",
            (journal_id, newest.boot_id, newest.mono_ns // TEN_S_NS, self._wall_ns() - newest.mono_ns),
        )

    def _last_seq_now(self, journal_id: int) -> int:
        row = self._database.execute("SELECT last_seq FROM journals WHERE id = ?", (journal_id,)).fetchone()
        return int(row[0])

    def _transaction(self) -> _Transaction:
        return _Transaction(self._database, self.path)

    def _write(self, work: list[tuple[str, list[tuple[object, ...]]]]) -> None:
        with self._lock, self._transaction():
            for sql, rows in work:
                self._database.executemany(sql, rows)

    def _read(self, sql: str, values: tuple[object, ...]) -> list[Any]:
        with self._lock:
            try:
                return self._database.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                raise store_trouble(self.path, error) from error

    def _about(self, name: str, value: str) -> str:
        self._write([("INSERT OR IGNORE INTO about VALUES (?, ?)", [(name, value)])])
        with self._lock:
            found = self._database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()
        return str(found[0])


class _Transaction:
    """BEGIN IMMEDIATE .. COMMIT; anything raised inside rolls back, SQLite's own errors become Trouble."""

    def __init__(self, database: sqlite3.Connection, path: Path) -> None:
        self._database = database
        self._path = path

    def __enter__(self) -> None:
        try:
            self._database.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise store_trouble(self._path, error) from error

    def __exit__(self, kind: object, error: BaseException | None, _: object) -> None:
        if error is None:
            try:
                self._database.execute("COMMIT")
                return
            except sqlite3.Error as failed:
                error = failed
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")
        if isinstance(error, sqlite3.Error):
            raise store_trouble(self._path, error) from error


def kind_of(entry: Entry) -> str:
    """The kind of an entry's body, read without decoding the rest; `unknown` where it names none."""
    head = bytes(memoryview(entry.body)[:_HEAD_BYTES])
    # The agent writes the kind first; that saves reading the whole body, which counts when thousands come after a cut.
    if head.startswith(_KIND_FIRST) and (end := head.find(b'"', len(_KIND_FIRST))) > 0 and b"\\" not in head[:end]:
        return head[len(_KIND_FIRST) : end].decode("utf-8", "replace")
    try:
        return _kind.decode(entry.body).kind
    except msgspec.DecodeError:
        return "unknown"


def _entry(row: tuple[int, str, int, int, bytes]) -> Entry:
    seq, boot_id, mono_ns, wall_ns, body = row
    return Entry(seq, boot_id, mono_ns, wall_ns, msgspec.Raw(body))


def _out_of_order(here: int, came: int) -> Trouble:
    what = f"entry {came} came where {here + 1} was expected"
    return Trouble(what, cure="the link asks again by itself", code="out_of_order")
