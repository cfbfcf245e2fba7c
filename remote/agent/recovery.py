"""Opening the journal whatever is found there: a damaged file is moved aside by name, never deleted."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path

from remote.agent.clock import Clock
from remote.agent.journal import Journal, JournalDamaged, JournalFull, draft
from remote.errors import Trouble
from remote.protocol import Event

CHECK_S = 2.0
"""How long the start may look for damage; a journal too large for that is looked at in part."""


@dataclass(frozen=True)
class Replaced:
    """A journal that could not be used any more: why, and where it lies now."""

    why: str
    kept_as: Path


def open_journal(path: Path, clock: Clock) -> tuple[Journal, Replaced | None]:
    """Open or make the journal. A damaged one is moved aside and replaced by a new one, whose first entry says so.

    Raises Trouble (code `no_journal`) where not even a new one can be made.
    """
    try:
        try:
            return _checked(path, clock), None
        except JournalDamaged as damage:
            return replace(path, clock, str(damage))
    except (JournalDamaged, JournalFull, OSError) as error:
        raise Trouble(
            f"the journal {path} can't be opened: {error}",
            cure="make space on that disk and check who owns the folder",
            code="no_journal",
        ) from error


def replace(path: Path, clock: Clock, why: str) -> tuple[Journal, Replaced]:
    """Move the file at `path` aside with its companions and begin a new journal that tells of it."""
    kept_as = _free_name(path)
    if path.exists() and not path.stat().st_size:
        path.unlink()  # the empty beginning of a journal that a full disk did not let begin
    for suffix in ("", "-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(kept_as.with_name(kept_as.name + suffix))
    journal = Journal(path, clock.boot_id)
    text = f"the journal was damaged ({why}); it is kept as {kept_as} and a new one begins"
    event = Event(name="journal_replaced", severity="error", text=text, data={"why": why, "kept_as": str(kept_as)})
    journal.append([draft(event, clock)])
    return journal, Replaced(why, kept_as)


def _checked(path: Path, clock: Clock) -> Journal:
    journal = Journal(path, clock.boot_id)
    end = time.monotonic() + CHECK_S
    journal.connection.set_progress_handler(lambda: time.monotonic() > end, 20_000)
    try:
        found = journal.connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        if "interrupted" in str(error):
            return journal
        journal.close()
        raise JournalDamaged(str(error)) from error
    finally:
        journal.connection.set_progress_handler(None, 0)
    if found != "ok":
        journal.close()
        raise JournalDamaged(str(found).splitlines()[0])
    return journal


def _free_name(path: Path) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    number = 0
    while True:
        kept_as = path.with_name(f"{path.stem}.damaged-{stamp}{f'-{number}' if number else ''}{path.suffix}")
        if not kept_as.exists():
            return kept_as
        number += 1
