"""Opening store.db: its tables, its settings, and what happens to one that is corrupt."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import time
from pathlib import Path

from remote.errors import Trouble

FORMAT = 2
_SHARED_INDEX_BYTES = 32_768
_TABLES = """
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS robots (name TEXT PRIMARY KEY, address TEXT NOT NULL, seen_wall_ns INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS journals (
    id INTEGER PRIMARY KEY, robot TEXT NOT NULL, journal TEXT NOT NULL, first_seen_wall_ns INTEGER NOT NULL,
    last_seq INTEGER NOT NULL DEFAULT 0, UNIQUE (robot, journal));
CREATE TABLE IF NOT EXISTS entries (
    journal_id INTEGER NOT NULL REFERENCES journals (id), seq INTEGER NOT NULL, boot_id TEXT NOT NULL,
    mono_ns INTEGER NOT NULL, wall_ns INTEGER NOT NULL, kind TEXT NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (journal_id, seq));
CREATE INDEX IF NOT EXISTS entries_by_kind ON entries (journal_id, kind, seq);
CREATE TABLE IF NOT EXISTS lost (
    journal_id INTEGER NOT NULL REFERENCES journals (id), first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL,
    PRIMARY KEY (journal_id, first_seq));
"""
_SINCE_2 = """
CREATE TABLE IF NOT EXISTS arrivals (
    journal_id INTEGER NOT NULL REFERENCES journals (id), boot_id TEXT NOT NULL, ten_s INTEGER NOT NULL,
    offset_ns INTEGER NOT NULL, PRIMARY KEY (journal_id, boot_id, ten_s)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS origins (
    id INTEGER PRIMARY KEY, bundle TEXT NOT NULL, source TEXT NOT NULL, UNIQUE (bundle, source));
CREATE TABLE IF NOT EXISTS rolled (journal_id INTEGER PRIMARY KEY REFERENCES journals (id), through_seq INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS rolled_numbers (
    journal_id INTEGER NOT NULL, boot_id TEXT NOT NULL, level_s INTEGER NOT NULL, bucket INTEGER NOT NULL,
    origin INTEGER NOT NULL, numbers BLOB NOT NULL, PRIMARY KEY (journal_id, boot_id, level_s, bucket, origin));
CREATE TABLE IF NOT EXISTS rolled_spreads (
    journal_id INTEGER NOT NULL, boot_id TEXT NOT NULL, level_s INTEGER NOT NULL, metric TEXT NOT NULL,
    bucket INTEGER NOT NULL, origin INTEGER NOT NULL, total REAL NOT NULL, minimum REAL NOT NULL, maximum REAL NOT NULL,
    buckets BLOB NOT NULL, counts BLOB NOT NULL,
    PRIMARY KEY (journal_id, boot_id, level_s, metric, bucket, origin));
"""


def open_database(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """Open or make the store; a corrupt one is moved aside first, and its new path is the second value.

    Raises Trouble (`store_full`, `store_newer`, `store_unusable`) where that can't be done.
    """
    try:
        return _opened(path), None
    except sqlite3.DatabaseError as error:
        if not is_corrupt(error):
            raise store_trouble(path, error) from error
    aside = move_aside(path)
    try:
        return _opened(path), aside
    except sqlite3.DatabaseError as error:
        raise store_trouble(path, error) from error


def store_trouble(path: Path, error: sqlite3.Error | OSError) -> Trouble:
    """What a person needs to know of a store that can't be written or read."""
    text = str(error).lower()
    if "full" in text or getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or _no_room(path, text):
        what = f"the laptop's disk is full: {path.name} can't take more entries (nothing is lost, the robot keeps them)"
        return Trouble(what, cure=f"free space on the file system of {path.parent}", code="store_full")
    if isinstance(error, sqlite3.DatabaseError) and is_corrupt(error):
        cure = f"move {path} away (with its -wal and -shm) and start again; the robot sends what it still has"
        return Trouble(f"the store {path} is damaged: {error}", cure=cure, code="store_unusable")
    return Trouble(
        f"the store {path} can't be used: {error}",
        cure="check the folder's permissions and that no other program holds the file",
        code="store_unusable",
    )


def _no_room(path: Path, text: str) -> bool:
    """SQLite calls it an I/O error where the disk is too full for its shared index (-shm)."""
    return "disk i/o error" in text and shutil.disk_usage(path.parent).free < _SHARED_INDEX_BYTES


def _opened(path: Path) -> sqlite3.Connection:
    new = not path.exists()
    database = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    try:
        if new:
            path.chmod(0o600)
        _set_up(database, path)
    except BaseException:
        database.close()
        raise
    return database


def _set_up(database: sqlite3.Connection, path: Path) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    # An entry is acknowledged once it is in the store, so a commit must outlive a power cut.
    database.execute("PRAGMA synchronous = FULL")
    # Folding the log in costs as much as writing it: seldom, so that a long resume is not held up by it.
    database.execute("PRAGMA wal_autocheckpoint = 8000")
    database.execute("PRAGMA journal_size_limit = 67108864")
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found > FORMAT:
        what = f"the store {path} was written by a newer fieldgate (format {found}, this one knows {FORMAT})"
        raise Trouble(what, cure="update fieldgate, or set FIELDGATE_HOME to another folder", code="store_newer")
    if found < FORMAT:
        # Each table is made where it is missing, so this is also the step from every older format.
        database.executescript(f"BEGIN IMMEDIATE; {_TABLES} {_SINCE_2} PRAGMA user_version = {FORMAT}; COMMIT;")


def is_corrupt(error: sqlite3.DatabaseError) -> bool:
    """Whether the file itself is damaged or no database."""
    text = str(error).lower()
    return "malformed" in text or "not a database" in text or "corrupt" in text or "encrypted" in text


def move_aside(path: Path) -> Path:
    """Move a damaged file (with its log and index) to a name with the time; the new path."""
    aside = path.with_name(f"{path.name}.corrupt-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}")
    for suffix in ("-wal", "-shm", ""):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.replace(aside.with_name(aside.name + suffix))
    return aside
