"""Failures as rows of a table: one row each, columns named with their units. CSV and Parquet hold the same columns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timezone

from console.failures.exports.made import label_of
from console.failures.rows import FailureRow
from console.store.tables import Cell
from remote.protocol import STAGES

COLUMNS: tuple[str, ...] = (
    "id",
    "robot",
    "time_utc",
    "wall_ns",
    "kind",
    "text",
    "labels",
    "light",
    "temp_c",
    "phase",
    "conditions",
    "bundle",
    "source",
    "frame",
    "picture",
    "no_picture",
    "width",
    "height",
    "boxes",
    *(f"{stage}_ms" for stage in STAGES),
    "data",
    "mark",
    "notes",
    "imported_from",
)
"""`labels` are separated by commas; `conditions`, `boxes` (label, score, x1, y1, x2, y2 in pixels), `data`,
`notes` are JSON."""
NUMBERS: dict[str, str] = {
    "wall_ns": "int64",
    "light": "float64",
    "temp_c": "float64",
    "frame": "int64",
    "width": "int32",
    "height": "int32",
    **{f"{stage}_ms": "float64" for stage in STAGES},
}
"""The columns that are numbers, with their Parquet types; all others are text."""


def cells(row: FailureRow) -> Sequence[Cell]:
    """One failure as cells in the order of COLUMNS; None where something is not known."""
    return (
        row.id,
        row.robot,
        _utc(row.wall_ns),
        row.wall_ns or None,
        row.kind,
        row.text,
        ",".join(row.labels),
        row.light,
        row.temp_c,
        row.phase,
        _json(row.conditions),
        row.bundle,
        row.source,
        row.frame,
        row.at,
        row.no_picture,
        row.width or None,
        row.height or None,
        _json(_boxes(row)),
        *(row.stages_ms.get(stage) for stage in STAGES),
        _json(row.data),
        row.mark,
        _json([{"wall_ns": note.wall_ns, "person": note.person, "text": note.text} for note in row.notes]),
        row.imported_from,
    )


def _boxes(row: FailureRow) -> list[list[object]]:
    return [[label_of(row, box.label_index), box.score, box.x1, box.y1, box.x2, box.y2] for box in row.detections]


def _utc(wall_ns: int) -> str | None:
    if not wall_ns:
        return None
    try:
        when = datetime.fromtimestamp(wall_ns // 1_000_000_000, timezone.utc)
    except (OverflowError, ValueError, OSError):
        return None  # a robot's clock may say anything; wall_ns keeps what it said
    return f"{when:%Y-%m-%dT%H:%M:%S}.{wall_ns // 1_000_000 % 1000:03d}Z"


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False) if value else ""
