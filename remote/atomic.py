"""Writing files so that a power cut or a kill leaves either the old or the new content, never a torn one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

TEMPORARY_GLOB = ".*.tmp"  # what a killed writer leaves beside its file; whoever owns the folder may remove it


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Put `data` under `path`, whole or not at all; `mode` is subject to the umask. Raises OSError."""
    with replacing(path, mode) as file:
        file.write(data)


@contextmanager
def replacing(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A file that gets the name `path` when the block ends, synced to the disk; after an error in it nothing is left.

    Raises OSError. The file lies beside `path` under a temporary name that nobody can foresee.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Make a file's content, or the names in a folder, last through a power cut. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
