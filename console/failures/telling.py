"""A failure in words: as one line and in full, the same for commands and screen."""

from __future__ import annotations

import time

from console.failures.rows import FailureRow
from console.printing import in_line
from console.store.pictures import Pictures
from remote.protocol import FAILURES

MARK_SAID = {"": "", "seen": "seen", "real": "real", "false_alarm": "false alarm", "to_label": "to label"}
"""Each mark as people say it."""


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


def line_of(row: FailureRow) -> str:
    """One line: name, time, robot, kind, labels, light, conditions, mark, text."""
    labels = ",".join(row.labels) or "-"
    light = "-" if row.light is None else f"{row.light:.0f}"
    conditions = " ".join(f"{name}={word}" for name, word in sorted(row.conditions.items())) or "-"
    said = f"  [{MARK_SAID[row.mark]}]" if row.mark else ""
    words = f"{row.robot}  {row.kind.replace('_', ' ')}  {labels}  light {light}  {conditions}{said}  {row.text}"
    return in_line(f"{short_id(row.id):<14}  {when(row.wall_ns)}  {words}")


def lines_of(row: FailureRow, pictures: Pictures) -> list[str]:
    """Everything that is known, a fact a line."""
    return [
        *head_lines(row),
        *(f"note       {note.person}, {when(note.wall_ns)}: {in_line(note.text)}" for note in row.notes),
        *(f"{name:<10} {word}" for name, word in picture_lines(row, pictures)),
    ]


def head_lines(row: FailureRow) -> list[str]:
    """What it was, when, where, under which conditions."""
    clock = "" if row.imported_from else f" by the robot's clock, entry #{row.seq}"
    facts = (
        ("when", f"{when(row.wall_ns)}{clock}"),
        ("labels", ", ".join(row.labels)),
        ("conditions", ", ".join(f"{name} {word}" for name, word in sorted(row.conditions.items()))),
        ("light", "" if row.light is None else f"{row.light:.0f} of 255"),
        ("mark", MARK_SAID[row.mark]),
        ("meaning", FAILURES.get(row.kind, "")),
        *((name, str(value)) for name, value in row.data.items()),
        ("hottest", "" if row.temp_c is None else f"{row.temp_c:.1f} °C"),
        ("stages", ", ".join(f"{name} {value:.1f} ms" for name, value in row.stages_ms.items())),
        ("robot", row.robot),
        ("name", row.id),
        ("frame", "" if row.frame is None else str(row.frame)),
        ("source", row.source),
        ("bundle", row.bundle[:12]),
        ("imported", row.imported_from),
    )
    said = [f"{in_line(name):<10} {in_line(value)}" for name, value in facts if value]
    return [f"{row.kind.replace('_', ' ')}: {in_line(row.text)}", *said]


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
