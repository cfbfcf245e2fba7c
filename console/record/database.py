"""record.db: made whole or not at all, opened without changing anything, and its errors in words."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from console.record.canonical import CURE, LINE_LIMIT_BYTES
from remote.atomic import sync
from remote.errors import Trouble

FORMAT = 1
APPLICATION_ID = 0x46475243  # "FGRC" in SQLite's header: file(1) and we know the file again
BUSY_S = 10.0
_ROOM_BYTES = 65_536  # what SQLite needs beside the file to write one entry
_DAMAGED = ("malformed", "not a database", "corrupt", "encrypted", "too big", "no such", "decode")
_OURS = (
    """CREATE TABLE entries (seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, item TEXT NOT NULL, digest TEXT NOT NULL,
                      line BLOB NOT NULL)""",
    """CREATE TRIGGER entries_stay BEFORE DELETE ON entries
  BEGIN SELECT RAISE(ABORT, 'an entry of a record is never removed'); END""",
    """CREATE TRIGGER entries_keep BEFORE UPDATE ON entries
  BEGIN SELECT RAISE(ABORT, 'an entry of a record is never changed'); END""",
    """CREATE TRIGGER entries_grow BEFORE INSERT ON entries WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM entries)
  BEGIN SELECT RAISE(ABORT, 'an entry of a record stands behind the last one'); END""",
)
"""All that stands in a record's schema. SQLite keeps these words, so another form of them was made by somebody else."""
_SCHEMA = ";\n".join((*_OURS, f"PRAGMA application_id = {APPLICATION_ID}", f"PRAGMA user_version = {FORMAT}", ""))


def create_database(path: Path) -> None:
    """Make an empty record.db (0600); killed at any moment, it is there whole or not at all.

    Raises Trouble: `record_exists`, `record_full`, `record_unusable`.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    with translated(path), _locked(path.parent):
        if os.path.lexists(path):
            what = f"there is a record already: {path}"
            raise Trouble(what, cure="open that campaign, or choose another name", code="record_exists")
        try:
            _fill(temporary)
            temporary.replace(path)
        except BaseException:
            for suffix in ("", "-wal", "-shm", "-journal"):
                temporary.with_name(temporary.name + suffix).unlink(missing_ok=True)
            raise
        sync(path.parent)


def _fill(path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} COMMIT;")
    finally:
        connection.close()  # folds the log in: the file is whole by itself
    sync(path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Two that make a record in one folder at once must not both believe that it is theirs."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def open_database(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection to an existing record.db.

    Raises Trouble: `record_missing`, `record_damaged`, `record_newer`, `record_busy`, `record_unusable`.
    """
    with translated(path):
        _look_at(path)
        connection = sqlite3.connect(
            _address(path, read_only), uri=True, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            _set_up(connection, path, read_only)
        except BaseException:
            connection.close()
            raise
    return connection


def _look_at(path: Path) -> None:
    if not path.is_file():
        cure = "name a campaign's folder; `fieldgate campaign list` shows those of this laptop"
        raise Trouble(f"there is no record {path}", cure=cure, code="record_missing")
    if not path.stat().st_size:
        raise Trouble(f"the record {path} is empty", cure=CURE, code="record_damaged")


def _address(path: Path, read_only: bool) -> str:
    """On a medium that can't be written SQLite has no place for its shared index; nobody writes there, so none is needed."""
    log = path.with_name(path.name + "-wal")
    still = read_only and not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size)
    mode = "mode=ro&immutable=1" if still else "mode=ro" if read_only else "mode=rw"
    return f"file:{quote(str(path.absolute()))}?{mode}"


def _set_up(connection: sqlite3.Connection, path: Path, read_only: bool) -> None:
    # The file may come from anybody: its schema is not trusted and no entry may be boundless.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    if sys.version_info >= (3, 11):
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * LINE_LIMIT_BYTES)
    _check_format(connection, path)
    if read_only:
        connection.execute("PRAGMA query_only = ON")
    else:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")


