"""Which pictures a robot could not give, and why: they are not asked for again and again, and the screen can say so."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from console.store.sqlite_file import is_corrupt, move_aside

REASONS = {
    "no_picture": "the robot removed it to make room for newer ones",
    "bad_picture": "damaged: what the robot has is not what it took",
    "too_long": "too large to be sent",
    "bad_digest": "the failure names no picture that there could be",
}
"""What each code of a robot's refusal means for the picture."""

GONE = ("no_picture", "too_long", "bad_digest")
"""Codes of what stays so; a damaged picture may come whole another time."""


class Missing:
    """missing.db in the folder of pictures. It only saves asking, so no trouble with it stops anything: a damaged one is
    moved aside, and where none can be written the robot is asked again."""

    def __init__(self, folder: Path, *, wall_ns: Callable[[], int] = time.time_ns) -> None:
        self._path = folder / "missing.db"
        self._wall_ns = wall_ns
        self._lock = threading.Lock()
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = self._opened_or_anew()
        except (sqlite3.Error, OSError):
            self._database = _made(":memory:")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def note(self, digest: str, code: str) -> None:
        """The robot refused this picture with that code."""
        sql = "INSERT OR REPLACE INTO missing VALUES (?, ?, ?)"
        self._do(sql, (digest, code, self._wall_ns()))

    def code(self, digest: str) -> str | None:
        """The code of the robot's refusal; None where nothing is known against the picture."""
        found = self._do("SELECT code FROM missing WHERE digest = ?", (digest,))
        return found[0][0] if found else None

    def why(self, digest: str) -> str | None:
        """Why it could not be had, in words; None where nothing is known against it."""
        code = self.code(digest)
        return None if code is None else REASONS.get(code, f"the robot refused it: {code}")

    def _do(self, sql: str, values: tuple[object, ...]) -> list[tuple[str]]:
        with self._lock:
            try:
                return self._database.execute(sql, values).fetchall()
            except sqlite3.Error:
                return []

    def _opened_or_anew(self) -> sqlite3.Connection:
        try:
            return self._opened()
        except sqlite3.DatabaseError as error:
            if not is_corrupt(error):
                raise
            move_aside(self._path)
            return self._opened()

    def _opened(self) -> sqlite3.Connection:
        new = not self._path.exists()
        database = _made(str(self._path))
        if new:
            self._path.chmod(0o600)
        return database


def _made(name: str) -> sqlite3.Connection:
    database = sqlite3.connect(name, timeout=10.0, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(
            "CREATE TABLE IF NOT EXISTS missing (digest TEXT PRIMARY KEY, code TEXT NOT NULL,"
            " wall_ns INTEGER NOT NULL) WITHOUT ROWID"
        )
    except BaseException:
        database.close()
        raise
    return database
