"""audit.jsonl: who did what to a repository, when, with which digests; each line names the digest of the one before.

It lies beside the repository's metadata and, line for line of what was done here, in the laptop's own folder. Neither can be
shortened or changed without the other saying so. A line is written before what it tells becomes visible: nothing is
published that no line tells of, and the last line may tell of a step that was cut off.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from remote.atomic import sync
from remote.errors import Trouble

FIRST_PREV = "0" * 64
LIMIT_BYTES = 64 * 1024 * 1024
LINE_LIMIT_BYTES = 1024 * 1024
CODE = "audit_damaged"

Act = Literal["init", "release", "signed", "refresh", "rotate", "wave", "stop", "discard", "copy", "enrol"]
Text = Annotated[str, msgspec.Meta(max_length=8000)]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One act. `versions` and `digests` are those of the metadata by role after it; `release` is the number it is about.

    `id` names the act in both files. `wall_ns` is the laptop's clock.
    """

    id: str
    seq: Annotated[int, msgspec.Meta(ge=1)]
    prev: str
    wall_ns: int
    person: Text
    act: Act
    text: Text
    release: int | None = None
    bundle: str = ""
    versions: dict[str, int] = {}
    digests: dict[str, str] = {}


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(Line)


class Audit:
    """One such file; it need not exist.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> tuple[Line, ...]:
        """Every line, its chain checked. A last line without its end was cut off by a power cut and is left out.

        Raises Trouble `audit_damaged`, naming the line where the chain breaks.
        """
        found: list[Line] = []
        prev = FIRST_PREV
        for number, data in enumerate(self._whole_lines(), 1):
            line = self._decoded(data, number)
            if line.seq != number or line.prev != prev:
                raise self._damaged(number, "does not follow the one before it")
            found.append(line)
            prev = hashlib.sha256(data).hexdigest()
        return tuple(found)

    def append(self, line: Line) -> Line:
        """Add a line (its `seq` and `prev` are set here) durably; the line as it stands. Raises Trouble."""
        known = self.lines()
        whole = b"".join(data + b"\n" for data in self._whole_lines())
        last = self._whole_lines()[-1:]
        prev = hashlib.sha256(last[0]).hexdigest() if last else FIRST_PREV
        line = msgspec.structs.replace(line, seq=len(known) + 1, prev=prev)
        try:
            self._write(len(whole), _encoder.encode(line) + b"\n")
        except OSError as error:
            cure = "free some space or correct the folder's permissions; nothing was done"
            raise Trouble(f"{self.path} can't be written: {error.strerror}", cure=cure, code="audit_full") from error
        return line

    def _write(self, at: int, data: bytes) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            file.truncate(at)  # the rest of a line that a power cut left
            file.seek(at)
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
            os.fsync(file.fileno())
        sync(self.path.parent)

    def _whole_lines(self) -> list[bytes]:
        try:
            with self.path.open("rb") as file:
                data = file.read(LIMIT_BYTES + 1)
        except FileNotFoundError:
            return []
        except OSError as error:
            cure = "correct its permissions"
            raise Trouble(f"{self.path} can't be read: {error.strerror}", cure=cure, code=CODE) from error
        if len(data) > LIMIT_BYTES:
            raise Trouble(f"{self.path} is longer than {LIMIT_BYTES} bytes", cure=_CURE, code=CODE)
        return data.split(b"\n")[:-1]

    def _decoded(self, data: bytes, number: int) -> Line:
        if len(data) > LINE_LIMIT_BYTES:
            raise self._damaged(number, "is too long")
        try:
            return _decoder.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._damaged(number, f"can't be read: {error}") from error

    def _damaged(self, number: int, why: str) -> Trouble:
        return Trouble(f"{self.path}, line {number} {why}", cure=_CURE, code=CODE)


_CURE = "somebody or something changed it: compare it with a copy of the repository before you publish anything"


def highest_versions(lines: Iterable[Line]) -> dict[str, int]:
    """The highest version of each role that was ever made; numbers go on above them."""
    found: dict[str, int] = {}
    for line in lines:
        for role, version in line.versions.items():
            found[role] = max(found.get(role, 0), version)
    return found


def highest_release(lines: Iterable[Line]) -> int:
    """The highest number that a release was ever given; 0 for none."""
    return max((line.release or 0 for line in lines if line.act in ("release", "discard", "signed")), default=0)


def missing_from(here: Iterable[Line], there: Iterable[Line]) -> tuple[Line, ...]:
    """The lines of `here` that `there` does not tell in the same words (number and link aside)."""
    known = {_words(line) for line in there}
    return tuple(line for line in here if _words(line) not in known)


def _words(line: Line) -> bytes:
    return _encoder.encode(msgspec.structs.replace(line, seq=1, prev=""))
