"""Which box of a frame is the same object as one of the frame before: by overlap alone, for objects that move slowly. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from remote.perception.watching.boxes import Corners, overlap

SAME_OBJECT_IOU = 0.3
FORGOTTEN_AFTER_S = 1.0


class Tracks:
    """Numbers objects. One that shows no box for `FORGOTTEN_AFTER_S` is forgotten; what comes later is another object."""

    def __init__(self, same_object_iou: float = SAME_OBJECT_IOU) -> None:
        self._least = same_object_iou
        self._next = 0
        self._last: dict[int, tuple[Corners, str, float]] = {}

    def follow(self, boxes: Sequence[Corners], now_s: float, kinds: Sequence[str] = ()) -> tuple[int, ...]:
        """The object's number for each box, greatest overlap first. With `kinds` only boxes of one kind can be the same."""
        words = list(kinds) or [""] * len(boxes)
        self._last = {n: last for n, last in self._last.items() if now_s - last[2] <= FORGOTTEN_AFTER_S}
        pairs = [
            (iou, index, number)
            for index, box in enumerate(boxes)
            for number, (last, kind, _) in self._last.items()
            if kind == words[index] and (iou := overlap(box, last)) >= self._least
        ]
        numbers: dict[int, int] = {}
        used: set[int] = set()
        for _, index, number in sorted(pairs, key=lambda pair: -pair[0]):
            if index not in numbers and number not in used:
                numbers[index] = number
                used.add(number)
        for index, box in enumerate(boxes):
            if index not in numbers:
                numbers[index], self._next = self._next, self._next + 1
            self._last[numbers[index]] = (box, words[index], now_s)
        return tuple(numbers[index] for index in range(len(boxes)))
