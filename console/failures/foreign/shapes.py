"""Many lines at once: a number for each line that is the same for lines that differ only in date, minutes, seconds and ids.

A log of a million lines has few thousand different ones once their time is blanked but for the hour, so only those need to
be read. The numbers are 64 bits wide: the chance that any two of 100,000 different lines share one is about 3 in 10 billion.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CLOCK = re.compile(rb"\d\d:\d\d:\d\d")
LONGEST = 512
"""Lines of more bytes (and those of less than 8) are numbered 0: they are read one by one."""
PADDING = 16
"""Bytes after the last line that a block must have."""
_ODD = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: spreads the bits of what it multiplies
_NEWLINE, _COLON, _ZERO, _DOT, _COMMA = 10, 58, 48, 46, 44
_FRACTION_DIGITS = 9
_EQUALS, _BAR, _BLANK, _ID, _LONGEST_KEY, _NAME_BYTES = 61, 124, 32, b"id", len(b"picture"), 64
_HEAD_BYTES = 4096


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
    _blank_times(block, size, ends)
    if block.find(b"id=", 0, _HEAD_BYTES) >= 0:
        _blank_names(block, size)
    return Shapes(starts, ends, _numbers(block, starts, ends))


def _blank_times(block: bytearray, size: int, ends: NDArray[Any]) -> None:
    """Blank `HH:MM:SS` but for the hour, a fraction behind it, and `YYYY-MM-DD` one sign before it."""
    import numpy as np

    data = np.frombuffer(block, dtype=np.uint8)
    words: NDArray[Any] = np.ndarray((len(block) - 7,), "<u8", block, 0, (1,))
    clock = _clocks(block, words, size, ends)
    found = words[clock]
    sound = _like(found, b"00:00:00")
    if not sound.all():  # most often all are: that saves copying them
        clock, found = clock[sound], found[sound]
    hours = np.uint64(0xFFFF)  # the first two bytes
    words[clock] = (found & hours) | (_word(b"00:00:00") & ~hours)
    _blank_dates(words, data, clock[np.searchsorted(clock, 11) :])
    mark = data[clock + 8]
    at = clock[(mark == _DOT) | (mark == _COMMA)] + 9
    for _ in range(_FRACTION_DIGITS):
        if not len(at):
            return
        at = at[data[at] - _ZERO < 10]
        data[at] = _ZERO
        at = at + 1


def _clocks(block: bytearray, words: NDArray[Any], size: int, ends: NDArray[Any]) -> NDArray[Any]:
    """Where times of day may begin. Most often each line has one, as far from its end as in the first line."""
    import numpy as np

    if len(ends):
        found = list(_CLOCK.finditer(block, 0, min(int(ends[0]), LONGEST)))
        same = ends - (int(ends[0]) - found[0].start()) if len(found) == 1 else ends[:0]
        if len(same) and same[0] >= 0 and _like(words[same], b"00:00:00").all():
            return same
    colon = np.frombuffer(block, dtype=np.uint8)[: size + 3] == _COLON
    clock = np.flatnonzero(colon[:-3] & colon[3:]) - 2
    return clock[np.searchsorted(clock, 0) :]


def _blank_dates(words: NDArray[Any], data: NDArray[Any], clock: NDArray[Any]) -> None:
    if not len(clock):
        return
    sound = _like(words[clock - 11], b"0000-00-") & _like(words[clock - 9], b"00-00-00") & (data[clock - 1] != _NEWLINE)
    date = (clock if sound.all() else clock[sound]) - 11
    words[date] = _word(b"0000-00-")
    words[date + 2] = _word(b"00-00-00")


def _blank_names(block: bytearray, size: int) -> None:
    """Blank the values of `| id=..` and `| picture=..`, which are different in every line and are in no group."""
    import numpy as np

    data = np.frombuffer(block, dtype=np.uint8)
    words: NDArray[Any] = np.ndarray((len(block) - 7,), "<u8", block, 0, (1,))
    equals = np.flatnonzero(data[:size] == _EQUALS)
    equals = equals[equals >= _LONGEST_KEY + 2]
    named_id = equals[(data[equals - 2] == _ID[0]) & (data[equals - 1] == _ID[1])]
    named_picture = equals[words[equals - _LONGEST_KEY] == _word(b"picture=")]
    at = np.concatenate([_keys(data, named_id, len(_ID)), _keys(data, named_picture, _LONGEST_KEY)]) + 1
    blanked = np.zeros(256, bool)
    blanked[list(b"0123456789abcdefABCDEF-")] = True
    for _ in range(_NAME_BYTES):
        at = at[blanked[data[at]]]
        if not len(at):
            return
        data[at] = _ZERO
        at = at + 1


def _keys(data: NDArray[Any], equals: NDArray[Any], length: int) -> NDArray[Any]:
    """Those whose key of so many bytes begins a part of the line: `|` stands before it, or `|` and a blank."""
    before = equals - length - 1
    bar = data[before] == _BAR
    found: NDArray[Any] = equals[bar | ((data[before] == _BLANK) & (data[before - 1] == _BAR))]
    return found


def _like(words: NDArray[Any], pattern: bytes) -> NDArray[Any]:
    """Where words of 8 bytes have digits where the pattern has 0, and else the pattern's own bytes.

    A byte xor the pattern's is 0 to 9 for a digit and 0 for a byte of its own: adding 0x76 (or 0x7f) leaves the high bit clear
    only then. A carry out of a byte can't hide it, for such a byte has its high bit set.
    """
    import numpy as np

    limits = bytes(0x76 if byte == _ZERO else 0x7F for byte in pattern)
    off = words ^ _word(pattern)
    found: NDArray[Any] = ((off + _word(limits)) | off) & np.uint64(0x8080808080808080) == 0
    return found


def _word(text: bytes) -> Any:
    import numpy as np

    return np.uint64(int.from_bytes(text, "little"))


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
