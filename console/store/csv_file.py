"""Tables as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from console.store.tables import Cell
from remote.atomic import replacing
from remote.errors import Trouble

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(out: TextIO, columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write RFC 4180 lines (comma, CRLF), a header first; the number of rows. None becomes an empty cell."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([safe_cell(cell) for cell in row])
        count += 1
    return count


def safe_cell(cell: Cell) -> Cell:
    """Text that a spreadsheet would run as a formula gets a `'` in front (OWASP, "CSV Injection"); numbers stay."""
    if isinstance(cell, str):
        cell = cell.replace("\x00", "")
        return f"'{cell}" if cell.startswith(_FORMULA) else cell
    return cell


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """A file (mode 0600) that appears under its name only when it is complete."""
    try:
        with replacing(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            yield text
            text.detach()  # flushes, and leaves the file open for what makes it last
    except OSError as error:
        cure = "free space there, or choose another place with --output"
        raise Trouble(f"{path} can't be written: {error.strerror}", cure=cure, code="not_written") from error
