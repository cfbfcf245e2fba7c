"""Opening store.db: its tables and its settings."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from console.store.sqlite_file import format_of, open_or_remake

FORMAT = 2
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
    return open_or_remake(path, _set_up)


def _set_up(database: sqlite3.Connection, path: Path) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    # An entry is acknowledged once it is in the store, so a commit must outlive a power cut.
    database.execute("PRAGMA synchronous = FULL")
    # Folding the log in costs as much as writing it: seldom, so that a long resume is not held up by it.
    database.execute("PRAGMA wal_autocheckpoint = 8000")
    database.execute("PRAGMA journal_size_limit = 67108864")
    if format_of(database, f"the store {path}", FORMAT) < FORMAT:
        # Each table is made where it is missing, so this is also the step from every older format.
        database.executescript(f"BEGIN IMMEDIATE; {_TABLES} {_SINCE_2} PRAGMA user_version = {FORMAT}; COMMIT;")
