"""What the failures' widgets are handed: what was found, the pages that are here, and how it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from console.failures.around import Around
from console.failures.groups import Group
from console.failures.rows import FailureRow
from console.failures.searching import Found
from console.marks import Charset


@dataclass(frozen=True)
class ReviewView:
    """One repaint's input.

    `rows`: pages that were read, by row number. `total`: failures in the book, None before it was opened.
    `by`: what is grouped by, empty in the list. `busy`: what goes on. `pulling`: of pictures, in words.
    """

    charset: Charset
    found: Found = field(default_factory=Found)
    rows: Mapping[int, FailureRow] = field(default_factory=dict)
    total: int | None = None
    line: str = ""
    by: str = ""
    groups: tuple[Group, ...] = ()
    busy: str = ""
    pulling: str = ""


@dataclass(frozen=True)
class Shot:
    """The picture beside a failure: what it is, and where it is not here, why. `image` is PIL's."""

    caption: str
    image: Any = None
    why: str = ""


@dataclass(frozen=True)
class DetailView:
    """One failure in full. `shot`: None while it is being read. `around`: None where it was not asked for."""

    charset: Charset
    row: FailureRow
    shot: Shot | None = None
    around: Around | None = None
