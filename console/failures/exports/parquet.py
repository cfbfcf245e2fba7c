"""Failures as Parquet: the columns of the CSV, numbers as numbers."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from console.failures.exports.made import Exported, not_written, refuse_existing
from console.failures.exports.table import COLUMNS, NUMBERS, cells
from console.failures.rows import FailureRow
from remote.atomic import replacing

_BATCH_ROWS = 5000


def export_parquet(rows: Iterable[FailureRow], path: Path) -> Exported:
    """Write one row for each failure (zstd, mode 0600), a batch at a time. Raises Trouble: `exists`, `not_written`."""
    import pyarrow
    from pyarrow import parquet

    refuse_existing(path)
    schema = pyarrow.schema([(name, NUMBERS.get(name, "string")) for name in COLUMNS])
    given, count, boxes = iter(rows), 0, 0
    try:
        with replacing(path) as file, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            while batch := list(islice(given, _BATCH_ROWS)):
                columns = list(zip(*(cells(row) for row in batch), strict=True))
                arrays = [pyarrow.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)]
                writer.write_batch(pyarrow.record_batch(arrays, schema=schema))
                count += len(batch)
                boxes += sum(len(row.detections) for row in batch)
    except OSError as error:
        raise not_written(path, error) from error
    return Exported(path=str(path), failures=count, pictures=0, boxes=boxes, bytes=path.stat().st_size)
