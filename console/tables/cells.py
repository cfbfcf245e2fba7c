"""What a cell of a table says: a number or an outcome. Raises Trouble (`bad_table`) with file, row and column for anything
else.
"""

from __future__ import annotations

import math

from console.tables.reading import CODE, Row, Table
from remote.errors import Trouble

TRUE_WORDS = ("true", "1", "1.0", "yes", "y", "success", "succeeded", "pass", "passed", "ok")
FALSE_WORDS = ("false", "0", "0.0", "no", "n", "failure", "failed", "fail")


def is_true(table: Table, row: Row, column: str) -> bool:
    """Whether the cell says that it succeeded."""
    cell = row.cells.get(column)
    word = str(cell).strip().lower() if isinstance(cell, (str, int, float)) else ""
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    said = "has no outcome" if cell is None or word == "" else f"has the outcome {short(cell)}"
    what = f"{table.name}, {row.place} {said} in column `{column}`"
    raise Trouble(what, cure="write true or false, yes or no, 1 or 0, success or failure", code=CODE)


def number(table: Table, row: Row, column: str) -> float:
    """The finite number in the cell."""
    found = as_number(row.cells.get(column))
    if found is None:
        what = f"{table.name}, {row.place} has {short(row.cells.get(column))} in column `{column}`, which is no number"
        raise Trouble(what, cure="correct the cell, or leave the row out", code=CODE)
    return found


def as_number(cell: object) -> float | None:
    """The finite number that a cell says; None for anything else."""
    try:
        found = float(cell) if isinstance(cell, (str, int, float)) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def short(cell: object) -> str:
    """The cell as it is quoted in an error."""
    text = repr(cell)
    return text if len(text) <= 40 else f"{text[:37]}..."
