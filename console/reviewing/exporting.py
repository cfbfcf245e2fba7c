"""Writing what is listed: for labelling, as tables, or as a recording."""

from __future__ import annotations

import time
from pathlib import Path

from console.failures.exports.made import Exported
from console.failures.searching import Found
from console.reviewing.archive import Archive
from remote.protocol import Choice

_WHAT = {
    "coco": ("failures-{}", "pictures and boxes as COCO: CVAT, Label Studio, FiftyOne"),
    "csv": ("failures-{}.csv", "a table that a spreadsheet opens"),
    "parquet": ("failures-{}.parquet", "the same table, small and typed"),
    "mcap": ("failures-{}.mcap", "a recording that Foxglove opens"),
}


def choices(now_s: float | None = None) -> tuple[Choice, ...]:
    """What can be written, with the name of the file or folder."""
    return tuple(Choice(what, f"{_named(what, now_s)}  {text}") for what, (_, text) in _WHAT.items())


def export_as(archive: Archive, found: Found, what: str, folder: Path, now_s: float | None = None) -> Exported:
    """Write all that was found into `folder`, oldest first. Blocks. Raises Trouble: `exists`, `not_written`."""
    from console.failures.oldest_first import oldest_first

    target, rows = folder / _named(what, now_s), oldest_first(archive.book, found)
    if what == "coco":
        from console.failures.exports.coco import export_coco

        return export_coco(rows, archive.pictures, target)
    if what == "mcap":
        from console.failures.exports.recording import export_mcap

        return export_mcap(rows, archive.pictures, target)
    if what == "parquet":
        from console.failures.exports.parquet import export_parquet

        return export_parquet(rows, target)
    from console.failures.exports.csv_table import export_csv

    return export_csv(rows, target)


def _named(what: str, now_s: float | None) -> str:
    return _WHAT[what][0].format(time.strftime("%Y%m%d-%H%M%S", time.localtime(now_s)))
