"""The folder that a bundle's files are fetched into: ours alone, without links, resumable after any end.

A file lies there as `NAME.part` until its length and hash are the signed ones; then it gets its name.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from remote.updates.troubles import DISK, UNWRITABLE, trouble

CHUNK_BYTES = 1024 * 1024
PART = ".part"
_FLAGS = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Staging:
    """An open staging folder. Names are plain names; what lies there under them and is no file of ours is removed."""

    def __init__(self, folder: Path, descriptor: int) -> None:
        self.folder, self._at = folder, descriptor

    def has(self, name: str) -> IO[bytes] | None:
        """The complete file, open for reading; None where there is none."""
        return self._opened(name, os.O_RDONLY, "rb")

    def part(self, name: str) -> IO[bytes]:
        """What was fetched of the file so far, open for reading and writing at its beginning; empty for nothing."""
        found = self._opened(name + PART, os.O_RDWR, "r+b")
        if found is not None:
            return found
        descriptor = os.open(name + PART, os.O_RDWR | os.O_CREAT | os.O_EXCL | _FLAGS, 0o600, dir_fd=self._at)
        return os.fdopen(descriptor, "r+b")

    def complete(self, name: str) -> None:
        """The part is the whole file: it gets its name, for good."""
        os.rename(name + PART, name, src_dir_fd=self._at, dst_dir_fd=self._at)
        os.fsync(self._at)

    def drop(self, name: str) -> None:
        """Remove what was fetched of this file."""
        self.drop_part(name)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._at)

    def drop_part(self, name: str) -> None:
        """Remove what was fetched of this file so far."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name + PART, dir_fd=self._at)

    def keep_only(self, names: set[str]) -> None:
        """Remove everything that belongs to no file of these names."""
        for one in os.listdir(self._at):  # noqa: PTH208 - by descriptor, wherever the name leads by now
            if one not in names and one.removesuffix(PART) not in names:
                self._remove(one)

    def size(self, name: str) -> int:
        """How many bytes of this file lie here, complete or as a part."""
        for one in (name, name + PART):
            with contextlib.suppress(FileNotFoundError):
                return os.stat(one, dir_fd=self._at, follow_symlinks=False).st_size
        return 0

    def free_bytes(self) -> int:
        """What this user may still write on that disk."""
        found = os.fstatvfs(self._at)
        return found.f_bavail * found.f_frsize

    def _opened(self, name: str, flags: int, mode: str) -> IO[bytes] | None:
        try:
            descriptor = os.open(name, flags | _FLAGS, dir_fd=self._at)
        except FileNotFoundError:
            return None
        except OSError:  # a link, a folder, a device: not put there by us
            self._remove(name)
            return None
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_uid == os.getuid():
            return os.fdopen(descriptor, mode)
        os.close(descriptor)
        self._remove(name)
        return None

    def _remove(self, name: str) -> None:
        try:
            os.unlink(name, dir_fd=self._at)
        except (IsADirectoryError, PermissionError):  # what unlink says of a folder differs
            _remove_tree(name, self._at)


def _remove_tree(name: str, at: int) -> None:
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _FLAGS, dir_fd=at)
    try:
        for one in os.listdir(inner):  # noqa: PTH208 - as above
            if stat.S_ISDIR(os.stat(one, dir_fd=inner, follow_symlinks=False).st_mode):
                _remove_tree(one, inner)
            else:
                os.unlink(one, dir_fd=inner)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=at)


@contextmanager
def staging(folder: Path) -> Iterator[Staging]:
    """Open the folder, made where it is missing; a link in its place is removed. Raises Trouble (code `no_space`)."""
    with disk_told(folder):
        if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
            folder.unlink()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield Staging(folder, descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_told(where: Path) -> Iterator[None]:
    """An error of the disk as Trouble: code `no_space` where it is full, else `staging_unwritable`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise trouble(DISK, f"the disk is full while {where} is written") from error
        raise trouble(UNWRITABLE, f"{where} can't be written: {error.strerror}") from error
