"""Recorded pictures through two bundles: what differs in each, and the sums."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Optional

import msgspec

from remote.errors import Trouble
from remote.models.replay.comparing import Box, Difference, pairs
from remote.models.validation.bounds import percentile

if TYPE_CHECKING:
    from remote.models.replay.two import Answer

Progress = Callable[[int, int], None]
_PICTURES = ("images", "pictures")
"""Where an export of failures keeps its pictures."""


class Truths(msgspec.Struct, frozen=True, kw_only=True):
    """Against label files: known objects, and for each bundle how many it found, missed, and saw where nothing is."""

    pictures: int
    objects: int
    old_found: int
    new_found: int
    old_extra: int
    new_extra: int


class One(msgspec.Struct, frozen=True, kw_only=True):
    """A picture by its file's name and what differs in it."""

    name: str
    difference: Difference


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """Everything. `old` and `new` are digests. Shifts are the new score less the old one over the agreed boxes, None where
    there are none; times are medians in milliseconds. `most` are the pictures with the largest differences, the largest
    first, and without those that do not differ. `truths` is None where no picture has a label file. Without
    `common_labels` the bundles have no label in common, and no box can be in both.
    """

    old: str
    new: str
    old_name: str
    new_name: str
    pictures: int
    agreed: int
    only_old: int
    only_new: int
    failed_old: int
    failed_new: int
    same_pictures: int
    shift_median: Optional[float]
    shift_p95: Optional[float]
    old_ms: Optional[float]
    new_ms: Optional[float]
    truths: Optional[Truths]
    most: tuple[One, ...]
    common_labels: bool = True


def replay(
    old: Path,
    new: Path,
    pictures: Path,
    *,
    labels: Path | None = None,
    threads: int = 1,
    shown: int = 10,
    progress: Progress = lambda done, of: None,
) -> Replay:
    """Run every picture of the folder through both; an export of failures is a folder too.

    `labels` is where label files lie, by default beside the pictures. `shown` is how many pictures `most` names. A picture that
    can't be read raises Trouble, as do a bundle that can't be loaded and a broken label file.
    """
    from remote.models.replay.two import Two, difference
    from remote.models.validation.frames import read
    from remote.perception.picture_files import list_pictures

    if labels is not None and not labels.is_dir():
        what = f"labels folder {labels} {'is no folder' if labels.exists() else 'does not exist'}"
        raise Trouble(what, cure="Give the folder with a .txt file for each picture", code="boxes_missing")
    folder = next((pictures / name for name in _PICTURES if (pictures / name).is_dir()), pictures)
    files = list_pictures(folder)
    two, count, rows = Two(old, new, threads=threads), _Count(labels or folder), list[One]()
    try:
        for number, path in enumerate(files, 1):
            picture = read(path)
            answers = two.look(picture)
            rows.append(One(name=path.name, difference=difference(*answers)))
            count.add(path, answers, two.labels, picture.shape[1], picture.shape[0])
            progress(number, len(files))
    finally:
        two.close()
    if labels is not None and not count.pictures:
        what = f"folder {labels} has no label file for any picture; the first would be {files[0].stem}.txt"
        raise Trouble(what, cure="Give the folder with a .txt file for each picture", code="boxes_missing")
    common = bool(set(two.labels[0]) & set(two.labels[1]))
    return _summed(two.digests, two.names, rows, count.truths(), shown, common=common)


class _Count:
    """Counts what is right, for pictures that have a label file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.pictures = self.objects = 0
        self.found, self.extra = [0, 0], [0, 0]

    def add(
        self,
        picture: Path,
        answers: Sequence[Answer],
        labels: Sequence[tuple[str, ...]],
        width: int,
        height: int,
    ) -> None:
        file = self._folder / f"{picture.stem}.txt"
        if not file.is_file():
            return
        self.pictures += 1
        known = _known(file, names_of(*labels), width, height)
        self.objects += len(known)
        for side, answer in enumerate(answers):
            same = len(pairs(known, answer.boxes))
            self.found[side] += same
            self.extra[side] += len(answer.boxes) - same

    def truths(self) -> Truths | None:
        if not self.pictures:
            return None
        return Truths(
            pictures=self.pictures,
            objects=self.objects,
            old_found=self.found[0],
            new_found=self.found[1],
            old_extra=self.extra[0],
            new_extra=self.extra[1],
        )


def names_of(old: tuple[str, ...], new: tuple[str, ...]) -> tuple[str, ...]:
    """What the classes of label files are called: the old bundle's labels, and the new one's where it only knows more."""
    return new if new[: len(old)] == old else old


def _known(file: Path, labels: tuple[str, ...], width: int, height: int) -> list[Box]:
    from remote.models.box_files import read_boxes

    found = []
    for box in read_boxes(file, len(labels)):
        x, y, w, h = box.cx * width, box.cy * height, box.width * width, box.height * height
        found.append(Box(labels[box.label], 1.0, (x - w / 2, y - h / 2, x + w / 2, y + h / 2)))
    return found


def _summed(
    digests: Sequence[str],
    names: Sequence[str],
    rows: Sequence[One],
    truths: Truths | None,
    shown: int,
    *,
    common: bool,
) -> Replay:
    each = [row.difference for row in rows]
    shifts = [shift for one in each for shift in one.shifts]
    old_ms = [one.old_ms for one in each if one.old_ms is not None]
    new_ms = [one.new_ms for one in each if one.new_ms is not None]
    differing = sorted((row for row in rows if row.difference.size > (0, 0.0)), key=_order, reverse=True)
    return Replay(
        old=digests[0],
        new=digests[1],
        old_name=names[0],
        new_name=names[1],
        pictures=len(rows),
        agreed=sum(one.agreed for one in each),
        only_old=sum(one.only_old for one in each),
        only_new=sum(one.only_new for one in each),
        failed_old=sum(bool(one.fault_old) for one in each),
        failed_new=sum(bool(one.fault_new) for one in each),
        same_pictures=sum(one.size[0] == 0 for one in each),
        shift_median=round(median(shifts), 4) if shifts else None,
        shift_p95=round(percentile([abs(one) for one in shifts], 0.95, 0.95).value, 4) if shifts else None,
        old_ms=round(median(old_ms), 3) if old_ms else None,
        new_ms=round(median(new_ms), 3) if new_ms else None,
        truths=truths,
        most=tuple(differing[:shown]),
        common_labels=common,
    )


def _order(row: One) -> tuple[int, float]:
    return row.difference.size


def refuse_same(old: Path, new: Path) -> None:
    """Raise Trouble (code `same_bundle`) where both are one folder: a comparison with itself proves nothing."""
    if old.resolve() == new.resolve():
        raise Trouble("both bundles are the same folder", cure="name two bundles", code="same_bundle")
