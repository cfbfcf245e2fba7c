"""watch.json of the agent: what the robot was told to look out for, kept over restarts."""

from __future__ import annotations

from pathlib import Path

import msgspec

from remote.atomic import write_atomically
from remote.errors import Trouble
from remote.protocol import Watch
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
        watch = msgspec.json.decode(data, type=Watch)
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


def _unusable(path: Path, why: str) -> Trouble:
    what = f"what to look out for ({path.name}) can't be read: {why}"
    return Trouble(what, cure="say it again", code="bad_watch")
