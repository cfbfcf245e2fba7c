"""watch.json of the agent: what the robot was told to look out for, kept over restarts."""

from __future__ import annotations

from pathlib import Path

import msgspec

from remote.atomic import write_atomically
from remote.errors import Trouble
from remote.protocol import Watch
from remote.ready_types import ready
from remote.safety.watch_check import check_watch

LARGEST_BYTES = 1024 * 1024


def load(path: Path) -> Watch | None:
    """The Watch in the file; None where there is none. Raises Trouble (code `bad_watch`) for a file that can't be meant."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(path, str(error.strerror)) from error
    if len(data) > LARGEST_BYTES:
        raise _unusable(path, f"it is longer than {LARGEST_BYTES} bytes")
    try:
        watch = msgspec.json.decode(data, type=ready(Watch))
        check_watch(watch)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _unusable(path, str(error)) from error
    except Trouble as trouble:
        raise _unusable(path, trouble.what) from trouble
    return watch


def save(path: Path, watch: Watch | None) -> None:
    """Write it atomically; None removes the file. Raises Trouble (code `settings_unwritable`)."""
    try:
        if watch is None:
            path.unlink(missing_ok=True)
        else:
            write_atomically(path, msgspec.json.encode(watch))
    except OSError as error:
        what = f"what to look out for can't be written to {path}: {error.strerror}"
        raise Trouble(what, cure="make space or check the owner", code="settings_unwritable") from error


def in_words(watch: Watch | None) -> str:
    """A Watch as one line for people."""
    if watch is None:
        return "nothing special"
    words = [f"{name}={word}" for name, word in watch.conditions.items()]
    words += [one.label if one.box is None else f"{one.label} at {one.box}" for one in watch.expected]
    words += ["nothing else"] if watch.complete else []
    words += ["what the source itself knows"] if watch.own_truth else []
    given = msgspec.to_builtins(watch)
    usual = msgspec.to_builtins(Watch())
    told = ("conditions", "expected", "complete", "own_truth")
    words += [f"{key}={value}" for key, value in given.items() if key not in told and value != usual[key]]
    return ", ".join(words) or "nothing special"


def _unusable(path: Path, why: str) -> Trouble:
    what = f"what to look out for ({path.name}) can't be read: {why}"
    return Trouble(what, cure="say it again", code="bad_watch")
