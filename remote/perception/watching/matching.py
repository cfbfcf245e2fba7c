"""Which of the known objects were found: greedy matching by overlap, as in the field's detection scores. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from remote.perception.watching.boxes import Corners, Known, covered, overlap
from remote.protocol import Detection

IGNORED_SHARE = 0.5


@dataclass(frozen=True)
class Matched:
    """`found` says for each known object whether a detection is it; `extra` are the detections that are none of them."""

    found: tuple[bool, ...]
    extra: tuple[Detection, ...]


def match(
    known: Sequence[Known],
    detections: Sequence[Detection],
    labels: Sequence[str],
    *,
    min_iou: float,
    ignored: Sequence[Corners] = (),
) -> Matched:
    """Pair detections with known objects of the same label, each at most once.

    First the objects with a box, the greatest overlap of at least `min_iou` first; then those that may be anywhere, with what
    is left, the highest score first. A detection that is none of them is extra, unless more than half of it lies within
    one of `ignored`.
    """
    names = [_name(one, labels) for one in detections]
    taken = _by_overlap(known, detections, names, min_iou)
    _anywhere(known, detections, names, taken)
    mine = set(taken.values())
    left = (one for index, one in enumerate(detections) if index not in mine)
    extra = tuple(one for one in left if not _is_ignored(one, ignored))
    return Matched(tuple(index in taken for index in range(len(known))), extra)


def corners(detection: Detection) -> Corners:
    """The detection's box."""
    return (detection.x1, detection.y1, detection.x2, detection.y2)


def _by_overlap(
    known: Sequence[Known], detections: Sequence[Detection], names: Sequence[str], min_iou: float
) -> dict[int, int]:
    places = [corners(one) for one in detections]
    pairs = [
        (iou, k, d)
        for k, one in enumerate(known)
        if one.box is not None
        for d, name in enumerate(names)
        if name == one.label and (iou := overlap(one.box, places[d])) >= min_iou
    ]
    taken: dict[int, int] = {}
    used: set[int] = set()
    for _, k, d in sorted(pairs, key=lambda pair: -pair[0]):
        if k not in taken and d not in used:
            taken[k] = d
            used.add(d)
    return taken


def _anywhere(
    known: Sequence[Known], detections: Sequence[Detection], names: Sequence[str], taken: dict[int, int]
) -> None:
    best_first = sorted(range(len(detections)), key=lambda d: -detections[d].score)
    free = [d for d in best_first if d not in set(taken.values())]
    for k, one in enumerate(known):
        if one.box is None and (d := next((d for d in free if names[d] == one.label), None)) is not None:
            taken[k] = d
            free.remove(d)


def _is_ignored(detection: Detection, ignored: Sequence[Corners]) -> bool:
    return any(covered(corners(detection), box) > IGNORED_SHARE for box in ignored)


def _name(detection: Detection, labels: Sequence[str]) -> str:
    return labels[detection.label_index] if 0 <= detection.label_index < len(labels) else ""
