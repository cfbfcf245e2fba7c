"""What the agent remembers of updates, in two small files: the source with its root, and what it has seen."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, TypeVar, Union

import msgspec

from remote.atomic import sync, write_atomically
from remote.errors import Trouble
from remote.model_states import UpdateSource
from remote.ready_types import ready
from remote.strict_yaml import read_bytes

ROOT_LIMIT_BYTES = 256 * 1024
FILE_LIMIT_BYTES = 512 * 1024
DAMAGED = "updates_damaged"
T = TypeVar("T")
WallNs = Annotated[int, msgspec.Meta(ge=0, le=7_258_118_400 * 10**9)]
"""Nanoseconds since the epoch, before 2200: later ones can't be shown as a date, and no clock tells them."""


class Trusted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The source and the root metadata that is trusted for it: one file, so that they never belong to different ones."""

    source: UpdateSource
    root: Annotated[bytes, msgspec.Meta(min_length=2, max_length=ROOT_LIMIT_BYTES)]

    @property
    def digest(self) -> str:
        """SHA-256 of the root."""
        return hashlib.sha256(self.root).hexdigest()


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was seen. `floor_wall_ns` is the latest time that it surely is; `release` the highest number handed on."""

    floor_wall_ns: WallNs = 0
    looked_wall_ns: Union[WallNs, None] = None
    says: str = ""
    code: str = ""
    release: Annotated[int, msgspec.Meta(ge=0)] = 0


class UpdateFiles:
    """The folder of updates in the agent's state."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Make the folder. Raises Trouble."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(self.folder, error) from error

    def trusted(self) -> Trusted | None:
        """The source; None where none was set. Raises Trouble (`updates_damaged`)."""
        return _load(self.folder / "source.json", Trusted)

    def seen(self) -> Seen:
        """What was seen before. Raises Trouble (`updates_damaged`)."""
        return _load(self.folder / "seen.json", Seen) or Seen()

    def save(self, what: Trusted | Seen) -> None:
        """Replace one of both, synced. Raises Trouble (`updates_unwritable`)."""
        path = self.folder / ("source.json" if isinstance(what, Trusted) else "seen.json")
        self.prepare()
        try:
            write_atomically(path, msgspec.json.encode(what))
        except OSError as error:
            raise _unwritable(path, error) from error

    def forget_source(self) -> None:
        """Take nothing from anywhere any more, also after a power cut. Raises Trouble (`updates_unwritable`)."""
        path = self.folder / "source.json"
        try:
            if path.exists():
                path.unlink()
                sync(self.folder)
        except OSError as error:
            raise _unwritable(path, error) from error

    def cache(self, trusted: Trusted) -> Path:
        """The folder of the metadata that was verified from this root on: another root never sees it."""
        return self.folder / f"metadata-{trusted.digest[:16]}"

    def write_order(self, order: bytes) -> Path:
        """The client's order as a file. Raises Trouble (`updates_unwritable`)."""
        path = self.folder / "order.json"
        self.prepare()
        try:
            write_atomically(path, order)
        except OSError as error:
            raise _unwritable(path, error) from error
        return path


def _load(path: Path, kind: type[T]) -> T | None:
    if not path.exists():
        return None
    cure = "enrol the robot again with `fieldgate updates enrol`"
    data = read_bytes(path, what="what is known of updates", code=DAMAGED, limit_bytes=FILE_LIMIT_BYTES)
    try:
        return msgspec.json.decode(data, type=ready(kind))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Trouble(f"{path} can't be understood: {error}", cure=cure, code=DAMAGED) from error


def _unwritable(path: Path, error: OSError) -> Trouble:
    cure = "make space on that disk, or check who owns the folder"
    return Trouble(f"{path} can't be written: {error.strerror}", cure=cure, code="updates_unwritable")
