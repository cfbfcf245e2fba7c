"""The agent's journal: one SQLite file in WAL mode, entries numbered from 1 without holes, committed before they are sent.

`Journal` is the one writing connection (used by one thread at a time), `JournalReader` a reading one beside it, which sees
committed entries only. Each commit is synced to the disk (synchronous=FULL): a number that a console has seen is never
given to another entry after a power cut.
"""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from remote.agent.clock import Clock
from remote.protocol import Body, Entry, JournalState
from remote.ready_types import ready

APPLICATION_ID = 0x46474A4C  # "FGJL" in SQLite's header: file(1) and we know the file again
VERSION = 1
CHUNK_ENTRIES = 500
CHUNK_BYTES = 512 * 1024
LOOK_BACK_EVENTS = 500

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE boots (id INTEGER PRIMARY KEY, boot_id TEXT NOT NULL UNIQUE);
CREATE TABLE entries (seq INTEGER PRIMARY KEY, boot INTEGER NOT NULL, mono_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL,
                      kind TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE acks (client_id TEXT PRIMARY KEY, name TEXT NOT NULL, seq INTEGER NOT NULL, unseen_s REAL NOT NULL)
  WITHOUT ROWID;
CREATE TABLE marks (running_s REAL NOT NULL, seq INTEGER NOT NULL);
"""
_INSERT = "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?)"
_SELECT = "SELECT seq, boot, mono_ns, wall_ns, body FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"

_encoder = msgspec.json.Encoder()


class JournalFull(Exception):
    """The disk has no room for the entries (or refuses to write); nothing of the batch was journalled."""


class JournalDamaged(Exception):
    """The file is no journal of ours, or not any more."""


@dataclass(frozen=True)
class Draft:
    """An entry before it has a number."""

    mono_ns: int
    wall_ns: int
    kind: str
    body: bytes


@dataclass(frozen=True)
class Taken:
    """What a console has acknowledged, and for how long (while the agent ran) it was not attached."""

    client_id: str
    name: str
    seq: int
    unseen_s: float


def draft(body: Body, clock: Clock, mono_ns: int | None = None) -> Draft:
    """Stamp a body; `mono_ns` is when it happened where that is not now."""
    when = clock.mono_ns() if mono_ns is None else mono_ns
    return Draft(when, clock.wall_at(when), str(type(body).__struct_config__.tag), _encoder.encode(body))


@dataclass(frozen=True)
class Before:
    """The boot of the newest entry (empty: no entry), and whether the agent said that it would end (None: not known)."""

    boot_id: str
    said_its_end: bool | None


class Journal:
    """The writing side. Methods raise JournalFull where the disk refuses and JournalDamaged where the file is corrupt."""

    def __init__(self, path: Path, boot_id: str, *, synchronous: str = "FULL") -> None:
        self.path = path
        with _translated():
            self.connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            try:
                self._open(boot_id, synchronous)
            except BaseException:
                self.connection.close()
                raise

    def _open(self, boot_id: str, synchronous: str) -> None:
        self._configure(synchronous)
        with self._transaction():
            self.id = self._meta("id", str(uuid.uuid4()))
            self.connection.execute("INSERT OR IGNORE INTO boots (boot_id) VALUES (?)", (boot_id,))
        self._boot = int(self._one("SELECT id FROM boots WHERE boot_id = ?", boot_id))
        self.last_seq = int(self._one("SELECT coalesce(max(seq), 0) FROM entries"))
        self.first_seq = int(self._one("SELECT coalesce(min(seq), 1) FROM entries"))

    def _configure(self, synchronous: str) -> None:
        run = self.connection.execute
        version = int(self._one("PRAGMA user_version"))
        if version == 0 and not int(self._one("SELECT count(*) FROM sqlite_master")):
            run("PRAGMA auto_vacuum=INCREMENTAL")
            run("PRAGMA journal_mode=WAL")
            self.connection.executescript(
                f"BEGIN; PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={VERSION}; {_SCHEMA} COMMIT;"
            )
        elif version != VERSION or int(self._one("PRAGMA application_id")) != APPLICATION_ID:
            raise JournalDamaged(f"it is no journal of version {VERSION}")
        run("PRAGMA journal_mode=WAL")
        run(f"PRAGMA synchronous={synchronous}")
        run("PRAGMA journal_size_limit=4194304")

    def append(self, drafts: Sequence[Draft]) -> range:
        """Commit the drafts as one transaction; the sequence numbers that they got."""
        with _translated(), self._transaction():
            numbers = self._insert(drafts)
        self._grown_to(numbers)
        return numbers

    def remove_through(self, seq: int, then: Draft | None = None) -> int:
        """Remove entries up to `seq`, the newest one never, and append `then` in the same transaction; how many went."""
        with _translated():
            with self._transaction():
                gone = self.connection.execute(
                    "DELETE FROM entries WHERE seq <= ? AND seq < ?", (seq, self.last_seq)
                ).rowcount
                self.connection.execute("DELETE FROM marks WHERE seq <= ?", (seq,))
                numbers = self._insert([then] if then else [])
            self._grown_to(numbers)
            self.first_seq = int(self._one("SELECT coalesce(min(seq), 1) FROM entries"))
            self.connection.executescript("PRAGMA incremental_vacuum;")  # execute() would free one page only
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return gone

    def record_acks(self, acks: Sequence[tuple[str, str, int]]) -> None:
        """Store (client id, name, seq) for each; an ack never goes back and never beyond what exists."""
        rows = [(client, name, max(0, min(seq, self.last_seq))) for client, name, seq in acks]
        with _translated(), self._transaction():
            self.connection.executemany(
                "INSERT INTO acks VALUES (?, ?, ?, 0) ON CONFLICT (client_id) DO UPDATE "
                "SET name = excluded.name, seq = max(seq, excluded.seq), unseen_s = 0",
                rows,
            )

    def grow_older(self, seconds: float, attached: Sequence[str]) -> None:
        """Let the agent's running time pass: consoles not in `attached` are unseen for that much longer."""
        with _translated(), self._transaction():
            self.connection.execute("UPDATE acks SET unseen_s = unseen_s + ?", (seconds,))
            self.connection.executemany(
                "UPDATE acks SET unseen_s = 0 WHERE client_id = ?", [(one,) for one in attached]
            )
            running_s = float(self._meta("running_s", "0")) + seconds
            self.connection.execute("UPDATE meta SET value = ? WHERE key = 'running_s'", (str(running_s),))
            newest = self._one("SELECT coalesce(max(running_s), -1e9) FROM marks")
            if running_s - float(newest) >= 3600:
                self.connection.execute("INSERT INTO marks VALUES (?, ?)", (running_s, self.last_seq))

    def acks(self) -> list[Taken]:
        """What each console that ever acknowledged anything has taken."""
        with _translated():
            rows = self.connection.execute("SELECT client_id, name, seq, unseen_s FROM acks").fetchall()
        return [Taken(*row) for row in rows]

    def seq_of_age(self, running_s: float) -> int:
        """The newest entry that is at least `running_s` of the agent's running time old (to the hour); 0 for none."""
        with _translated():
            now = float(self._one("SELECT value FROM meta WHERE key = 'running_s'", default="0"))
            return int(self._one("SELECT coalesce(max(seq), 0) FROM marks WHERE running_s <= ?", now - running_s))

    def content_bytes(self) -> int:
        """Bytes of the file that are in use (pages not free)."""
        with _translated():
            pages = int(self._one("PRAGMA page_count")) - int(self._one("PRAGMA freelist_count"))
            return pages * int(self._one("PRAGMA page_size"))

    def state(self, trouble: str = "") -> JournalState:
        """What consoles are told of the journal."""
        return JournalState(self.id, self.first_seq, self.last_seq, size_on_disk(self.path), trouble)

    def close(self) -> None:
        """Close the file; its write-ahead log is folded in."""
        self.connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    def _insert(self, drafts: Sequence[Draft]) -> range:
        start = self.last_seq + 1
        rows = [(start + i, self._boot, d.mono_ns, d.wall_ns, d.kind, d.body) for i, d in enumerate(drafts)]
        self.connection.executemany(_INSERT, rows)
        return range(start, start + len(rows))

    def _grown_to(self, numbers: range) -> None:
        if numbers:
            self.first_seq = self.first_seq if self.last_seq else numbers[0]
            self.last_seq = numbers[-1]

    def _meta(self, key: str, default: str) -> str:
        self.connection.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (key, default))
        return str(self._one("SELECT value FROM meta WHERE key = ?", key))

    def before(self) -> Before:
        """What the newest entries tell of the agent before this one; call it before anything is appended."""
        boot = self._one("SELECT b.boot_id FROM entries e JOIN boots b ON b.id = e.boot ORDER BY seq DESC LIMIT 1")
        newest = "SELECT body FROM entries WHERE kind = 'event' ORDER BY seq DESC LIMIT ?"
        with _translated():
            rows = self.connection.execute(newest, (LOOK_BACK_EVENTS,)).fetchall()
        names = (_name_in(body) for (body,) in rows)
        last = next((name for name in names if name in ("agent_started", "agent_stopping")), "")
        return Before(str(boot or ""), last == "agent_stopping" if last else None)

    def _one(self, sql: str, *values: object, default: object = None) -> Any:
        row = self.connection.execute(sql, values).fetchone()
        result: Any = row[0] if row else default
        return result


