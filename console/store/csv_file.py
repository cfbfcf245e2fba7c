"""Tables as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from console.store.database import store_trouble
from console.store.tables import Cell
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
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise Trouble(
            f"{path} can't be written: {error.strerror}", cure="choose another place with --output"
        ) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except OSError as error:
        raise store_trouble(path, error) from error
    finally:
        Path(name).unlink(missing_ok=True)
