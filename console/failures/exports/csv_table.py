"""Failures as CSV that a spreadsheet opens without running anything."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from console.failures.exports.made import Exported, refuse_existing
from console.failures.exports.table import COLUMNS, cells
from console.failures.rows import FailureRow
from console.store.csv_file import whole_file, write_csv


def export_csv(rows: Iterable[FailureRow], path: Path) -> Exported:
    """Write one line for each failure (mode 0600). Raises Trouble: `exists`, `not_written`."""
    refuse_existing(path)
    boxes = 0

    def lines() -> Iterable[tuple[object, ...]]:
        nonlocal boxes
        for row in rows:
            boxes += len(row.detections)
            yield tuple(cells(row))

    with whole_file(path) as file:
        count = write_csv(file, COLUMNS, lines())  # type: ignore[arg-type]  # the cells are the table's
    return Exported(path=str(path), failures=count, pictures=0, boxes=boxes, bytes=path.stat().st_size)
