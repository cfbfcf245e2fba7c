"""The opset of an ONNX file, read from the file itself: a robot carries no `onnx` package. Nothing else of it is taken in.

The file is a protobuf message ModelProto (onnx.proto3): field 8, `opset_import`, is a message with `domain` (1) and `version`
(2).
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO, Optional

_OPSET, _DOMAIN, _VERSION = 8, 1, 2
_MOST_BYTES = 4096
"""An opset import is some bytes; a longer one is none."""


def read_opset(path: Path) -> Optional[int]:
    """The version of the standard operators; None where the file does not say it or is no ONNX file."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            while (tag := _varint(file)) is not None:
                field, wire = tag >> 3, tag & 7
                if (length := _length(file, wire)) is None:
                    return None
                if field == _OPSET and wire == 2 and length <= _MOST_BYTES:
                    found = _version(file.read(length))
                    if found is not None:
                        return found
                elif file.tell() + length > size:
                    return None
                else:
                    file.seek(length, os.SEEK_CUR)
    except OSError:
        return None
    return None


def _length(file: BinaryIO, wire: int) -> Optional[int]:
    """How many bytes of the value follow; a varint is taken in at once."""
    if wire == 0:
        return None if _varint(file) is None else 0
    return _varint(file) if wire == 2 else {1: 8, 5: 4}.get(wire)


def _version(message: bytes) -> Optional[int]:
    """The version where this is the standard domain."""
    part, domain, version = io.BytesIO(message), b"", None
    while (tag := _varint(part)) is not None:
        if tag == _DOMAIN << 3 | 2:
            domain = part.read(_varint(part) or 0)
        elif tag == _VERSION << 3:
            version = _varint(part)
        else:
            return None
    return version if domain in (b"", b"ai.onnx") else None


def _varint(file: BinaryIO) -> Optional[int]:
    value = 0
    for shift in range(0, 70, 7):
        byte = file.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return None
