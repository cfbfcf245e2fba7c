"""Whether a campaign of a robot has an open session, without opening it: for consoles that show only the robot."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

_NEWEST = "SELECT kind FROM entries WHERE kind IN ('session_begun', 'session_ended') ORDER BY seq DESC LIMIT 1"
_FIRST = "SELECT line FROM entries WHERE seq = 1"


def has_open_session(robot: str, root: Path | None = None) -> bool:
    """Whether a session of that robot is open in any campaign of this laptop. Reads the disk, so call it in a thread.

    A record that can't be read is left out: whoever opens it is told why. `root`: the folder of all campaigns.
    """
    from console.places import data_dir

    return any(_is_open(path, robot) for path in sorted((root or data_dir() / "campaigns").glob("*/record.db")))


def _is_open(path: Path, robot: str) -> bool:
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1.0)) as database:
            newest = database.execute(_NEWEST).fetchone()
            if newest is None or newest[0] != "session_begun":
                return False
            first = json.loads(database.execute(_FIRST).fetchone()[0])
            return bool(first["body"]["robot"] == robot)
    except (sqlite3.Error, ValueError, KeyError, TypeError):
        return False
