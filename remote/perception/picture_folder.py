"""A folder of JPEGs by their digest. Needs no picture library: the agent keeps pictures too."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from remote.atomic import TEMPORARY_GLOB, write_atomically


@dataclass(frozen=True)
class Kept:
    """The digest under which a picture was kept, or None and the reason why it was not."""

    digest: str | None
    reason: str = ""


class PictureFolder:
    """A folder of DIGEST.jpg. A file under its final name is whole: written aside, synced, renamed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def prepare(self) -> None:
        """Make the folder, and remove what a killed worker left half written. Raises OSError."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._folder.glob(TEMPORARY_GLOB):
            left.unlink(missing_ok=True)

    def keep_jpeg(self, data: bytes) -> Kept:
        """Write a JPEG; a full or broken disk is a reason, not an exception: the failure itself must be told."""
        digest = hashlib.sha256(data).hexdigest()
        final = self._folder / f"{digest}.jpg"
        if final.exists():
            return Kept(digest)
        try:
            write_atomically(final, data)
        except OSError as error:
            return Kept(None, f"the picture was not kept: {error.strerror or error}")
        return Kept(digest)
