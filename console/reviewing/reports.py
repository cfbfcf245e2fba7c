"""What threads report to the failures screen's desk, within console.checking.messages.Reported."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from console.failures.around import Around
from console.failures.finding_child import Answer
from console.failures.rows import FailureRow
from console.reviewing.archive import Archive
from console.reviewing.view import Shot

OPEN, READ, LOOK = "open the book of failures", "read failures", "read the picture"
"""What a thread of the desk does; Failed says which of them was not done."""


@dataclass(frozen=True)
class Opened:
    """The book and the pictures are open."""

    archive: Archive


@dataclass(frozen=True)
class Answered:
    """The search's process answered."""

    answer: Answer
    rows: array[int]


@dataclass(frozen=True)
class Paged:
    """Rows were read."""

    rows: dict[int, FailureRow]


@dataclass(frozen=True)
class ShotRead:
    """The picture with that place among those of the row of that number."""

    number: int
    place: int
    shot: Shot


@dataclass(frozen=True)
class AroundRead:
    """What was measured around the row of that number."""

    number: int
    around: Around


@dataclass(frozen=True)
class Said:
    """Something that was asked for is done, as `text` says; the rows of these numbers are to be read again."""

    text: str
    numbers: tuple[int, ...] = ()
