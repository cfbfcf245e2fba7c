"""A failure in words: as one line and in full, the same for commands and screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from console.failures.query import FIELDS
from console.failures.rows import FailureRow
from console.printing import in_line
from console.store.pictures import Pictures
from remote.protocol import FAILURES

MARK_SAID = {"": "", "seen": "seen", "real": "real", "false_alarm": "false alarm", "to_label": "to label"}
"""Each mark as people say it."""
_WIDE = 36
"""Characters of the widest column that others are brought in line with."""


def short_id(id: str) -> str:
    """The id with only the beginning of its source, as commands take it."""
    source, _, number = id.rpartition(":")
    return f"{source[:8]}:{number}"


def when(wall_ns: int) -> str:
    """Local date and time of day; a word where a foreign log told none or a clock says nonsense."""
    if wall_ns == 0:
        return "time not known"
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall_ns // 1_000_000_000))
    except (OverflowError, ValueError, OSError):
        return "a time that no clock shows"


def utc(wall_ns: int) -> str:
    """`2026-11-20T10:00:00Z`, as a query takes it behind `time:`; words as `when` has them where there is no such time."""
    if wall_ns == 0:
        return "time not known"
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(wall_ns // 1_000_000_000))
    except (OverflowError, ValueError, OSError):
        return "a time that no clock shows"


COLUMNS = ("NAME", "TIME (UTC)", "ROBOT", "KIND", "LABELS", "LIGHT", "CONDITIONS", "TEXT")
"""What stands in `cells_of`."""


def cells_of(row: FailureRow) -> tuple[str, ...]:
    """A failure as cells of COLUMNS; what can be looked for stands as a query takes it."""
    conditions = " ".join(_condition(name, word) for name, word in sorted(row.conditions.items()))
    mark = f"[marked:{row.mark}] " if row.mark else ""
    cells = (
        short_id(row.id),
        utc(row.wall_ns),
        row.robot,
        row.kind,
        f"label:{','.join(row.labels) or 'none'}",
        "no light told" if row.light is None else f"light:{row.light:.0f}",
        conditions or "no conditions",
        f"{mark}{row.text}",
    )
    return tuple(in_line(cell) for cell in cells)


def table_of(rows: Sequence[FailureRow], *, header: bool) -> Iterator[str]:
    """A line for each failure, its columns below each other as far as they are not too wide; `header` names them first."""
    lines = [cells_of(row) for row in rows]
    named = [COLUMNS, *lines] if header else lines
    widths = [min(_WIDE, max((len(line[at]) for line in named), default=0)) for at in range(len(COLUMNS) - 1)]
    for line in named:
        yield "  ".join((*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[-1])).rstrip()


def lines_of(row: FailureRow, pictures: Pictures) -> list[str]:
    """Everything that is known, a fact a line; times are UTC."""
    return [
        *head_lines(row, stamp=utc),
        *(f"note       {note.person}, {utc(note.wall_ns)}: {in_line(note.text)}" for note in row.notes),
        *(f"{name:<10} {word}" for name, word in picture_lines(row, pictures)),
    ]


def head_lines(row: FailureRow, *, stamp: Callable[[int], str] = when) -> list[str]:
    """What it was, when, where, under which conditions."""
    said = [f"{in_line(name):<10} {in_line(value)}" for name, value in facts_of(row, stamp=stamp)]
    return [title_of(row), *said]


def title_of(row: FailureRow) -> str:
    """Its kind and text."""
    return f"{row.kind.replace('_', ' ')}: {in_line(row.text)}"


def facts_of(row: FailureRow, *, stamp: Callable[[int], str] = when) -> list[tuple[str, str]]:
    """(name, value) of everything that is known of it but its text, values with their units."""
    clock = "" if row.imported_from else f" by the robot's clock, entry #{row.seq}"
    facts = (
        ("when", f"{stamp(row.wall_ns)}{clock}"),
        ("labels", ", ".join(row.labels)),
        ("conditions", ", ".join(f"{name} {word}" for name, word in sorted(row.conditions.items()))),
        ("light", "" if row.light is None else f"{row.light:.0f} of 255"),
        ("mark", MARK_SAID[row.mark]),
        ("meaning", FAILURES.get(row.kind, "")),
        *(_datum(name, value) for name, value in row.data.items()),
        ("hottest", "" if row.temp_c is None else f"{row.temp_c:.1f} °C"),
        ("stages", ", ".join(f"{name.replace('_', ' ')} {value:.1f} ms" for name, value in row.stages_ms.items())),
        ("robot", row.robot),
        ("name", row.id),
        ("frame", "" if row.frame is None else str(row.frame)),
        ("source", row.source),
        ("bundle", row.bundle[:12]),
        ("imported", row.imported_from),
    )
    return [(name, value) for name, value in facts if value]


def _datum(name: str, value: object) -> tuple[str, str]:
    """What the robot told beside the text: name and value in words, with the unit that the name ends with."""
    if name == "box":
        corners = str(value).split(",")
        said = f"{','.join(corners[:2])} to {','.join(corners[2:])}" if len(corners) == 4 else str(value)
        return name, f"{said} px"
    if name.endswith("_ms"):
        return name[:-3].replace("_", " "), f"{value} ms"
    return name.replace("_", " "), str(value)


def picture_lines(row: FailureRow, pictures: Pictures) -> list[tuple[str, str]]:
    """(before, at, after or clip; where the picture is or why it is not here) of each picture that there should be."""
    named = [("at", row.at), ("before", row.before), ("after", row.after)]
    lines = [(name, picture_word(digest, pictures)) for name, digest in named if digest]
    if row.no_picture:
        lines.append(("missing", row.no_picture))
    if not row.pictures and not row.no_picture:
        lines.append(
            (
                "picture",
                "never taken: there was no frame at that moment" if not row.imported_from else "none in that log",
            )
        )
    return lines


def picture_word(digest: str, pictures: Pictures, *, link_up: bool | None = None) -> str:
    """Where the picture is, or why it is not here. `link_up`: None where nobody knows."""
    path = pictures.path(digest)
    if path is not None:
        return str(path)
    gone = pictures.missing.why(digest)
    if gone is not None:
        return gone
    if link_up is None:
        return f"not pulled yet ({digest[:12]}): `fieldgate failures pull ROBOT` brings it"
    return "not pulled yet: it comes when its turn is there" if link_up else "not pulled yet: the link is down"


def _condition(name: str, word: str) -> str:
    """As a query takes it; with = where `name:` means something else there (`place:WORD` finds it)."""
    between = "=" if name in FIELDS and name != "place" else ":"
    return f'{name}{between}"{word}"' if any(one.isspace() for one in word) else f"{name}{between}{word}"
