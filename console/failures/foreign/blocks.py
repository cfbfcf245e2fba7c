"""A log in blocks of whole lines, whatever its lines' lengths, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from typing import BinaryIO, NamedTuple

from console.failures.foreign.line import LINE_LIMIT_BYTES
from console.failures.foreign.shapes import PADDING

BLOCK_BYTES = 2 * 1024 * 1024
RING = 6
"""Buffers that are filled in turn: so many blocks may be in work at a time."""


class Block(NamedTuple):
    """Whole lines: `data[:size]` ends with a line feed and is followed by padding. Used again RING blocks later."""

    data: bytearray
    size: int


class Rest(NamedTuple):
    """What follows the last line feed: its last bytes, and the place in the file where it begins."""

    data: bytes
    start: int


def blocks(file: BinaryIO, start: int, rest: list[Rest], block_bytes: int = BLOCK_BYTES) -> Iterator[Block]:
    """Blocks from `start` on; at the end `rest` gets the one Rest. Of a line that is too long only its end is kept."""
    file.seek(start)
    left, line_start, place = b"", start, start
    ring = cycle([bytearray(LINE_LIMIT_BYTES + 1 + block_bytes + PADDING) for _ in range(RING)])
    data = next(ring)
    while True:
        data[: len(left)] = left
        with memoryview(data) as view:
            got = _fill(file, view[len(left) : len(left) + block_bytes])
        place += got
        end = len(left) + got
        cut = data.rfind(b"\n", 0, end) + 1
        left = bytes(data[cut:end][-LINE_LIMIT_BYTES - 1 :])  # long enough to be seen as too long when its end comes
        if cut:
            line_start = place - (end - cut)
            yield Block(data, cut)
            data = next(ring)
        if got < block_bytes:
            rest.append(Rest(left, line_start))
            return


def _fill(file: BinaryIO, view: memoryview) -> int:
    """Read as much as there is room for; less only at the end of the file."""
    got = 0
    while got < len(view):
        more = file.readinto(view[got:])  # type: ignore[attr-defined]
        if not more:
            break
        got += more
    return got
