"""Where on this laptop a campaign's checklist came from: kept beside the record, not in it, so that no path is exported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from console.checklist.pack import Checklist
from remote.atomic import write_atomically
from remote.ready_types import ready

FILE = "origin.json"


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """The files of pack and overlays, absolute; the pack's empty where it is not known."""

    pack: str = ""
    overlays: tuple[str, ...] = ()

    @classmethod
    def of(cls, pack: Path, overlays: Sequence[Path]) -> Origin:
        """The origin that these files are."""
        return cls(pack=str(pack.absolute()), overlays=tuple(str(path.absolute()) for path in overlays))

    @classmethod
    def read(cls, folder: Path) -> Origin:
        """What a campaign's folder says; nothing known where the file is missing or is not ours: only a warning hangs on it."""
        try:
            return msgspec.json.decode((folder / FILE).read_bytes(), type=ready(cls))
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return cls()

    def write(self, folder: Path) -> None:
        """Keep it in a campaign's folder. Raises OSError."""
        write_atomically(folder / FILE, msgspec.json.encode(self))

    def files(self) -> tuple[str, ...]:
        """Every file, the pack first; none where they are not known."""
        return (self.pack, *self.overlays) if self.pack else ()


def edited(origin: Origin, checklist: Checklist) -> str:
    """A sentence about the first file that no longer holds what the checklist was made of; empty where all still do."""
    for file, (name, text) in zip(origin.files(), checklist.sources, strict=False):
        changed = _changed(Path(file), text)
        if changed:
            return f"{name} was {changed} since; the record's text is in force until the campaign is revised"
    return ""


def _changed(path: Path, text: str) -> str:
    try:
        return "" if path.read_bytes() == text.encode() else "edited"
    except OSError:
        return "moved or removed"
