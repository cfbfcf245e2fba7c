"""What exports that were killed left behind: the next export into that folder takes it away."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from remote.atomic import TEMPORARY_GLOB

_OURS = re.compile(r"\.(.+)\.[0-9a-f]{12}\.tmp\Z")
_STALE_S = 600.0
"""Other programs write under such names too: what is not for the same file must have lain for so long."""


@contextmanager
def tidied(path: Path, *, wall_s: float | None = None) -> Iterator[None]:
    """Remove what was left beside `path`, unless another export is at work in that folder; then the block runs.

    All exports hold a shared lock on the folder, which the system lets go when they are killed. Where it gives no such lock
    nothing is removed.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove(path, time.time() if wall_s is None else wall_s)
        with suppress(OSError):
            fcntl.flock(folder, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    finally:
        os.close(folder)


def _remove(path: Path, wall_s: float) -> None:
    for left in path.parent.glob(TEMPORARY_GLOB):
        found = _OURS.match(left.name)
        state = left.lstat()
        if not found or state.st_uid != os.geteuid():
            continue
        if found[1] != path.name and wall_s - state.st_mtime < _STALE_S:
            continue
        if left.is_dir() and not left.is_symlink():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
