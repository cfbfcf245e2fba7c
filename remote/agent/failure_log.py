"""failures.log: one line for each failure, for people with `tail` and `grep`; rotated. A full disk loses lines only."""

from __future__ import annotations

import logging
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

from remote.protocol import Failure

LOG_BYTES = 2_000_000
LOG_FILES = 5
LONGEST_FIELD = 300


class FailureLog:
    """Appends lines. Times are UTC."""

    def __init__(self, path: Path, most_bytes: int = LOG_BYTES, files: int = LOG_FILES) -> None:
        logging.raiseExceptions = False  # on a full disk each line would else write a traceback to stderr
        self._handler = RotatingFileHandler(
            path, maxBytes=most_bytes, backupCount=files - 1, encoding="utf-8", errors="replace", delay=True
        )
        self._handler.setFormatter(logging.Formatter("%(message)s"))

    def add(self, failure: Failure, wall_ns: int) -> None:
        """Append the failure's line."""
        self._handler.handle(logging.makeLogRecord({"msg": line_of(failure, wall_ns)}))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()


def line_of(failure: Failure, wall_ns: int) -> str:
    """`2026-11-21 09:01:02 | no_detection | Light: 43 | cube missing for 5 frames | Time: 09:01:02 | place=bench | ...`.

    Fields are joined by ` | `; none holds a bar or a sign that can't be printed. `Light` is missing where it is not known.
    """
    when = time.gmtime(wall_ns // 1_000_000_000)
    fields = [time.strftime("%Y-%m-%d %H:%M:%S", when), failure.name]
    fields += [f"Light: {failure.light:.0f}"] if failure.light is not None else []
    fields += [failure.text or "no words", time.strftime("Time: %H:%M:%S", when)]
    fields += [f"{name}={word}" for name, word in sorted(failure.conditions.items())]
    repeats = failure.data.get("repeats")
    fields += [f"repeats={repeats}"] if repeats else []
    fields += [f"picture={failure.picture[:8]}"] if failure.picture else []
    return " | ".join(_clean(field) for field in [*fields, f"id={failure.id}"])


def _clean(field: str) -> str:
    shown = "".join(sign if sign.isprintable() else " " for sign in field[:LONGEST_FIELD])
    return " ".join(shown.replace("|", "/").split())
