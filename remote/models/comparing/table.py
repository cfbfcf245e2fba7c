"""A comparison as text for people."""

from __future__ import annotations

from collections.abc import Iterable

from remote.models.comparing.compare import Accuracy, Comparison, Row
from remote.models.comparing.parity import decibels

_HEAD = (
    "bundle",
    "size",
    "packed",
    "zeros",
    "parity",
    "boxes again",
    "AP@[.50:.95]",
    "AP50",
    "change",
    "time",
    "verdict",
)


def comparison_text(found: Comparison) -> str:
    """The table, then each bundle's checks."""
    rows = [_HEAD, *(_cells(row) for row in found.rows)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.append(f"rests on {found.rested_on}; each is compared with the first")
    timed = [row.latency for row in found.rows if row.latency is not None]
    if timed:
        engines = ", ".join(sorted({one.engine for one in timed}))
        lines.append(f"time: the engine alone on this machine, runs in turns, {timed[0].n} each; {engines}")
    else:
        lines.append("time: not measured")
    for row in found.rows[1:]:
        lines += [f"{row.name}: {row.verdict}", *checks_text(row)]
    return "\n".join(lines)


def checks_text(row: Row) -> Iterable[str]:
    """One line for each check."""
    return [f"  {check.verdict:<13}{check.name}: {check.text}" for check in row.checks]


def _cells(row: Row) -> tuple[str, ...]:
    accuracy, latency = row.accuracy, row.latency
    points = _points(accuracy) if accuracy and row.checks else "-"
    return (
        row.name,
        f"{row.size.model_bytes / 1e6:.3f} MB",
        f"{row.size.packed_bytes / 1e6:.3f} MB",
        f"{row.size.zero_share:.0%}",
        decibels(row.parity) if row.parity else "-",
        f"{row.agreement.value:.1%}" if row.agreement else "-",
        f"{accuracy.map:.4f}" if accuracy else "-",
        f"{accuracy.ap50:.4f}" if accuracy else "-",
        points,
        f"{latency.p50_ms:.2f} ms, x{latency.ratio:.2f} [{latency.ratio_low:.2f}, {latency.ratio_high:.2f}]"
        if latency
        else "-",
        row.verdict if row.checks else "(first)",
    )


def _points(accuracy: Accuracy) -> str:
    change = accuracy.change
    return f"{change.value * 100:+.2f} [{change.low * 100:+.2f}, {change.high * 100:+.2f}]"
