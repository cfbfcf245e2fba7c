"""Failures' pictures on the laptop: one file for each digest, checked before it gets its name."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from pathlib import Path

from console.places import data_dir
from console.store.missing import Missing
from console.store.sqlite_file import store_trouble
from remote.atomic import write_atomically
from remote.errors import Trouble

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class Pictures:
    """The folder of pictures. `folder`: None takes `data_dir()/pictures`."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or data_dir() / "pictures"

    @cached_property
    def missing(self) -> Missing:
        """Which pictures a robot could not give."""
        return Missing(self.folder)

    def path(self, digest: str) -> Path | None:
        """The JPEG's file if it is here. A digest that is none (it comes from the robot) is never here."""
        path = self._place(digest)
        return path if path is not None and path.is_file() else None

    def keep(self, digest: str, jpeg: bytes) -> Path:
        """Keep a picture under its digest, whole or not at all.

        Raises Trouble: `bad_picture` where the bytes have another digest, `store_full` on a full disk.
        """
        path = self._place(digest)
        if path is None or hashlib.sha256(jpeg).hexdigest() != digest:
            raise Trouble(f"the robot sent another picture than {digest[:12]}", code="bad_picture")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(path, jpeg)
        except OSError as error:
            raise store_trouble(path, error) from error
        return path

    def _place(self, digest: str) -> Path | None:
        if not _DIGEST.match(digest):
            return None
        return self.folder / digest[:2] / f"{digest}.jpg"
