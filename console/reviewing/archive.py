"""What the desk reads from disk: the book, the store, the pictures. Every method blocks: call them in a thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from console.failures.around import Around, around
from console.failures.book import FailureBook
from console.failures.rows import FailureRow
from console.failures.telling import picture_word
from console.reviewing.view import Shot
from console.store.pictures import Pictures
from console.store.store import Store
from remote.errors import Trouble
from remote.protocol import Picture

WIDEST_PX = 960
"""A terminal shows no more of a picture."""


class Archive:
    """Open files of this laptop. `folder`: None takes the places of console.places."""

    def __init__(self, folder: Path | None = None) -> None:
        self.book = FailureBook(folder)
        self.store = Store(folder / "store.db" if folder else None)
        self.pictures = Pictures(folder / "pictures" if folder else None)

    def close(self) -> None:
        """Close them."""
        self.book.close()
        self.store.close()

    def rows(self, numbers: Sequence[int]) -> dict[int, FailureRow]:
        """The rows of these numbers by number; only those that are there."""
        return self.book.numbered(numbers)

    def shot(self, row: FailureRow, place: int, *, link_up: bool) -> Shot:
        """The picture at that place among `shots_of(row)`, with its boxes; or why it is not here."""
        shots = shots_of(row)
        if not shots:
            why = "a foreign log: it brings no pictures" if row.imported_from else row.no_picture
            return Shot("picture", why=why or "never taken: there was no frame at that moment")
        name, digest = shots[place]
        caption = f"{name}, {place + 1} of {len(shots)}" if len(shots) > 1 else name
        path = self.pictures.path(digest)
        if path is None:
            return Shot(caption, why=picture_word(digest, self.pictures, link_up=link_up))
        try:
            return Shot(f"{caption}{_boxes(row, digest)}", _image(path, row, digest))
        except (Trouble, OSError) as error:
            said = error.what if isinstance(error, Trouble) else str(error)
            return Shot(caption, why=said)

    def around(self, row: FailureRow) -> Around:
        """What was measured around it."""
        return around(self.store, row)


def shots_of(row: FailureRow) -> list[tuple[str, str]]:
    """(what it is, digest) of every picture in the order of time."""
    if row.clip:
        return [(_offset(one.offset_ms, one.picture == row.at), one.picture) for one in row.clip]
    named = (("before", row.before), ("at the failure", row.at), ("after", row.after))
    return [(name, digest) for name, digest in named if digest]


def place_at(row: FailureRow) -> int:
    """The place of the failure's own picture among `shots_of(row)`; 0 where there is none."""
    return next((n for n, (_, digest) in enumerate(shots_of(row)) if digest == row.at), 0)


def _offset(offset_ms: float, own: bool) -> str:
    return "at the failure" if own or offset_ms == 0 else f"{offset_ms / 1000:+.1f} s"


def _boxes(row: FailureRow, digest: str) -> str:
    if digest != row.at or not row.detections:
        return ""
    scores = " ".join(f"{_label(row, box.label_index)} {box.score:.2f}" for box in row.detections[:6])
    return f" - {scores}{' ...' if len(row.detections) > 6 else ''}"


def _label(row: FailureRow, index: int) -> str:
    return row.names[index] if 0 <= index < len(row.names) else f"label {index}"


def _image(path: Path, row: FailureRow, digest: str) -> object:
    from console.widgets.camera_picture import CameraPicture

    boxes = row.detections if digest == row.at else ()
    picture = Picture(jpeg=path.read_bytes(), digest=digest, width=row.width, height=row.height, detections=boxes)
    image = CameraPicture.decoded(picture, row.names)
    image.thumbnail((WIDEST_PX, WIDEST_PX))
    return image
