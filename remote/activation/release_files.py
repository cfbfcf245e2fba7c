"""A release's folder: whether it is what its manifest says, taking the right to write away, deleting it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from remote.atomic import sync
from remote.errors import Trouble
from remote.manifest import MANIFEST, MAX_MANIFEST_BYTES, FileEntry, Manifest, digest_of, parse_manifest

FILE_MODE, FOLDER_MODE = 0o444, 0o555
CHANGED, INCOMPLETE = "bundle_changed", "bundle_incomplete"
AGAIN = "send the whole bundle again"
_CHUNK_BYTES = 1 << 20


def is_sealed(folder: Path) -> bool:
    """Whether `seal` came to its end there."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == FOLDER_MODE


def seal(folder: Path, digest: str) -> None:
    """Make it read-only and synced, verified. Raises Trouble as `verify`, OSError.

    Read-only first, so that what is verified is what stays; the folder's own mode last: it says that all is done.
    """
    if folder.is_symlink():
        raise _wrong(f"{folder} is no folder")
    for entry in _entries(folder):
        with _opened(folder / entry.name) as descriptor:
            _must_be_only_name(folder / entry.name, descriptor)
            os.fchmod(descriptor, FILE_MODE)
            os.fsync(descriptor)
    verify(folder, digest, only_ours=True)
    sync(folder)
    folder.chmod(FOLDER_MODE)
    sync(folder)


def verify(folder: Path, digest: str, *, only_ours: bool) -> None:
    """Exactly the manifest's files, no other, no link, and no file that has a second name elsewhere (`only_ours`).

    Raises Trouble: `manifest_invalid`, `bundle_incomplete`, `bundle_changed`.
    """
    try:
        manifest = _manifest(folder, digest)
        names = {entry.name for entry in _entries(folder)}
        extra = sorted(names - {MANIFEST, *manifest.files})
        if extra and only_ours:
            raise _wrong(f"{folder} holds {extra[0][:80]!r}, which its manifest does not name")
        for name, entry in sorted(manifest.files.items()):
            if name not in names:
                raise Trouble(f"{folder / name} is missing, the manifest names it", cure=AGAIN, code=INCOMPLETE)
            _verify_file(folder / name, entry, only_ours=only_ours)
    except OSError as error:
        raise _wrong(f"{folder} can't be read: {error.strerror}") from error


def _manifest(folder: Path, digest: str) -> Manifest:
    where = folder / MANIFEST
    if folder.is_symlink() or not folder.is_dir():
        raise _wrong(f"{folder} is no folder")
    with _opened(where) as descriptor:
        data = os.read(descriptor, MAX_MANIFEST_BYTES + 1)
    if digest_of(data) != digest:
        raise _wrong(f"{where} is not the manifest of {digest[:12]}")
    return parse_manifest(data, where)


def _verify_file(path: Path, expected: FileEntry, *, only_ours: bool) -> None:
    with _opened(path) as descriptor:
        status = os.fstat(descriptor)
        if only_ours:
            _must_be_only_name(path, descriptor)
        if status.st_size < expected.bytes:
            what = f"{path} is truncated: {status.st_size} of {expected.bytes} bytes"
            raise Trouble(what, cure=AGAIN, code=INCOMPLETE)
        if status.st_size > expected.bytes or _sha256(descriptor) != expected.sha256:
            raise _wrong(f"{path} is not the file of the manifest (its SHA-256 differs)")


def _must_be_only_name(path: Path, descriptor: int) -> None:
    if os.fstat(descriptor).st_nlink != 1:
        raise _wrong(f"{path} has a second name elsewhere (a hard link)")


def _sha256(descriptor: int) -> str:
    found = hashlib.sha256()
    while piece := os.read(descriptor, _CHUNK_BYTES):
        found.update(piece)
    return found.hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A regular file, opened without following a link and without waiting for a pipe. Raises Trouble, OSError."""
    if path.is_symlink():
        raise _wrong(f"{path} is a symbolic link")
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _wrong(f"{path} is no ordinary file")
        yield descriptor
    finally:
        os.close(descriptor)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def held_bytes(folder: Path) -> int:
    """The sum of its files' sizes; 0 where it can't be read."""
    held = 0
    with contextlib.suppress(OSError):  # it may go while it is looked at
        held = sum(entry.stat(follow_symlinks=False).st_size for entry in _entries(folder))
    return held


def digest_in(folder: Path) -> str | None:
    """The digest of the manifest that lies there; None where none can be read. No other file is looked at."""
    with contextlib.suppress(OSError, Trouble):
        if not folder.is_symlink():
            with _opened(folder / MANIFEST) as descriptor:
                data = os.read(descriptor, MAX_MANIFEST_BYTES + 1)
            return digest_of(data) if len(data) <= MAX_MANIFEST_BYTES else None
    return None


def delete(path: Path) -> None:
    """A folder of the store, sealed or not, with all that is in it; links are removed, never followed. Raises OSError."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    path.chmod(0o700)
    for entry in _entries(path):
        delete(Path(entry.path))
    path.rmdir()


def _wrong(what: str) -> Trouble:
    return Trouble(what, cure=AGAIN, code=CHANGED)
