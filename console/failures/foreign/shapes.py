"""Many lines at once: a number for each line that is the same for lines that differ only in date, minutes and seconds.

A log of a million lines has few thousand different ones once their time is blanked but for the hour, so only those need to
be read. The numbers are 64 bits wide: the chance that any two of 100,000 different lines share one is about 3 in 10 billion.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

LONGEST = 512
"""Lines of more bytes (and those of less than 8) are numbered 0: they are read one by one."""
PADDING = 16
"""Bytes after the last line that a block must have."""
_ODD = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: spreads the bits of what it multiplies
_NEWLINE, _COLON, _ZERO, _DASH, _DOT, _COMMA = 10, 58, 48, 45, 46, 44
_FRACTION_DIGITS = 9


class Shapes(NamedTuple):
    """The lines of a block: where each begins and ends (without its line feed) and its number; 0 where it has none."""

    starts: NDArray[Any]
    ends: NDArray[Any]
    numbers: NDArray[Any]


def shapes(block: bytearray, size: int) -> Shapes:
    """The lines of the block's first `size` bytes, which end with a line feed; PADDING more bytes must follow them.

    Blanks the times in `block` (digits become 0).
    """
    import numpy as np

    data = np.frombuffer(block, dtype=np.uint8)
    ends = np.flatnonzero(data[:size] == _NEWLINE)
    starts = np.empty_like(ends)
    if len(ends):
        starts[0], starts[1:] = 0, ends[:-1] + 1
    _blank_times(data, size)
    return Shapes(starts, ends, _numbers(block, starts, ends))


def _blank_times(data: NDArray[Any], size: int) -> None:
    import numpy as np

    colon = data[: size + 3] == _COLON
    first = np.flatnonzero(colon[:-3] & colon[3:])  # HH:MM:SS, `first` is at the colon after the hours
    first = first[_digits(data, first, (-1, 1, 2, 4, 5))]
    for step in (1, 2, 4, 5):
        data[first + step] = _ZERO
    dated = first[first >= 13]
    dashes = (data[dated - 6] == _DASH) & (data[dated - 9] == _DASH) & (data[dated - 3] != _NEWLINE)
    dated = dated[dashes & _digits(data, dated, (-4, -5, -7, -8, -10, -11, -12, -13))]
    for step in (4, 5, 7, 8, 10, 11, 12, 13):
        data[dated - step] = _ZERO
    mark = data[first + 6]
    at = first[(mark == _DOT) | (mark == _COMMA)] + 7
    for _ in range(_FRACTION_DIGITS):
        if not len(at):
            return
        at = at[_digits(data, at, (0,))]
        data[at] = _ZERO
        at = at + 1


def _digits(data: NDArray[Any], at: NDArray[Any], steps: tuple[int, ...]) -> NDArray[Any]:
    """Where the bytes at all these steps are digits; less than `0` wraps around to more than 9."""
    found = data[at + steps[0]] - _ZERO < 10
    for step in steps[1:]:
        found &= data[at + step] - _ZERO < 10
    return found  # type: ignore[no-any-return]


def _numbers(block: bytearray, starts: NDArray[Any], ends: NDArray[Any]) -> NDArray[Any]:
    """A multilinear hash of each line's words of 8 bytes and its length, the last word overlapping the one before.

    Each word is multiplied by an odd number of its own and all are added (Lemire and Kaser, "Strongly universal string
    hashing is fast", 2014), modulo 2**64: lines that differ in one word only never share a number before the last mixing.
    """
    import numpy as np

    lengths = ends - starts
    numbers = np.zeros(len(starts), np.uint64)
    short = (lengths >= 8) & (lengths <= LONGEST)
    chosen = slice(None) if short.all() else np.flatnonzero(short)
    starts, ends, lengths = starts[chosen], ends[chosen], lengths[chosen]
    if not len(starts):
        return numbers
    words: NDArray[Any] = np.ndarray((len(block) - 7,), "<u8", block, 0, (1,))
    mixed = words[ends - 8] ^ lengths.astype(np.uint64)
    mixed *= np.uint64(_ODD)
    at, shortest = starts.copy(), int(lengths.min())
    for step in range(0, int(lengths.max()) - 7, 8):
        odd = np.uint64((_ODD * (step + 9) ^ _ODD << 7) % 2**64 | 1)
        if step + 8 <= shortest:
            word = words[at]
            word *= odd
            mixed += word
        else:
            whole = np.flatnonzero(lengths >= step + 8)
            mixed[whole] += words[at[whole]] * odd
        at += 8
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(_ODD)
    mixed |= np.uint64(1)
    numbers[chosen] = mixed
    return numbers
