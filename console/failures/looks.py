"""The looks of pictures by digest, kept so that no picture is decoded twice."""

from __future__ import annotations

from pathlib import Path

from console.failures.near_duplicates import Look, look_at
from console.store.pictures import Pictures

_DIGEST, _BITS, _BLOCKS = 32, 8, 64
_RECORD = _DIGEST + _BITS + _BLOCKS
FORMAT = b"fgl1"


class Looks:
    """Looks of the pictures on this laptop. `folder`: where they are kept; None keeps nothing. `save` writes what is new."""

    def __init__(self, pictures: Pictures, folder: Path | None = None) -> None:
        self._pictures = pictures
        self._file = folder / "picture-looks" if folder else None
        self._known: dict[str, Look | None] = {}
        self._fresh: list[bytes] = []
        if self._file:
            self._load(self._file)

    def of(self, digest: str) -> Look | None:
        """The look of the picture of that digest; None where it is not here or can't be decoded."""
        if digest not in self._known:
            path = self._pictures.path(digest)
            look = look_at(path) if path else None
            self._known[digest] = look
            if look:
                self._fresh.append(bytes.fromhex(digest) + look.bits.to_bytes(_BITS, "big") + look.blocks)
        return self._known[digest]

    def save(self) -> None:
        """Append what is new. Where that can't be written the next time takes longer, nothing else."""
        if not self._file or not self._fresh:
            return
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._file.open("ab") as file:
                if not file.tell():
                    file.write(FORMAT)
                file.write(b"".join(self._fresh))
        except OSError:
            return
        self._fresh = []

    def _load(self, file: Path) -> None:
        try:
            data = file.read_bytes()
        except OSError:
            return
        whole = (len(data) - len(FORMAT)) // _RECORD * _RECORD + len(FORMAT)
        if not data.startswith(FORMAT) or whole != len(data):  # torn by a power cut: made anew
            file.unlink(missing_ok=True)
            return
        for at in range(len(FORMAT), whole, _RECORD):
            digest, rest = data[at : at + _DIGEST].hex(), data[at + _DIGEST : at + _RECORD]
            self._known[digest] = Look(int.from_bytes(rest[:_BITS], "big"), rest[_BITS:])
