"""What threads of the field test's desk report to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from console.checking.messages import Finished
from console.phases.states import TrialState
from console.record.entries import Outcome
from console.testing.view import Held, Trend
from remote.errors import Trouble


@dataclass(frozen=True)
class Logged:
    """A trial is on the disk, or why not."""

    outcome: Outcome
    trial: TrialState | None
    trouble: Trouble | None


@dataclass(frozen=True)
class Looked:
    """The holding conditions were looked at, or why not. `paused` says why the session is, as the look left it."""

    held: Held | None
    paused: str
    trouble: Trouble | None


@dataclass(frozen=True)
class Figures:
    """Trend and plan of a phase were worked out for `key`."""

    key: object
    trend: Trend | None
    power: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Told:
    """The field test has something to say beside its result."""

    words: str


@dataclass(frozen=True)
class Echoed:
    """Something beside a trial is on the disk, to be shown large: `UNDONE`, `trial 10`."""

    word: str
    text: str
    bells: int


@dataclass(frozen=True)
class Ended:
    """What was asked has ended."""

    event: Finished


Report = Union[Logged, Looked, Figures, Told, Echoed, Ended]
