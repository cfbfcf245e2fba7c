"""What people said of failures: one file that only grows. failures.db can be made again, this can't, so it is kept apart.

One JSON object a line: who, when, and a mark, a note, or that a file was imported. A mark is taken back by an empty one; the
newest counts. A line that was cut off by a crash is passed over, and the next one begins on a line of its own.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Union

import msgspec

from console.failures.rows import MarkWord
from console.store.sqlite_file import store_trouble

LINE_LIMIT_BYTES = 64 * 1024


class Marked(msgspec.Struct, frozen=True, tag="mark", tag_field="said", kw_only=True):
    """`person` says of the failure of that id what it is."""

    id: str
    mark: MarkWord
    person: str
    wall_ns: int


class Noted(msgspec.Struct, frozen=True, tag="note", tag_field="said", kw_only=True):
    """`person` wrote `text` on the failure of that id."""

    id: str
    text: str
    person: str
    wall_ns: int


class Imported(msgspec.Struct, frozen=True, tag="imported", tag_field="said", kw_only=True):
    """A foreign file was read: its path, the SHA-256 of its content, how many rows it gave."""

    file: str
    digest: str
    rows: int
    wall_ns: int


Saying = Union[Marked, Noted, Imported]
_encoder = msgspec.json.Encoder()
_decoder: msgspec.json.Decoder[Saying] = msgspec.json.Decoder(Saying)


class Heard(msgspec.Struct, frozen=True):
    """What stands in the file after a place: each with the place where its line begins, and where the next one would.

    `damaged` counts lines that can't be read.
    """

    sayings: tuple[tuple[int, Saying], ...]
    end: int
    damaged: int = 0


class SaidFile:
    """failure_marks.jsonl (mode 0600). Several processes may append to it at once."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def size(self) -> int:
        """Bytes in the file; 0 where nobody has said anything."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise store_trouble(self.path, error) from error

    def append(self, sayings: Sequence[Saying]) -> None:
        """Write them, durable when this returns. Raises Trouble (`store_full`, `store_unusable`)."""
        lines = b"".join(_encoder.encode(one) + b"\n" for one in sayings)
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                _write_whole(handle, lines)
            finally:
                os.close(handle)
        except OSError as error:
            raise store_trouble(self.path, error) from error

    def after(self, place: int) -> Heard:
        """Everything from byte `place` on; from the beginning where the file has become shorter than that."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                start = place if place <= size else 0
                file.seek(start)
                return _heard(file.read(), start)
        except FileNotFoundError:
            return Heard((), 0)
        except OSError as error:
            raise store_trouble(self.path, error) from error


def _write_whole(handle: int, lines: bytes) -> None:
    """All or nothing: a line that a full disk cut is taken back."""
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        lines = b"\n" + lines
    try:
        while lines:
            lines = lines[os.write(handle, lines) :]
        os.fsync(handle)
    except OSError:
        os.ftruncate(handle, size)
        raise


def _heard(data: bytes, start: int) -> Heard:
    found: list[tuple[int, Saying]] = []
    damaged, at = 0, 0
    while (end := data.find(b"\n", at)) >= 0:
        line = data[at:end]
        if line.strip():
            try:
                found.append((start + at, _decoder.decode(line)))
            except (msgspec.DecodeError, ValueError, RecursionError):
                damaged += 1
        at = end + 1
    return Heard(tuple(found), start + at, damaged)
