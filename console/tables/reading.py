"""Tables of results as rows of cells: CSV, JSON (list or lines), Parquet, HDF5 and MCAP; refused where a part can't be trusted.

Formats that native code reads are read in a process of their own: a damaged file can end the whole process there.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any, Literal, NamedTuple

from console.tables.held import Held
from remote.errors import Trouble

CODE = "bad_table"
LIMIT_BYTES = 32 * 1024 * 1024
ROW_LIMIT = 1_000_000
UNPACKED_LIMIT_BYTES = 256 * 1024 * 1024
"""What the columns that are read may take unpacked: a small Parquet file can stand for a very large one."""
CHILD_S = 60.0
EVERY = ("*",)
"""As `useful`: every column that is there."""
Format = Literal["auto", "csv", "json", "parquet", "hdf5", "mcap"]
_ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".mcap": "mcap",
}
_NAMES: dict[Format, str] = {"parquet": "Parquet", "hdf5": "HDF5", "mcap": "MCAP"}
_AGAIN = "write the file again from where it came"


class Row(NamedTuple):
    """One row: where it stands (`line 7`, `record 6`) and its cells by column."""

    place: str
    cells: Mapping[str, object]


class Table(NamedTuple):
    """A whole table. `name` is what errors call it. `warnings` say what a recording that was cut short has lost."""

    name: str
    columns: tuple[str, ...]
    rows: list[Row]
    warnings: tuple[str, ...] = ()


def read_table(
    file: Held, format: Format = "auto", *, needed: Iterable[str] = (), useful: Iterable[str] = EVERY, part: str = ""
) -> Table:
    """Every row of the file, with at least the columns `needed`, and `useful` where they are there.

    `part` is the topic of an MCAP recording or the group of an HDF5 file, where there are several.

    Raises Trouble (`bad_table`) with file, line or record, and column: unknown format, cut short, damaged, a row with too
    few or too many cells, a name given twice, a missing column, no rows, too many.
    """
    kind = _format(file, format)
    wanted = (*needed, *useful)
    if kind in _NAMES:
        table = _native(file, kind, wanted, part)
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
        cure = f"name it {', '.join(_ENDINGS)}; a checklist can say it with the parameter `format`"
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


# ---------------------------------------------------------------- formats that native code reads


def _native(file: Held, kind: Format, wanted: tuple[str, ...], part: str) -> Table:
    found = _from_child(file, kind, wanted, part)
    if "error" in found:
        raise Trouble(f"{file.given} {found['error']}", cure=found.get("cure") or _AGAIN, code=CODE)
    read: list[str] = found["read"]
    cells = [[None if at is None else one["words"][at] for at in one["at"]] for one in found["cells"]]
    rows = [
        Row(f"row {number}", dict(zip(read, row, strict=True)))
        for number, row in enumerate(zip(*cells, strict=True), 1)
    ]
    return Table(file.given, tuple(found["columns"]), rows, tuple(found.get("warnings", ())))


def _from_child(file: Held, kind: Format, wanted: tuple[str, ...], part: str) -> dict[str, Any]:
    limits = (str(ROW_LIMIT), str(UNPACKED_LIMIT_BYTES))
    parts = () if kind == "parquet" else (part,)
    command = (sys.executable, "-m", f"console.tables.{kind}_child", *limits, *parts, *wanted)
    root = Path(__file__).resolve().parents[2]  # the folder that this very `console` is in
    try:
        done = subprocess.run(command, input=file.data, capture_output=True, timeout=CHILD_S, cwd=root, check=False)
    except subprocess.TimeoutExpired as error:
        raise Trouble(f"{file.given} was not read within {CHILD_S:.0f} s", cure=_AGAIN, code=CODE) from error
    if ended := _bad_end(done.returncode, done.stderr):
        raise Trouble(f"{file.given} can't be read as {_NAMES[kind]}: {ended}", cure=_AGAIN, code=CODE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _bad_end(code: int, errors: bytes) -> str:
    """Why the reader ended without an answer; empty where it ended well."""
    if code < 0:
        return f"its reader died of signal {-code}"
    said = errors.decode("utf-8", "replace").strip().splitlines()
    return (said or ["no reason"])[-1][:200] if code > 0 else ""
