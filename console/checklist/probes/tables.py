"""Tables of results as rows of cells: CSV, JSON (list or lines) and Parquet, refused whole where a part can't be trusted."""

from __future__ import annotations

import csv
import difflib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, Literal, NamedTuple

from console.checklist.probes.laptop import Held
from remote.errors import Trouble

CODE = "bad_table"
LIMIT_BYTES = 32 * 1024 * 1024
ROW_LIMIT = 1_000_000
UNPACKED_LIMIT_BYTES = 256 * 1024 * 1024
"""What the columns that are read may take unpacked: a small Parquet file can stand for a very large one."""
Format = Literal["auto", "csv", "json", "parquet"]
_ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
}
_AGAIN = "write the file again from where it came"


class Row(NamedTuple):
    """One row: where it stands (`line 7`, `record 6`) and its cells by column."""

    place: str
    cells: Mapping[str, object]


class Table(NamedTuple):
    """A whole table. `name` is what errors call it."""

    name: str
    columns: tuple[str, ...]
    rows: list[Row]


def read_table(file: Held, format: Format, *, needed: Iterable[str], useful: Iterable[str]) -> Table:
    """Every row of the file, with at least the columns `needed`, and `useful` where they are there.

    Raises Trouble (`bad_table`) with file, line or record, and column: unknown format, cut short, damaged, a row with too
    few or too many cells, a name given twice, a missing column, no rows, too many.
    """
    kind = _format(file, format)
    wanted = (*needed, *useful)
    if kind == "parquet":
        table = _parquet(file, wanted)
    else:
        text = _text(file)
        table = _csv(file, text) if kind == "csv" else _json(file, text)
    for name in needed:
        if name not in table.columns:
            near = difflib.get_close_matches(name, table.columns, n=1)
            cure = f"did you mean `{near[0]}`?" if near else f"it has: {', '.join(table.columns[:20])}"
            raise Trouble(f"{file.given} has no column `{name}`", cure=cure, code=CODE)
    return table


def _format(file: Held, format: Format) -> Format:
    found = _ENDINGS.get(PurePath(file.given).suffix.lower()) if format == "auto" else format
    if found is None:
        cure = f"name it {', '.join(_ENDINGS)}, or give the parameter `format`"
        raise Trouble(f"{file.given} has no name that tells its format", cure=cure, code=CODE)
    return found


def _text(file: Held) -> str:
    try:
        text = file.data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"{file.given} is not UTF-8 text (byte {error.start})"
        raise Trouble(what, cure="save it as UTF-8", code=CODE) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise Trouble(f"{file.given}, line {line}: it holds a NUL byte", cure=_AGAIN, code=CODE)
    return text


def _limited(rows: Iterator[Row], name: str) -> list[Row]:
    found: list[Row] = []
    for row in rows:
        found.append(row)
        if len(found) > ROW_LIMIT:
            raise Trouble(f"{name} has more than {ROW_LIMIT} rows", cure="split the table", code=CODE)
    return found


# ---------------------------------------------------------------- CSV