def _check_format(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        raise Trouble(f"{path} is no record of a campaign", cure=CURE, code="record_damaged")
    if found > FORMAT:
        what = f"the record {path} was written by a newer fieldgate (format {found}, this one knows {FORMAT})"
        raise Trouble(what, cure="update fieldgate on this machine", code="record_newer")
    _check_schema(connection, path)
    _check_size(connection, path)


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse what could drop or change an entry that is written, or answer two readers differently.

    That is every other form of the table, a view in its place, and triggers. An index or a table beside it can't.
    """
    schema = connection.execute("SELECT type, name, sql FROM sqlite_master").fetchall()
    if not any(sql == _OURS[0] for _, _, sql in schema):
        raise Trouble(f"the record {path} has no table of entries as we make it", cure=CURE, code="record_damaged")
    named = ("entries", "trigger", "view")
    strange = [f"{kind} {name!r}" for kind, name, sql in schema if {kind, name} & set(named) and sql not in _OURS]
    if strange:
        what = f"the record {path} holds what fieldgate has not made: {', '.join(strange)}"
        raise Trouble(what, cure=CURE, code="record_damaged")


def _check_size(connection: sqlite3.Connection, path: Path) -> None:
    """SQLite reads the missing half of a last page as zeros."""
    pages, page_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    log = path.with_name(path.name + "-wal")
    if log.exists() and log.stat().st_size:
        return  # what is missing in the file stands in its log
    found = path.stat().st_size
    if found < pages * page_bytes:
        what = f"the record {path} was cut short: it has {found:,} of {pages * page_bytes:,} bytes"
        raise Trouble(what, cure=CURE, code="record_damaged")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Say what SQLite or the system reports of `path` as Trouble."""
    try:
        yield
    except UnicodeDecodeError as error:  # SQLite's own words quote the bytes of a damaged schema
        what = f"the record {path} is damaged: its schema is no text"
        raise Trouble(what, cure=CURE, code="record_damaged") from error
    except (sqlite3.Error, OSError) as error:
        raise trouble_of(path, error) from error


def trouble_of(path: Path, error: sqlite3.Error | OSError) -> Trouble:
    """What a person needs to know of a record that can't be read or written."""
    text = str(error).lower()
    if _is_full(path, error, text):
        cure = f"free space on the file system of {path.parent}, then do it again"
        return Trouble(f"the disk is full: {path} took nothing of this", cure=cure, code="record_full")
    if isinstance(error, sqlite3.Error) and any(word in text for word in _DAMAGED):
        return Trouble(f"the record {path} is damaged: {error}", cure=CURE, code="record_damaged")
    if "locked" in text or "busy" in text:
        cure = "close the other program that has it open, then do it again"
        return Trouble(f"the record {path} was held by another program for {BUSY_S:g} s", cure=cure, code="record_busy")
    if "readonly" in text:
        return read_only_trouble(path)
    cure = f"check that {path.parent} belongs to you and its disk works, or copy it to where you may write"
    return Trouble(f"the record {path} can't be used: {error}", cure=cure, code="record_unusable")


def read_only_trouble(path: Path) -> Trouble:
    """Somebody tried to write where that is not possible or not wanted."""
    cure = "copy the campaign's folder to where you may write"
    return Trouble(f"the record {path} can only be read here", cure=cure, code="record_read_only")


def _is_full(path: Path, error: Exception, text: str) -> bool:
    """SQLite calls a full disk an I/O error where its log or shared index has no room."""
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "is full" in text:
        return True
    return "disk i/o error" in text and (shutil.disk_usage(path.parent).free < _ROOM_BYTES or _at_size_limit(path))


def _at_size_limit(path: Path) -> bool:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    files = (path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm"))
    largest = max((file.stat().st_size for file in files if file.exists()), default=0)
    return limit != resource.RLIM_INFINITY and largest + _ROOM_BYTES > limit
