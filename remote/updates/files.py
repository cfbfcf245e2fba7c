"""Fetching one target file into the staging folder: from where it stopped, never more than was signed, verified at its end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import IO

from tuf.api.exceptions import LengthOrHashMismatchError
from tuf.api.metadata import TargetFile

from remote.updates.opening import opened
from remote.updates.staging import CHUNK_BYTES, Staging, disk_told
from remote.updates.troubles import CHANGED, TOO_LONG, told, trouble

Told = Callable[[int], None]


def target_url(base: str, target: TargetFile) -> str:
    """Where a consistent snapshot keeps a target: its file name has the hash before it."""
    folder, slash, name = target.path.rpartition("/")
    digest = next(iter(target.hashes.values()))
    return f"{base}{folder}{slash}{digest}.{name}"


def resume_at(size: int) -> int:
    """Where to go on with a part of `size` bytes: its last chunk may not have reached the disk, so it is fetched again."""
    return max(0, size - 1) // CHUNK_BYTES * CHUNK_BYTES


class FileFetcher:
    """Fetches targets from below `base` into a staging folder.

    Args:
        base: URL of the targets' folder, with a final slash.
        say: gets how many bytes of the file are there, after each piece.
        clock: monotonic nanoseconds, for the least rate.
    """

    def __init__(self, base: str, into: Staging, say: Told, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._base, self._into, self._say, self._clock = base, into, say, clock
        self.fetched_bytes = 0

    def fetch(self, target: TargetFile, name: str) -> None:
        """The target's file lies in the staging folder as `name`, whole, synced and verified.

        A part that turns out wrong is fetched anew once. Raises Trouble: `repository_unreachable`, `repository_slow`,
        `repository_refused`, `too_much_data`, `target_changed`, `no_space`.
        """
        there = self._into.has(name)
        if there is not None:
            with there:
                if _is(target, there):
                    self._say(target.length)
                    return
            self._into.drop(name)
        if not self._whole(target, name) and not self._whole(target, name):
            raise trouble(CHANGED, f"{target.path} is not the file that was signed: its length or SHA-256 differs")

    def _whole(self, target: TargetFile, name: str) -> bool:
        with disk_told(self._into.folder), self._into.part(name) as part:
            try:
                with told(target.path):
                    self._more(target, part)
            finally:
                if part.seek(0, os.SEEK_END) == 0 and target.length:
                    self._into.drop_part(name)
            right = _is(target, part)
            if right:
                os.fsync(part.fileno())
        if right:
            self._into.complete(name)
        else:
            self._into.drop(name)
        return right

    def _more(self, target: TargetFile, part: IO[bytes]) -> None:
        """Fetch what is missing, synced after each chunk: so much is kept whatever happens next."""
        size = part.seek(0, os.SEEK_END)
        size = size if size <= target.length else 0
        with opened(target_url(self._base, target), resume_at(size), self._clock) as source:
            begins = place = source.begins
            part.truncate(begins)
            part.seek(begins)
            self._say(place)
            for piece in source.chunks:
                place += len(piece)
                if place > target.length:
                    part.truncate(begins)  # what this answer brought is not the file
                    raise trouble(TOO_LONG, f"{target.path} is longer than the {target.length} bytes that were signed")
                part.write(piece)
                self.fetched_bytes += len(piece)
                self._say(place)
                if place // CHUNK_BYTES > (place - len(piece)) // CHUNK_BYTES:
                    part.flush()
                    os.fdatasync(part.fileno())
            part.flush()


def _is(target: TargetFile, file: IO[bytes]) -> bool:
    file.seek(0)
    try:
        target.verify_length_and_hashes(file)
    except LengthOrHashMismatchError:
        return False
    return True
