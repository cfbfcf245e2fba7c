"""Taking a foreign log's failures over into the book, each line once however often the log is imported.

A log that was imported and has grown since is known by the SHA-256 of what was imported, under whatever name it comes: only the
lines behind that are taken, under the same source. Regular lines are counted, not taken.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from console.failures.book import FailureBook
from console.failures.foreign.blocks import Rest, blocks
from console.failures.foreign.counting import SHOWN_UNREAD, Unread
from console.failures.foreign.line import ForeignLine, parts_of, read_parts
from console.failures.foreign.opening import open_log
from console.failures.foreign.times import Dated, LineTimes
from console.failures.rows import FailureRow
from console.store.sqlite_file import store_trouble
from remote.atomic import write_atomically
from remote.ready_types import ready

_SHOWN_BYTES = 80
_TEXT_CHARS = 2000
_BLOCK_BYTES = 256 * 1024
"""Small, so that `tell` hears something every second."""


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """A log as it was imported: `source` names it for ever, `offset` bytes and `lines` of it are in the book, `prefix` is the
    SHA-256 of those bytes. `begun`: the import was not finished, so it is done again under the same source."""

    source: str
    offset: int
    lines: int
    prefix: str
    begun: bool = False


class ImportResult(msgspec.Struct, kw_only=True):
    """What an import did: `lines` = `failures` + `regular` + `unread` are those looked at now; `before` were known already.

    `added` is how many failures are new in the book. `undated`: failures without a date, in the book without a time.
    `robot`: whose they are; a log that was imported before stays that of its first import.
    """

    path: str
    robot: str
    lines: int = 0
    failures: int = 0
    regular: int = 0
    unread: int = 0
    added: int = 0
    before: int = 0
    undated: int = 0
    unended: bool = False
    unread_why: dict[str, int] = {}
    unread_shown: list[Unread] = []

    @property
    def nothing_read(self) -> bool:
        """Whether no line could be read, now or before."""
        return not (self.failures or self.regular or self.before)


Tell = Callable[[int, int], None]
"""Hears how many bytes of how many were looked at."""


def import_log(
    path: Path,
    book: FailureBook,
    folder: Path,
    *,
    robot: str,
    dated: Dated,
    tell: Tell = lambda done, size: None,
) -> ImportResult:
    """Add the log's failures to the book. `folder` keeps which logs were imported; `robot` whose failures they are.

    A last line without a line feed is left for the next time, it may be half written. Raises Trouble (`unreadable_log`) for
    what is no log.
    """
    known_file = folder / "failure_imports.json"
    known = _known(known_file)
    result = ImportResult(path=str(path), robot=robot)
    with open_log(path) as file:
        before = _before(file, known)
        if before is None:
            size, source = _whole(file)
            known[source] = Taken(source=source, offset=size, lines=0, prefix=source, begun=True)
            _save(known_file, known)
        else:
            source = before.source
        result.robot = book.imported_as(source) or robot
        start, lines = (before.offset, before.lines) if before and not before.begun else (0, 0)
        rest: list[Rest] = []
        size = os.fstat(file.fileno()).st_size
        make = _maker(path, result.robot)
        rows = _rows(file, start, lines, rest, result, make, LineTimes(dated), lambda done: tell(done, size))
        result.added = book.add_imported(rows, source, str(path.resolve()))
        result.before, result.unended = lines, bool(rest[0].data)
        end = rest[0].start
        taken = Taken(source=source, offset=end, lines=lines + result.lines, prefix=_prefix(file, [end])[end])
    known[source] = taken
    unread = source if result.nothing_read else ""
    _save(known_file, {name: one for name, one in known.items() if one.offset and name != unread})
    return result


Maker = Callable[[int, str, ForeignLine, "int | None"], FailureRow]


def _rows(
    file: BinaryIO,
    start: int,
    line: int,
    rest: list[Rest],
    result: ImportResult,
    make: Maker,
    times: LineTimes,
    tell: Callable[[int], None],
) -> Iterator[tuple[int, FailureRow]]:
    why: Counter[str] = Counter()
    done = start
    for block in blocks(file, start, rest, _BLOCK_BYTES):
        tell(done)
        done += block.size
        for raw in bytes(memoryview(block.data)[: block.size - 1]).split(b"\n"):
            line += 1
            result.lines += 1
            parts = parts_of(raw)
            said = parts if isinstance(parts, str) else read_parts(parts)
            if isinstance(said, str) or isinstance(parts, str):
                _not_read(result, why, line, str(said), raw)
                continue
            wall_ns = times.of_parts(parts)
            if not said.failure:
                result.regular += 1
                continue
            result.failures += 1
            result.undated += wall_ns is None
            yield line, make(line, raw[:_TEXT_CHARS].decode("utf-8", "replace").strip(), said, wall_ns)
    result.unread_why = dict(why)


def _not_read(result: ImportResult, why: Counter[str], line: int, said: str, raw: bytes) -> None:
    result.unread += 1
    why[said] += 1
    if len(result.unread_shown) < SHOWN_UNREAD:
        result.unread_shown.append(Unread(line, said, raw[:_SHOWN_BYTES].decode("utf-8", "replace").strip()))


def _maker(path: Path, robot: str) -> Maker:
    def make(line: int, text: str, said: ForeignLine, wall_ns: int | None) -> FailureRow:
        data: dict[str, str | int | float | bool | None] = {"hour": said.hour} if said.hour is not None else {}
        if said.light_word:
            data["light"] = said.light_word
        return FailureRow(
            id="",
            robot=robot,
            wall_ns=wall_ns or 0,
            kind=said.kind,
            text=text,
            light=None if said.light is None else float(said.light),
            temp_c=None if said.temp_c is None else float(said.temp_c),
            conditions=dict(said.fields),
            data=data,
            imported_from=f"{path.name}:{line}",
        )

    return make


# ------------------------------------------------------------ which logs are known


def _known(file: Path) -> dict[str, Taken]:
    try:
        return {one.source: one for one in msgspec.json.decode(file.read_bytes(), type=ready(list[Taken]))}
    except (OSError, msgspec.DecodeError):
        return {}  # lines that are in the book already are known there too, by source and number


def _before(file: BinaryIO, known: dict[str, Taken]) -> Taken | None:
    """The longest earlier import that this file begins with."""
    found = _prefix(file, sorted({one.offset for one in known.values()}))
    same = [one for one in known.values() if found.get(one.offset) == one.prefix]
    return max(same, key=lambda one: one.offset, default=None)


def _prefix(file: BinaryIO, offsets: list[int]) -> dict[int, str]:
    """The SHA-256 of the file's beginning up to each offset (ascending), as far as the file goes."""
    digest, place, found = hashlib.sha256(), 0, dict[int, str]()
    file.seek(0)
    for offset in offsets:
        while place < offset:
            part = file.read(min(offset - place, 1 << 20))
            if not part:
                return found
            digest.update(part)
            place += len(part)
        found[offset] = digest.copy().hexdigest()
    return found


def _whole(file: BinaryIO) -> tuple[int, str]:
    """The file's size and its SHA-256."""
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while part := file.read(1 << 20):
        digest.update(part)
        size += len(part)
    return size, digest.hexdigest()


def _save(file: Path, known: dict[str, Taken]) -> None:
    try:
        write_atomically(file, msgspec.json.encode(list(known.values())))
    except OSError as error:
        raise store_trouble(file, error) from error
