"""Reads columns of a Parquet file in a process of its own: a damaged file can end the whole process inside the C++ reader.

`python -m console.tables.parquet_child ROWS BYTES COLUMN...` takes the file on stdin and writes one JSON object:
`columns` (every name), `read` (those of COLUMN that are there; `*`: all) and `cells` (for each of them `{"words": [...],
"at": [index or null, ...]}`), or `error` with a sentence.
"""

from __future__ import annotations

import json
import sys
from typing import Any

MEMORY_BYTES = 4 * 1024**3


def main(rows_limit: int, unpacked_limit: int, wanted: list[str]) -> dict[str, Any]:
    """What is written to stdout. `rows_limit` and `unpacked_limit` (bytes of the columns read) are checked before reading."""
    limit_memory()
    import pyarrow
    import pyarrow.parquet as parquet

    data = sys.stdin.buffer.read()
    try:
        source = parquet.ParquetFile(pyarrow.BufferReader(data))
        names = list(source.schema_arrow.names)
        if len(set(names)) < len(names):
            return {"error": f"the name `{next(n for n in names if names.count(n) > 1)}` is given twice"}
        read = [name for name in names if "*" in wanted or name in wanted]
        if too_large := _too_large(source.metadata, read, rows_limit, unpacked_limit):
            return {"error": too_large}
        # Text stays in its dictionary: one long word that stands in a million rows is held once.
        texts = [name for name in read if pyarrow.types.is_string(source.schema_arrow.field(name).type)]
        source = parquet.ParquetFile(pyarrow.BufferReader(data), read_dictionary=texts)
        found = source.read(columns=read, use_threads=False)
        return {"columns": names, "cells": [_cells(found.column(name), pyarrow.types) for name in read], "read": read}
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        said = str(error).strip().splitlines()
        return {"error": f"can't be read as Parquet: {said[0][:200] if said else type(error).__name__}"}


def limit_memory() -> None:
    """Let no file, however it was made, take more than MEMORY_BYTES of this process."""
    if sys.platform == "linux":  # elsewhere the limit does not hold
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _too_large(metadata: Any, read: list[str], rows_limit: int, unpacked_limit: int) -> str:
    if metadata.num_rows > rows_limit:
        return f"has more than {rows_limit} rows"
    unpacked = 0
    for group in range(metadata.num_row_groups):
        chunks = metadata.row_group(group)
        for index in range(chunks.num_columns):
            chunk = chunks.column(index)
            if chunk.path_in_schema.partition(".")[0] in read:
                unpacked += chunk.total_uncompressed_size
    return f"would take {unpacked} bytes unpacked, more than {unpacked_limit}" if unpacked > unpacked_limit else ""


def _cells(column: Any, types: Any) -> dict[str, list[Any]]:
    words: list[Any] = []
    at: list[int | None] = []
    for chunk in column.chunks:
        begin = len(words)
        if types.is_dictionary(chunk.type):
            words += [_plain(word) for word in chunk.dictionary.to_pylist()]
            at += [None if index is None else begin + index for index in chunk.indices.to_pylist()]
        else:
            words += [_plain(word) for word in chunk.to_pylist()]
            at += range(begin, len(words))
    return {"words": words, "at": at}


def _plain(cell: Any) -> Any:
    return cell if cell is None or isinstance(cell, (str, bool, int, float)) else f"a {type(cell).__name__}"


if __name__ == "__main__":
    json.dump(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]), sys.stdout)
