"""An SQLite file that can be made again: opening it, and what happens to one that is corrupt or newer than this program."""

from __future__ import annotations

import errno
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

from remote.errors import Trouble

_SHARED_INDEX_BYTES = 32_768


def open_or_remake(
    path: Path, set_up: Callable[[sqlite3.Connection, Path], None]
) -> tuple[sqlite3.Connection, Path | None]:
    """Open or make the file (mode 0600) and `set_up` its tables; a corrupt one is moved aside first, its new path comes second.

    Raises Trouble (`store_full`, `store_unusable`, and what `set_up` raises) where that can't be done.
    """
    try:
        return _opened(path, set_up), None
    except sqlite3.DatabaseError as error:
        if not is_corrupt(error):
            raise store_trouble(path, error) from error
    aside = move_aside(path)
    try:
        return _opened(path, set_up), aside
    except sqlite3.DatabaseError as error:
        raise store_trouble(path, error) from error


def format_of(database: sqlite3.Connection, what: str, newest: int) -> int:
    """The file's format, 0 for a new one. Raises Trouble (`store_newer`) for one beyond `newest`; there it is called `what`."""
    found = int(database.execute("PRAGMA user_version").fetchone()[0])
    if found > newest:
        what = f"{what} was written by a newer fieldgate (format {found}, this one knows {newest})"
        raise Trouble(what, cure="update fieldgate, or set FIELDGATE_HOME to another folder", code="store_newer")
    return found


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


def _opened(path: Path, set_up: Callable[[sqlite3.Connection, Path], None]) -> sqlite3.Connection:
    new = not path.exists()
    database = sqlite3.connect(path, timeout=10.0, isolation_level=None, check_same_thread=False)
    try:
        if new:
            path.chmod(0o600)
        set_up(database, path)
    except BaseException:
        database.close()
        raise
    return database


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
