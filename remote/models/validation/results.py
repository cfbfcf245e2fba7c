"""Success of trials in simulation or with hardware in the loop, from a table of results (CSV). Other formats: the laptop
reads them.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from remote.errors import Trouble
from remote.models.validation.bounds import rate_lower, rate_upper
from remote.models.validation.profiles import CONFIDENCE
from remote.strict_yaml import read_text
from remote.verdicts import Check

CODE = "bad_table"
LIMIT_BYTES = 16 * 1024 * 1024
_TRUE = frozenset({"true", "yes", "1", "success", "pass"})
_FALSE = frozenset({"false", "no", "0", "failure", "fail"})
_PREFIX = 8


def no_table(name: str, limit_percent: float) -> Check:
    """The check where no table was given; its limit is said all the same."""
    text = f"no table of results was given; it would have to exceed {limit_percent:g} %"
    return Check(name=name, verdict="skipped", text=text, limit=limit_percent, unit="%")


def judged_rate(name: str, successes: int, n: int, limit_percent: float) -> Check:
    """Passed where the true rate exceeds the limit with 95 % confidence, failed where it lies below, else inconclusive."""
    lower, upper = 100 * rate_lower(successes, n, CONFIDENCE), 100 * rate_upper(successes, n, CONFIDENCE)
    text = f"{successes} of {n} succeeded, with 95 % confidence more than {lower:.1f} %, limit {limit_percent:g} %"
    verdict = "pass" if lower > limit_percent else "fail" if upper < limit_percent else "inconclusive"
    if verdict == "inconclusive":
        text += "; more trials decide"
    return Check(
        name=name,
        verdict=verdict,  # type: ignore[arg-type]
        text=text,
        value=round(100 * successes / n, 4),
        bound=round(lower, 4),
        limit=limit_percent,
        unit="%",
        n=n,
    )


def count(path: Path, digest: str) -> tuple[int, int]:
    """(successes, trials) of a CSV with a column `success`; where there is a column `bundle`, each row must be of `digest`.

    Raises Trouble (code `bad_table`), naming file and row, for a table that can't be trusted whole.
    """
    if path.suffix.lower() not in (".csv", ".tsv"):
        cure = "give a CSV here, or use `fieldgate model validate` on the laptop, which reads JSON and Parquet too"
        raise Trouble(f"{path} is no CSV", cure=cure, code=CODE)
    text = read_text(path, what="table", code=CODE, limit_bytes=LIMIT_BYTES)
    try:
        reader = csv.DictReader(
            io.StringIO(text), delimiter="\t" if path.suffix.lower() == ".tsv" else ",", strict=True
        )
        rows = list(reader)
    except csv.Error as error:
        raise Trouble(f"{path} is no CSV: {error}", cure="export it again", code=CODE) from error
    if "success" not in (reader.fieldnames or ()) or not rows:
        raise Trouble(f"{path} has no column `success` or no row", cure="give a row for each trial", code=CODE)
    return sum(_succeeded(row, f"{path}, row {number}", digest) for number, row in enumerate(rows, 2)), len(rows)


def _succeeded(row: dict[str, str | None], where: str, digest: str) -> bool:
    said = row.get("bundle")
    if said is not None and (len(said.strip()) < _PREFIX or not digest.startswith(said.strip().lower())):
        cure = "give the results of this bundle alone"
        raise Trouble(f"{where} is of the bundle {said[:16]!r}, not of {digest[:12]}", cure=cure, code=CODE)
    word = (row.get("success") or "").strip().lower()
    if word not in _TRUE | _FALSE:
        raise Trouble(f"{where}: {word[:40]!r} is no outcome", cure="write true or false", code=CODE)
    return word in _TRUE
