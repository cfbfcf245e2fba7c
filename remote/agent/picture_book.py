"""Which pictures belong to which failure, which are pinned, and letting the oldest go when they take too much of the disk.

`pictures.jsonl` has a line `{"failure": ID, "pictures": [DIGEST, ...]}` for each time that pictures were kept, the oldest
first: order follows the lines, never the clock. `pins.json` is written anew at each pin. A line that can't be read is left
out; its pictures then belong to no failure and go first.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from remote.agent.picture_rules import Kept, removable
from remote.atomic import write_atomically
from remote.errors import Trouble
from remote.ready_types import ready

PINNED_SHARE = 0.75
"""Of the quota: the rest stays for failures that are still to come."""
MOST_PINS = 10_000
FRESH_S = 120.0
LARGEST_FILE_BYTES = 64 * 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


class _Line(msgspec.Struct, frozen=True):
    failure: str
    pictures: tuple[str, ...]


class _Pins(msgspec.Struct, frozen=True):
    pinned: dict[str, tuple[str, ...]]


_line: msgspec.json.Decoder[_Line] = msgspec.json.Decoder(_Line)


@dataclass(frozen=True)
class Removed:
    """What was let go, and whether what is pinned alone is over the quota."""

    pictures: int
    failures: int
    bytes: int
    pinned_bytes: int
    over: bool


class PictureBook:
    """All methods may be called from any thread.

    Args:
        folder: of DIGEST.jpg.
        index: pictures.jsonl.
        pins: pins.json.
        wall_s: the wall clock, only to leave alone what was written this minute.
    """

    def __init__(self, folder: Path, index: Path, pins: Path, wall_s: Callable[[], float] = time.time) -> None:
        self._folder, self._index, self._pins_path, self._wall_s = folder, index, pins, wall_s
        self._lock = threading.Lock()
        self._of: dict[str, tuple[str, ...]] = {}
        self._pins: dict[str, tuple[str, ...]] = {}

    def read(self) -> tuple[str, ...]:
        """Take up what the files say; sentences about what in them can't be used.

        A pins.json that can't be read is kept under another name. Call it before `trim`.
        """
        with self._lock:
            return tuple(filter(None, (self._read_index(), self._read_pins())))

    def pictures_of(self, failure: str) -> tuple[str, ...]:
        """The failure's pictures that were kept; they may have gone since."""
        with self._lock:
            return self._pins.get(failure, ()) + tuple(
                one for one in self._of.get(failure, ()) if one not in self._pins.get(failure, ())
            )

    def add(self, failure: str, pictures: Iterable[str]) -> None:
        """These pictures belong to that failure. A disk that refuses the line costs their order, not the pictures."""
        new = tuple(dict.fromkeys(pictures))
        if not new:
            return
        with self._lock:
            self._put(_Line(failure, new))
            with contextlib.suppress(OSError), self._index.open("ab") as file:
                file.write(msgspec.json.encode(_Line(failure, new)) + b"\n")
            if failure in self._pins:
                with contextlib.suppress(Trouble):  # what came first stays pinned
                    self._store_pins({**self._pins, failure: self._of[failure]})

    def pin(self, failure: str, *, pinned: bool, limit_bytes: int) -> int:
        """Keep a failure's pictures, or let them go like others; how many there are.

        Raises Trouble: `no_pictures` for a failure without any, `pins_full` where too much is pinned, `settings_unwritable`.
        """
        with self._lock:
            pictures = self._of.get(failure) or self._pins.get(failure)
            if not pictures:
                cure = "older pictures make room for newer ones: pin a failure soon"
                raise Trouble(f"the robot has no pictures of the failure {failure[:64]}", cure=cure, code="no_pictures")
            pins = {name: digests for name, digests in self._pins.items() if name != failure}
            if pinned:
                pins[failure] = pictures
                self._check_room(pins, limit_bytes)
            if pins != self._pins:
                self._store_pins(pins)
            return len(pictures)

    def trim(self, limit_bytes: int, headroom: float = 0.1) -> Removed | None:
        """Where the folder holds more than `limit_bytes`, let the oldest failures' pictures go; None where nothing was to do.

        So much goes that `headroom` of the limit is free. Pinned ones stay, and what was written within FRESH_S.
        """
        with self._lock:
            sizes, fresh = self._files()
            total = sum(sizes.values())
            if total <= limit_bytes:
                return None
            pinned = {digest for digests in self._pins.values() for digest in digests}
            wanted = total - round(limit_bytes * (1 - headroom))
            gone = removable(Kept(self._of, sizes, pinned, fresh), wanted)
            freed = sum(sizes[digest] for digest in gone if self._remove(digest))
            failures = self._forget(sizes.keys() - set(gone))
            pinned_bytes = sum(sizes.get(digest, 0) for digest in pinned)
            if not gone and pinned_bytes <= limit_bytes:
                return None
            return Removed(len(gone), failures, freed, pinned_bytes, pinned_bytes > limit_bytes)

    # ------------------------------------------------------------ within the lock

    def _read_index(self) -> str:
        try:
            with self._index.open("rb") as file:
                data = file.read(LARGEST_FILE_BYTES)
        except FileNotFoundError:
            return ""
        except OSError as error:
            return f"{self._index.name} can't be read ({error.strerror}): older pictures have lost their order"
        bad = sum(not self._take(one) for one in data.split(b"\n") if one.strip())
        self._forget(self._files()[0])
        return f"{bad} lines of {self._index.name} can't be read: their pictures go first" if bad else ""

    def _take(self, data: bytes) -> bool:
        try:
            line = _line.decode(data)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return False
        if not _is_meant(line.failure, line.pictures):
            return False
        self._put(line)
        return True

    def _put(self, line: _Line) -> None:
        self._of[line.failure] = tuple(dict.fromkeys((*self._of.get(line.failure, ()), *line.pictures)))

    def _read_pins(self) -> str:
        try:
            with self._pins_path.open("rb") as file:
                data = file.read(LARGEST_FILE_BYTES)
            pins = msgspec.json.decode(data, type=ready(_Pins)).pinned
            if not all(_is_meant(failure, pictures) for failure, pictures in pins.items()):
                raise ValueError("it names what can't be a failure or a picture")
        except FileNotFoundError:
            return ""
        except (OSError, msgspec.DecodeError, ValueError, RecursionError) as error:
            kept = self._pins_path.with_name(f"{self._pins_path.name}.damaged")
            with contextlib.suppress(OSError):
                self._pins_path.replace(kept)
            return f"what was pinned can't be read ({error}): nothing is pinned now; the file is kept as {kept.name}"
        self._pins = pins
        return ""

    def _check_room(self, pins: dict[str, tuple[str, ...]], limit_bytes: int) -> None:
        most, sizes = limit_bytes * PINNED_SHARE, self._files()[0]
        wanted = sum(sizes.get(digest, 0) for digest in {one for digests in pins.values() for one in digests})
        if wanted > most or len(pins) > MOST_PINS:
            share = f"{PINNED_SHARE:.0%} of pictures_bytes"
            what = f"{wanted} bytes of pictures would be pinned, at most {most:.0f} ({share}) may be"
            raise Trouble(what, cure="let go of older pins, or raise `pictures_bytes`", code="pins_full")

    def _store_pins(self, pins: dict[str, tuple[str, ...]]) -> None:
        try:
            write_atomically(self._pins_path, msgspec.json.encode(_Pins(pins)))
        except OSError as error:
            what = f"the pin can't be written to {self._pins_path}: {error.strerror}"
            raise Trouble(what, cure="make space on the robot's disk", code="settings_unwritable") from error
        self._pins = pins

    def _store_index(self) -> None:
        lines = [msgspec.json.encode(_Line(failure, pictures)) for failure, pictures in self._of.items()]
        with contextlib.suppress(OSError):  # the old file says too much, which does no harm
            write_atomically(self._index, b"\n".join([*lines, b""]))

    def _files(self) -> tuple[dict[str, int], set[str]]:
        """Sizes of the pictures, the oldest file first, and those written just now (whose failure may not be told yet)."""
        now_s, rows = self._wall_s(), []
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                digest = entry.name.removesuffix(".jpg")
                if _DIGEST.fullmatch(digest):
                    with contextlib.suppress(OSError):
                        status = entry.stat(follow_symlinks=False)
                        rows.append((status.st_mtime, status.st_size, digest))
        rows.sort()
        fresh = {digest for written_s, _, digest in rows if abs(now_s - written_s) < FRESH_S}
        return {digest: size for _, size, digest in rows}, fresh

    def _remove(self, digest: str) -> bool:
        try:
            (self._folder / f"{digest}.jpg").unlink(missing_ok=True)
        except OSError:
            return False
        return True

    def _forget(self, there: Collection[str]) -> int:
        """Failures that have no picture any more; the index is written anew with those that are there."""
        before = len(self._of)
        left = {name: tuple(one for one in digests if one in there) for name, digests in self._of.items()}
        self._of = {name: digests for name, digests in left.items() if digests}
        self._store_index()
        return before - len(self._of)


def _is_meant(failure: str, pictures: Iterable[str]) -> bool:
    return bool(_ID.fullmatch(failure)) and all(_DIGEST.fullmatch(one) for one in pictures)
