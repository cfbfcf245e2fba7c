"""Counts of a whole foreign log by everything that its lines say, in one pass and bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from console.failures.foreign.blocks import BLOCK_BYTES, Block, Rest, blocks
from console.failures.foreign.line import Cell, cell_of, read_line
from console.failures.foreign.shapes import Shapes, shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHOWN_UNREAD = 5
_MOST_KNOWN = 500_000
_MOST_CELLS = 100_000
_SLOTS_BITS = 16
_THREADS = 2
_SHOWN_BYTES = 80


class Unread(msgspec.Struct, frozen=True):
    """A line that could not be read: its number from 1, why, and how it begins."""

    number: int
    why: str
    begin: str


class Counts(msgspec.Struct, kw_only=True):
    """Everything counted so far. `cells` counts equal lines; `unread` counts lines by why they could not be read.

    `shown` are the first unread ones; of those that differ only in their times the first.
    `lines` is the sum of both. `known` maps the numbers of shapes to the places of `said` (or of `reasons`, from -1 down): what
    need not be read again.
    """

    lines: int = 0
    said: list[Cell] = []
    counts: list[int] = []
    reasons: list[str] = []
    unread: list[int] = []
    shown: list[Unread] = []
    numbers: bytes = b""
    places: bytes = b""

    @property
    def read(self) -> int:
        """How many lines could be read."""
        return sum(self.counts)

    @property
    def not_read(self) -> int:
        """How many lines could not be read."""
        return sum(self.unread)

    def cells(self) -> dict[Cell, int]:
        """How often each thing is said."""
        return dict(zip(self.said, self.counts, strict=True))

    def reasons_counted(self) -> dict[str, int]:
        """Why lines could not be read, and how many."""
        return dict(zip(self.reasons, self.unread, strict=True))


def count_from(file: BinaryIO, start: int, counts: Counts, block_bytes: int = BLOCK_BYTES) -> Rest:
    """Add every whole line of the file from `start` on to `counts`; what follows the last line feed is given back."""
    counter, rest = Counter(counts), list[Rest]()
    for block, found in _shaped(blocks(file, start, rest, block_bytes)):
        counter.add(block, found)
    counter.store()
    return rest[0]


def _shaped(found: Iterator[Block]) -> Iterator[tuple[Block, Shapes]]:
    """The blocks with their shapes, in order, worked out ahead on other cores; few are in memory at a time."""
    with ThreadPoolExecutor(_THREADS) as pool:
        waiting: deque[tuple[Block, Future[Shapes]]] = deque()
        for block in found:
            waiting.append((block, pool.submit(shapes, block.data, block.size)))
            if len(waiting) > _THREADS:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()


class Counter:
    """Adds blocks to Counts. Lines of a shape that is known are counted without being read."""

    def __init__(self, counts: Counts) -> None:
        import numpy as np

        self._counts = counts
        self._cells: dict[Cell, int] = {}  # filled when a new shape is met: most often none is
        self._reasons = {why: -1 - place for place, why in enumerate(counts.reasons)}
        self._numbers: NDArray[Any] = np.frombuffer(counts.numbers, np.uint64)
        self._places: NDArray[Any] = np.frombuffer(counts.places, np.int32)
        self._slots: NDArray[Any] = np.zeros(1 << _SLOTS_BITS, np.uint64)
        self._slot_places: NDArray[Any] = np.zeros(1 << _SLOTS_BITS, np.int32)
        self._sums: NDArray[Any] = np.zeros(0, np.int64)
        self._fill_slots(self._numbers, self._places)

    def add(self, block: Block, found: Shapes) -> None:
        """Count the block's lines."""
        import numpy as np

        slot = (found.numbers >> np.uint64(64 - _SLOTS_BITS)).astype(np.intp)
        hit = (self._slots[slot] == found.numbers) & (found.numbers != 0)
        self._tally(self._slot_places[slot[hit]])
        missed = np.flatnonzero(~hit)
        if len(missed):
            self._add_missed(block, found, missed)
        self._counts.lines += len(found.starts)

    def store(self) -> None:
        """Put what was added up and what is known into the Counts, so that another time can go on."""
        for place, times in enumerate(self._sums.tolist()):
            self._counts.counts[place] += times
        self._sums = self._sums[:0]
        self._counts.numbers, self._counts.places = self._numbers.tobytes(), self._places.tobytes()

    def _add_missed(self, block: Block, found: Shapes, missed: NDArray[Any]) -> None:
        import numpy as np

        numbers = found.numbers[missed]
        place = np.minimum(np.searchsorted(self._numbers, numbers), max(0, len(self._numbers) - 1))
        if len(self._numbers):
            old = (self._numbers[place] == numbers) & (numbers != 0)
            self._tally(self._places[place[old]])
            missed, numbers = missed[~old], numbers[~old]
        single = missed[numbers == 0]
        several = missed[numbers != 0]
        for index in single:
            self._tally_one(self._place(block, found, int(index)), 1)
        if len(several):
            self._learn(block, found, several)

    def _learn(self, block: Block, found: Shapes, several: NDArray[Any]) -> None:
        """Read one line of each shape that was never met, in the order of the log."""
        import numpy as np

        numbers, first, times = np.unique(found.numbers[several], return_index=True, return_counts=True)
        places = np.zeros(len(numbers), np.int32)
        order = np.argsort(first)
        lines = several[first[order]].tolist()
        for at, index, count in zip(order.tolist(), lines, times[order].tolist(), strict=True):
            places[at] = place = self._place(block, found, index)
            self._tally_one(place, count)
        if len(self._numbers) + len(numbers) <= _MOST_KNOWN:
            where = np.searchsorted(self._numbers, numbers)
            self._numbers = np.insert(self._numbers, where, numbers)
            self._places = np.insert(self._places, where, places)
            self._fill_slots(numbers, places)

    def _fill_slots(self, numbers: NDArray[Any], places: NDArray[Any]) -> None:
        import numpy as np

        slot = (numbers >> np.uint64(64 - _SLOTS_BITS)).astype(np.intp)
        self._slots[slot], self._slot_places[slot] = numbers, places

    def _place(self, block: Block, found: Shapes, index: int) -> int:
        """Where the line is counted: a place of `said`, or below zero one of `reasons`."""
        if not self._cells:
            self._cells = {said: place for place, said in enumerate(self._counts.said)}
        line = bytes(block.data[found.starts[index] : found.ends[index]])
        said = read_line(line)
        if isinstance(said, str):
            self._show(self._counts.lines + index + 1, said, line)
            return self._reason(said)
        cell = cell_of(said)
        place = self._cells.get(cell)
        if place is None and len(self._cells) >= _MOST_CELLS:
            cell = Cell(cell.failure, "other", cell.hour, "", "", ())  # a log of a hundred thousand words has no groups
            place = self._cells.get(cell)
        if place is None:
            place = self._cells[cell] = len(self._counts.said)
            self._counts.said.append(cell)
            self._counts.counts.append(0)
        return place

    def _reason(self, why: str) -> int:
        if why not in self._reasons:
            self._counts.reasons.append(why)
            self._counts.unread.append(0)
            self._reasons[why] = -len(self._counts.reasons)
        return self._reasons[why]

    def _show(self, number: int, why: str, line: bytes) -> None:
        begin = line[:_SHOWN_BYTES].decode("utf-8", "replace").strip()
        shown = sorted([*self._counts.shown, Unread(number, why, begin)], key=lambda one: one.number)
        self._counts.shown = shown[:SHOWN_UNREAD]

    def _tally(self, places: NDArray[Any]) -> None:
        import numpy as np

        times = np.bincount(places[places >= 0], minlength=len(self._sums))
        times[: len(self._sums)] += self._sums
        self._sums = times
        for place, count in zip(*np.unique(places[places < 0], return_counts=True), strict=True):
            self._tally_one(int(place), int(count))

    def _tally_one(self, place: int, times: int) -> None:
        if place < 0:
            self._counts.unread[-1 - place] += times
        else:
            self._counts.counts[place] += times
