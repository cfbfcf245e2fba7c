"""Counts of a log that are kept beside the laptop's other caches, so that only what was appended since is read."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec

from console.failures import side_file
from console.failures.foreign.blocks import Block
from console.failures.foreign.counting import Counter, Counts, count_from
from console.failures.foreign.opening import open_log
from console.failures.foreign.shapes import PADDING, shapes

FORMAT = 2
_END_BYTES = 65_536
_SAMPLES, _SAMPLE_BYTES = 64, 4096
How = Literal["whole", "appended", "same", "changed"]


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What the side file holds: everything before `offset` is in `counts`; `check` tells whether it is still the same."""

    format: int
    offset: int
    check: str
    counts: Counts


class LogCounts(msgspec.Struct, frozen=True, kw_only=True):
    """A log's counts now. `how`: read as a whole, only what was appended, nothing new, or as a whole because it was changed.

    `unended`: the last line has no line feed; it is counted here but will be read again next time.
    """

    path: str
    bytes: int
    counts: Counts
    how: How
    unended: bool = False


def counts_of(path: Path, folder: Path | None = None, *, anew: bool = False) -> LogCounts:
    """Count the log; with a `folder` for side files only what was appended since the last time, if the rest is unchanged.

    Raises Trouble (`unreadable_log`) for what is no log. A side file that can't be read or written is done without.
    """
    side = folder / f"{hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]}.counts" if folder else None
    with open_log(path) as file:
        kept = _load(side) if side and not anew else None
        same = kept is not None and _check(file, kept.offset) == kept.check
        counts, start = (kept.counts, kept.offset) if kept and same else (Counts(), 0)
        rest = count_from(file, start, counts)
        if side and (rest.start != start or not same):
            side_file.save(side, Kept(format=FORMAT, offset=rest.start, check=_check(file, rest.start), counts=counts))
        if rest.data:
            _add_last(counts, rest.data)
        size = os.fstat(file.fileno()).st_size
    how: How = ("same" if rest.start == start else "appended") if same else ("changed" if kept else "whole")
    return LogCounts(path=str(path), bytes=size, counts=counts, how=how, unended=bool(rest.data))


def _add_last(counts: Counts, line: bytes) -> None:
    data = bytearray(line + b"\n" + bytes(PADDING))
    counter = Counter(counts)
    counter.add(Block(data, len(line) + 1), shapes(data, len(line) + 1))
    counter.store()


def _check(file: BinaryIO, offset: int) -> str:
    """A digest of the beginning, the end and samples in between of the file's first `offset` bytes; empty where it is shorter.

    A line inserted or taken out anywhere moves the end. A change that keeps the length is noticed where a sample lies.
    """
    handle = file.fileno()
    if os.fstat(handle).st_size < offset:
        return ""
    found = hashlib.blake2b(str(offset).encode(), digest_size=16)
    found.update(os.pread(handle, min(_END_BYTES, offset), 0))
    found.update(os.pread(handle, min(_END_BYTES, offset), max(0, offset - _END_BYTES)))
    for sample in range(_SAMPLES):
        found.update(os.pread(handle, min(_SAMPLE_BYTES, offset), offset * sample // _SAMPLES))
    return found.hexdigest()


def _load(side: Path) -> Kept | None:
    kept = side_file.load(side, Kept)
    if kept is None:
        return None
    sound = len(kept.counts.said) == len(kept.counts.counts) and len(kept.counts.reasons) == len(kept.counts.unread)
    return kept if kept.format == FORMAT and sound else None
