"""Looking at a log before it is read: what is no text is refused with what to do instead."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from remote.errors import Trouble

_HEAD_BYTES = 65_536
_MOST_BINARY = 0.05
_PACKED = {
    b"\x1f\x8b": ("gzip", "gunzip -k"),
    b"BZh": ("bzip2", "bunzip2 -k"),
    b"\xfd7zXZ": ("xz", "unxz -k"),
    b"\x28\xb5\x2f\xfd": ("zstd", "unzstd"),
    b"PK\x03\x04": ("zip", "unzip"),
}
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_TEXT = (
    bytes(range(0x20, 0x100)) + b"\t\n\r\x1b\x0c\0"
)  # NULs may stand in a log after a power cut; they are counted apart


def open_log(path: Path) -> BinaryIO:
    """The log, opened for reading. Raises Trouble (`unreadable_log`) for what is missing, packed, or no text."""
    try:
        file = path.open("rb", buffering=0)
        head = file.read(_HEAD_BYTES) or b""
    except OSError as error:
        cure = "name a log file that you may read"
        raise Trouble(f"{path} can't be read: {error.strerror}", cure=cure, code="unreadable_log") from error
    trouble = _refusal(path, head)
    if trouble is not None:
        file.close()
        raise trouble
    file.seek(0)
    return file


def _refusal(path: Path, head: bytes) -> Trouble | None:
    for magic, (name, unpack) in _PACKED.items():
        if head.startswith(magic):
            cure = f"unpack it first: `{unpack} {path.name}`"
            return Trouble(f"{path} is packed ({name})", cure=cure, code="unreadable_log")
    if head.startswith(_WIDE):
        cure = f"turn it into UTF-8 first: `iconv -f UTF-16 -t UTF-8 {path.name} > utf8.log`"
        return Trouble(f"{path} is written in UTF-16", cure=cure, code="unreadable_log")
    odd = len(head.translate(None, _TEXT)) + (head.count(b"\0") if b"\n" not in head else 0)
    if head and odd > _MOST_BINARY * len(head):
        what = f"{path} is no text: {100 * odd / len(head):.0f} % of its first {len(head):,} bytes are not"
        cure = "name a text file with a line for each failure; docs/failures.md (Logs from elsewhere) shows such lines"
        return Trouble(what, cure=cure, code="unreadable_log")
    return None
