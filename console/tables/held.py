"""Files on the laptop that are judged: found without leaving their folder, read once, named by their digest."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

from remote import strict_yaml
from remote.errors import Trouble

KEEP_LIMIT_BYTES = 16 * 1024 * 1024
"""A longer file is judged and named by its digest, but not kept with the record."""
_PIECE_BYTES = 1024 * 1024


class Held(NamedTuple):
    """A file's bytes as they were judged, with its path and its SHA-256 (hex). `given` is the name in the checklist."""

    given: str
    path: Path
    data: bytes
    digest: str

    @property
    def fingerprints(self) -> dict[str, str]:
        """What evidence from this file rests on."""
        return {f"file:{self.given}": self.digest}

    def to_keep(self, wanted: bool = True) -> tuple[Path, ...]:
        """The file, where it is wanted and short enough to be kept with the record."""
        return (self.path,) if wanted and len(self.data) <= KEEP_LIMIT_BYTES else ()


def find(files: Path, given: str) -> Path:
    """The path that `given` means: relative to `files` and inside it, or anywhere where it is absolute.

    Raises Trouble (`bad_path`) for a relative path that leaves the folder by `..` or by a link.
    """
    path = Path(given)
    if path.is_absolute():
        return path
    found = files / path
    try:
        inside = found.resolve().is_relative_to(files.resolve())
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, a name that no file can have
        raise Trouble(f"{given!r} is no path: {error}", cure="give the file's path", code="bad_path") from error
    if not inside or ".." in path.parts:
        cure = "put the file below that folder, or give its absolute path in the checklist"
        raise Trouble(f"{given} leads out of the campaign's folder {files}", cure=cure, code="bad_path")
    return found


def hold(files: Path, given: str, *, code: str, what: str, limit_bytes: int) -> Held:
    """The whole file, read once. Raises Trouble with `code`: missing, no regular file, unreadable, longer than the limit."""
    path = find(files, given)
    data = strict_yaml.read_bytes(path, code=code, what=what, limit_bytes=limit_bytes)
    return Held(given, path, data, hashlib.sha256(data).hexdigest())


def digest_of_file(path: Path) -> str:
    """The SHA-256 (hex) of a file of any length. Raises OSError."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
