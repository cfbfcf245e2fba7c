"""The probe `success_table`: successes and trials of a table of results. Reading the formats is in tables.py."""

from __future__ import annotations

from typing import Annotated

import msgspec

from console.checklist.probes import Finding, Sight
from console.fieldtest.criteria import Rate
from console.tables.cells import as_number, is_true, short
from console.tables.held import hold
from console.tables.reading import CODE, LIMIT_BYTES, Format, Row, Table, read_table
from remote.errors import Trouble
from remote.protocol import Scalar

BUNDLE_COLUMN = "bundle"
_PREFIX = 8
"""A bundle may be written as so many first characters of its digest, or more."""

Column = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class TableParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`file` is the table: CSV with a header, JSON (a list of records, or a record a line) or Parquet.

    success: the column with the outcome: true, yes, 1, success, pass or false, no, 0, failure, fail.
    only: column: value; other rows are left out.
    bundle_column: the column with the bundle's digest (8 characters and more of it), which must be the campaign's in each
        row. Empty: the column `bundle`, where there is one.
    format: `auto` goes by the name's end (.csv, .tsv, .json, .jsonl, .ndjson, .parquet).
    keep: the file is kept with the record (up to 16 MiB).
    """

    file: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    success: Column = "success"
    only: dict[str, Scalar] = {}
    bundle_column: str = ""
    format: Format = "auto"
    keep: bool = True


def look_at_results(sight: Sight, parameters: TableParameters) -> Finding:
    """A Rate of the chosen rows. Raises Trouble, naming file, row and column, for a table that can't be trusted whole."""
    file = hold(sight.files, parameters.file, code=CODE, what="table", limit_bytes=LIMIT_BYTES)
    bundle_column = parameters.bundle_column or BUNDLE_COLUMN
    needed = (parameters.success, *parameters.only, *((parameters.bundle_column,) if parameters.bundle_column else ()))
    table = read_table(file, parameters.format, needed=needed, useful=(bundle_column,))
    chosen = [row for row in table.rows if _chosen(row, parameters.only)]
    if not chosen:
        said = f"{file.given} has no row" + "".join(
            f" with {name} = {value}" for name, value in parameters.only.items()
        )
        raise Trouble(said, cure="correct the table, or the parameter `only`", code=CODE)
    checked = _check_bundle(table, chosen, bundle_column, sight.bundle)
    successes = sum(is_true(table, row, parameters.success) for row in chosen)
    details: dict[str, Scalar] = {
        "rows": len(table.rows),
        "trials": len(chosen),
        "successes": successes,
        "failures": len(chosen) - successes,
        "bundle_checked": checked,
    }
    return Finding(
        measurement=Rate(successes, len(chosen)),
        fingerprints=file.fingerprints,
        details=details,
        files=file.to_keep(parameters.keep),
    )


def _chosen(row: Row, only: dict[str, Scalar]) -> bool:
    return all(_same(row.cells.get(name), value) for name, value in only.items())


def _same(cell: object, wanted: Scalar) -> bool:
    """Whether a cell says what is wanted: text cells of a CSV are compared with numbers as numbers."""
    if cell is None or wanted is None:
        return cell is wanted or (wanted is None and cell == "")
    if isinstance(wanted, bool) or isinstance(cell, bool):
        return str(cell).strip().lower() == str(wanted).lower()
    if isinstance(wanted, (int, float)):
        number = as_number(cell)
        return number is not None and number == wanted
    return str(cell).strip() == wanted


def _check_bundle(table: Table, rows: list[Row], column: str, bundle: str) -> bool:
    """Whether the rows say their bundle. One of another bundle is refused: its successes are not this bundle's."""
    if not bundle or column not in table.columns:
        return False
    for row in rows:
        cell = row.cells.get(column)
        said = cell.strip().lower() if isinstance(cell, str) else ""
        if len(said) < _PREFIX or not bundle.startswith(said):
            what = f"{table.name}, {row.place} is of the bundle {short(cell)}, the campaign's is {bundle[:_PREFIX]}"
            cure = "choose its rows with the parameter `only`, or run the trials with this bundle"
            raise Trouble(what, cure=cure, code=CODE)
    return True
