"""A run of `fieldgate check` as a table of 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from console.campaigns.checked import CheckedItem, CheckReport
from console.marks import Charset, to_ascii
from console.report.junit import clean

WIDTH = 80
_ID = 22
_INDENT = " " * 4


def report_text(report: CheckReport, charset: Charset, width: int = WIDTH) -> str:
    """The whole table: an item's mark, name, value, limit and n on one line, and below it why it is no plain pass."""
    lines = [
        _head(report),
        "",
        *(line for item in report.items for line in _item(item, charset, width)),
        "",
        _foot(report),
    ]
    text = "\n".join(_cut(clean(line), width) for line in lines) + "\n"
    return "".join(char if char == "\n" else to_ascii(char) for char in text) if charset.ascii else text


def _head(report: CheckReport) -> str:
    about = f"campaign {report.campaign}" if report.campaign else f"pack {report.pack}, not recorded"
    return f"{report.robot}  {about}, bundle {report.bundle[:8] or 'none'}, revision {report.revision[:8]}"


def _item(item: CheckedItem, charset: Charset, width: int) -> Iterator[str]:
    mark = f"{charset.glyph(item.state)} {item.id:<{_ID}}"
    if item.outcome == "skipped":
        yield f"{mark} {item.state if item.state in ('overridden', 'deferred', 'n/a') else 'skipped'}"
    elif item.metric is None:
        yield f"{mark} {item.state}"
    else:
        n = f"n {item.n}" if item.n is not None else ""
        yield f"{mark} {_measured(item):<16} {_limit(item):<18} {n:<8} {item.state}"
    if item.outcome != "pass" or item.state == "marginal" or item.metric is None:
        yield from _wrapped(item.why, width)
    if item.outcome in ("fail", "undecided") and item.cure:
        yield from _wrapped(f"-> {item.cure}", width)


def _measured(item: CheckedItem) -> str:
    return "-" if item.value is None else item.measured.partition(" (n ")[0]


def _limit(item: CheckedItem) -> str:
    return item.limit.partition(",")[0]


def _foot(report: CheckReport) -> str:
    counts = report.counts
    return (
        f"{counts['pass']} passed, {counts['fail']} failed, {counts['undecided']} undecided, "
        f"{counts['skipped']} skipped; exit {report.exit}"
    )


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(" ".join(clean(text).split()), width, initial_indent=_INDENT, subsequent_indent=_INDENT)


def _cut(line: str, width: int) -> str:
    line = line.rstrip()
    return line if len(line) <= width else f"{line[: width - 1]}…"