def _csv(file: Held, text: str) -> Table:
    head = text.partition("\n")[0]
    delimiter = max(",;\t|", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = _csv_lines(reader, file.given)
    columns = tuple(name.strip() for name in next(lines, (0, []))[1])
    _distinct(columns, f"{file.given}, line 1")
    if not any(columns):
        raise Trouble(f"{file.given} is empty", cure="begin it with a line of column names", code=CODE)
    return Table(file.given, columns, _limited(_csv_rows(lines, columns, file.given), file.given))


def _csv_lines(reader: Any, name: str) -> Iterator[tuple[int, list[str]]]:
    try:
        for cells in reader:
            if cells:  # an empty line is no row
                yield reader.line_num, cells
    except csv.Error as error:
        raise Trouble(f"{name}, line {reader.line_num}: {error}", cure=_AGAIN, code=CODE) from error


def _csv_rows(lines: Iterator[tuple[int, list[str]]], columns: tuple[str, ...], name: str) -> Iterator[Row]:
    for line, cells in lines:
        if len(cells) != len(columns):
            what = f"{name}, line {line} has {len(cells)} cells, not {len(columns)}"
            raise Trouble(what, cure=f"complete or quote that line; {_AGAIN} if it was cut", code=CODE)
        yield Row(f"line {line}", dict(zip(columns, cells, strict=True)))


def _distinct(names: tuple[str, ...], where: str) -> None:
    twice = next((name for index, name in enumerate(names) if name in names[:index]), None)
    if twice is not None:
        raise Trouble(f"{where}: the name `{twice}` is given twice", cure="rename one of them", code=CODE)


# ---------------------------------------------------------------- JSON


def _json(file: Held, text: str) -> Table:
    is_list = text.lstrip()[:1] == "["
    rows = _limited(_json_list(text, file.given) if is_list else _json_lines(text, file.given), file.given)
    columns = tuple(dict.fromkeys(name for row in rows for name in row.cells))
    return Table(file.given, columns, rows)


def _json_list(text: str, name: str) -> Iterator[Row]:
    found = _decoded(text, name, 1)
    for number, record in enumerate(found, 1):
        yield _record(record, f"record {number}", name)


def _json_lines(text: str, name: str) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _record(_decoded(line, name, number), f"line {number}", name)


def _record(record: object, place: str, name: str) -> Row:
    if not isinstance(record, dict):
        what = f"{name}, {place} is no record"
        raise Trouble(what, cure='write a list of {"column": value}, or one a line', code=CODE)
    return Row(place, record)


def _decoded(text: str, name: str, line: int) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_pairs, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        what = f"{name}, line {line + error.lineno - 1}, column {error.colno}: {error.msg}"
        raise Trouble(what, cure=_AGAIN, code=CODE) from error
    except RecursionError as error:
        raise Trouble(f"{name}, line {line}: it is nested too deep", cure=_AGAIN, code=CODE) from error
    except ValueError as error:  # a key given twice, NaN, a number of thousands of digits
        raise Trouble(f"{name}, line {line}: {error}", cure="correct it", code=CODE) from error


def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for index, name in enumerate(names) if name in names[:index])
        raise ValueError(f"the name `{twice}` is given twice in one record")
    return found


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is no JSON")


# ---------------------------------------------------------------- Parquet


def _parquet(file: Held, wanted: tuple[str, ...]) -> Table:
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        # Strings stay in their dictionary: one long word that stands in a million rows is held once.
        source = parquet.ParquetFile(pyarrow.BufferReader(file.data))
        columns = tuple(source.schema_arrow.names)
        _distinct(columns, file.given)
        read = [name for name in columns if name in wanted]
        _check_size(source.metadata, read, file.given)
        texts = [name for name in read if pyarrow.types.is_string(source.schema_arrow.field(name).type)]
        source = parquet.ParquetFile(pyarrow.BufferReader(file.data), read_dictionary=texts)
        found = source.read(columns=read, use_threads=False)
        cells = [list(_cells(found.column(name), pyarrow.types)) for name in read]
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        said = str(error).strip().splitlines()
        what = f"{file.given} can't be read as Parquet: {said[0] if said else type(error).__name__}"
        raise Trouble(what, cure=_AGAIN, code=CODE) from error
    rows = [
        Row(f"row {number}", dict(zip(read, row, strict=True)))
        for number, row in enumerate(zip(*cells, strict=True), 1)
    ]
    return Table(file.given, columns, rows)


def _check_size(metadata: Any, read: list[str], name: str) -> None:
    if metadata.num_rows > ROW_LIMIT:
        raise Trouble(f"{name} has more than {ROW_LIMIT} rows", cure="split the table", code=CODE)
    unpacked = 0
    for group in range(metadata.num_row_groups):
        chunks = metadata.row_group(group)
        for index in range(chunks.num_columns):
            chunk = chunks.column(index)
            if chunk.path_in_schema.partition(".")[0] in read:
                unpacked += chunk.total_uncompressed_size
    if unpacked > UNPACKED_LIMIT_BYTES:
        what = f"{name} would take {unpacked} bytes unpacked, more than {UNPACKED_LIMIT_BYTES}"
        raise Trouble(what, cure="split the table", code=CODE)


def _cells(column: Any, types: Any) -> Iterator[object]:
    for chunk in column.chunks:
        if types.is_dictionary(chunk.type):
            words = chunk.dictionary.to_pylist()
            yield from (None if index is None else words[index] for index in chunk.indices.to_pylist())
        else:
            yield from chunk.to_pylist()
