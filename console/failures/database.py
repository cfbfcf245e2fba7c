"""Opening failures.db. All of it can be made again: from the store, from imported files, and from what people said."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from console.store.sqlite_file import format_of, open_or_remake, store_trouble

FORMAT = 1
_TABLES = """
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- Where rows come from: a robot's journal, or a foreign file by the digest of its content.
CREATE TABLE sources (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, robot TEXT NOT NULL, file TEXT NOT NULL DEFAULT '',
    failures_seq INTEGER NOT NULL DEFAULT 0, clips_seq INTEGER NOT NULL DEFAULT 0);
-- Each kind, set of labels, set of conditions and bundle once: filters and groups work on few texts, not on a million.
CREATE TABLE words (id INTEGER PRIMARY KEY, what TEXT NOT NULL, text TEXT NOT NULL, UNIQUE (what, text));
CREATE TABLE failures (
    row INTEGER PRIMARY KEY, source INTEGER NOT NULL REFERENCES sources (id), number INTEGER NOT NULL,
    wall_ns INTEGER NOT NULL, kind INTEGER NOT NULL, labels INTEGER NOT NULL, conditions INTEGER NOT NULL,
    bundle INTEGER NOT NULL, light REAL, temp_c REAL, picture INTEGER NOT NULL, mark INTEGER NOT NULL DEFAULT 0,
    noted INTEGER NOT NULL DEFAULT 0, line TEXT NOT NULL);
CREATE UNIQUE INDEX failures_once ON failures (source, number);
CREATE INDEX failures_by_time ON failures (wall_ns, row);
-- What only the detail shows, apart, so that a search reads little.
CREATE TABLE details (row INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE clips (source INTEGER NOT NULL, failure TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (source, failure))
    WITHOUT ROWID;
-- The newest of what people said, by the failure's id, whether its row is here or not yet.
CREATE TABLE marks (id TEXT PRIMARY KEY, mark INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE notes (id TEXT NOT NULL, place INTEGER NOT NULL, wall_ns INTEGER NOT NULL, person TEXT NOT NULL,
    text TEXT NOT NULL, PRIMARY KEY (id, place)) WITHOUT ROWID;
"""


def open_book(path: Path) -> tuple[sqlite3.Connection, Path | None]:
    """Open or make failures.db (mode 0600); a corrupt one is moved aside first, and its new path is the second value.

    Raises Trouble (`store_full`, `store_newer`, `store_unusable`) where that can't be done.
    """
    return open_or_remake(path, _set_up)


def reading(path: Path) -> sqlite3.Connection:
    """Another connection to a book that exists, for a thread or process that only reads."""
    try:
        database = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
        database.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        raise store_trouble(path, error) from error
    return database


def _set_up(database: sqlite3.Connection, path: Path) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    # All of it can be made again, so a commit need not outlive a power cut; a torn one can't be: that is WAL's promise.
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA journal_size_limit = 67108864")
    if format_of(database, f"the book of failures {path}", FORMAT) < FORMAT:
        database.execute("BEGIN IMMEDIATE")
        if database.execute("PRAGMA user_version").fetchone()[0] < FORMAT:
            for statement in _TABLES.split(";\n"):
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {FORMAT}")
        database.execute("COMMIT")
    database.execute("SELECT row FROM failures LIMIT 1")
