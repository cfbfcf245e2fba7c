"""What threads report to the models screen's desk, within console.checking.messages.Reported."""

from __future__ import annotations

from dataclasses import dataclass

from remote.model_states import ModelsState, StoredBundle
from remote.verdicts import ValidationReport


@dataclass(frozen=True)
class Listed:
    """What lies on the attached robot."""

    stored: tuple[StoredBundle, ...]


@dataclass(frozen=True)
class Others:
    """What is known of each robot of this laptop: name, state (None: nothing), and since when, by this laptop's clock."""

    known: tuple[tuple[str, ModelsState | None, int], ...]


@dataclass(frozen=True)
class Sending:
    """How far something is that goes on here."""

    text: str


@dataclass(frozen=True)
class Validated:
    """The validation suite has ended."""

    report: ValidationReport


@dataclass(frozen=True)
class Said:
    """Something that was asked for is done, as `text` says."""

    text: str