class JournalReader:
    """Reads committed entries through a connection of its own. Raises JournalDamaged and JournalFull like Journal."""

    def __init__(self, path: Path) -> None:
        with _translated():
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
            self._connection.execute("PRAGMA query_only=ON")
            row = self._connection.execute("SELECT value FROM meta WHERE key = 'id'").fetchone()
        self.journal_id = str(row[0]) if row else ""
        self._boots: dict[int, str] = {}

    def after(self, seq: int, limit: int = CHUNK_ENTRIES, limit_bytes: int = CHUNK_BYTES) -> tuple[Entry, ...]:
        """At most `limit` entries after `seq` in order; fewer where their bodies pass `limit_bytes`, at least one."""
        with _translated():
            rows = self._connection.execute(_SELECT, (seq, limit)).fetchall()
            entries: list[Entry] = []
            size = 0
            for number, boot, mono_ns, wall_ns, body in rows:
                size += len(body)
                if entries and size > limit_bytes:
                    break
                entries.append(Entry(number, self._boot_id(boot), mono_ns, wall_ns, msgspec.Raw(body)))
            return tuple(entries)

    def _boot_id(self, boot: int) -> str:
        if boot not in self._boots:
            self._boots[boot] = self._connection.execute("SELECT boot_id FROM boots WHERE id = ?", (boot,)).fetchone()[
                0
            ]
        return self._boots[boot]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class _Named(msgspec.Struct):
    name: str = ""


def _name_in(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=ready(_Named)).name
    except (msgspec.DecodeError, ValueError):
        return ""


def size_on_disk(path: Path) -> int:
    """Bytes of the database file and its write-ahead log, as far as they are there."""
    size = 0
    for file in (path, path.with_name(path.name + "-wal")):
        with suppress(OSError):
            size += file.stat().st_size
    return size


@contextmanager
def _translated() -> Iterator[None]:
    """Turn SQLite's errors into ours: what it can't write is JournalFull, what it can't read is JournalDamaged."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "no such" in str(error):
            raise JournalDamaged(str(error)) from error
        raise JournalFull(str(error)) from error
    except sqlite3.DatabaseError as error:
        raise JournalDamaged(str(error)) from error
