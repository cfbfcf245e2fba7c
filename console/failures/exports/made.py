"""What every export says of itself, and what it can't hold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec

from console.failures.rows import FailureRow
from console.store.pictures import Pictures
from remote.errors import Trouble

PEOPLE = "It holds pictures from robots' cameras: people may be seen in them. Give it only to those who may see them."


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What was written: `missing` counts pictures that are not in it by the reason why, `folded` failures left to another one's
    picture because theirs looks alike."""

    path: str
    failures: int
    pictures: int
    boxes: int
    bytes: int
    missing: dict[str, int] = {}
    folded: int = 0

    def words(self) -> list[str]:
        """Sentences for a person."""
        boxes = f"{self.boxes:,} {'box' if self.boxes == 1 else 'boxes'}"
        said = [f"{_many(self.failures, 'failure')}, {_many(self.pictures, 'picture')}, {boxes}, {self.bytes:,} bytes"]
        said += [f"{count:,} without a picture: {why}" for why, count in sorted(self.missing.items())]
        if self.folded:
            look = "picture looks" if self.folded == 1 else "pictures look"
            said.append(f"{self.folded:,} {look} like another one, folded into it")
        return [*said, PEOPLE] if self.pictures else said


def picture_of(row: FailureRow, pictures: Pictures, missing: Counter[str]) -> Path | None:
    """The failure's own picture; where it is not here the reason is counted."""
    path = pictures.path(row.at) if row.at else None
    if path is None:
        missing[why_no_picture(row)] += 1
    return path


def why_no_picture(row: FailureRow) -> str:
    """Why the picture of a failure is not here."""
    if row.at:
        return "not on this laptop yet (`fieldgate failures pull` brings it)"
    if row.imported_from:
        return "imported from a log"
    return row.no_picture or "the robot took none"


def label_of(row: FailureRow, index: int) -> str:
    """The label of a detection: the bundle's, or its number where the bundle's labels are not known."""
    return row.names[index] if 0 <= index < len(row.names) else f"label {index}"


def refuse_existing(path: Path) -> None:
    """Raise Trouble (`exists`) where something of that name is there: an export replaces nothing."""
    if path.exists() or path.is_symlink():
        raise Trouble(f"{path} is there already", cure="give another name with -o, or remove it", code="exists")


def not_written(path: Path, error: OSError) -> Trouble:
    """The Trouble of an export that could not be written; nothing is left of it."""
    cure = "free space there, or give another place with -o"
    return Trouble(f"{path} can't be written: {error.strerror or error}", cure=cure, code="not_written")


def _many(count: int, one: str) -> str:
    return f"{count:,} {one}" if count == 1 else f"{count:,} {one}s"
