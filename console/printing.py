"""What the program prints: words of packs, people, robots and forged records can't move the cursor or turn text around."""

from __future__ import annotations

import errno
import io
import os
import re
import sys
from pathlib import Path
from typing import TextIO

# Control characters, marks that turn the direction of text, and those that show nothing. A carriage return may begin what is
# written (a line that is painted again) and stand before a line's end (CSV).
_OBEYED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]|(?<!\\A)\r(?!\n)"
)

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def shown(text: str) -> str:
    r"""The text with what a terminal would obey or hide written as \uXXXX, so that within JSON it means the same."""
    return _OBEYED.sub(lambda found: _escaped(found.group()), text)


def in_line(text: str) -> str:
    """The text on one line: a title or a note can't bring a line of its own."""
    return " ".join(text.splitlines())


def guard_streams() -> None:
    """From here on standard output and error print `shown` text. Bytes that are written to their buffers pass as they are."""
    # A stream that was closed (`>&-`) is None here; what is written to it goes nowhere.
    sys.stdout, sys.stderr = (_guarded(one) if one else _nowhere() for one in (sys.stdout, sys.stderr))


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w")


def output_fails(error: OSError) -> bool:
    """Whether the error is that standard output can't be written: then what is still to be written can't be either."""
    try:
        sys.stdout.flush()
    except OSError:
        return True
    return error.filename is None and error.errno in _NO_ROOM


class _Shown(io.TextIOWrapper):
    def write(self, text: str, /) -> int:
        super().write(shown(text))
        return len(text)


def _guarded(stream: TextIO) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper) or isinstance(stream, _Shown):
        return stream
    return _Shown(
        stream.buffer,
        encoding=stream.encoding,
        errors=stream.errors,
        newline="\n",
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


def _escaped(one: str) -> str:
    units = one.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
