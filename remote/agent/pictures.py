"""Pictures of failures on the robot, by digest."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from remote.errors import Trouble
from remote.protocol import LINE_LIMIT_BYTES, Picture

_DIGEST = re.compile(r"[0-9a-f]{64}")
LARGEST_BYTES = LINE_LIMIT_BYTES * 3 // 4 - 64 * 1024
"""What fits into one line as base64, with the rest of the reply."""
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def picture(folder: Path, digest: str) -> Picture:
    """Read and verify DIGEST.jpg. Raises Trouble: `bad_digest`, `no_picture` or `bad_picture`."""
    if not _DIGEST.fullmatch(digest):
        raise Trouble("a picture's digest is 64 lower-case hex digits", code="bad_digest")
    try:
        data = (folder / f"{digest}.jpg").read_bytes()
    except OSError as error:
        what = f"the picture {digest[:12]} is not on the robot any more"
        raise Trouble(what, cure="older pictures make room for newer ones", code="no_picture") from error
    size = jpeg_size(data)
    if hashlib.sha256(data).hexdigest() != digest or size is None or len(data) > LARGEST_BYTES:
        raise Trouble(f"the file of picture {digest[:12]} was damaged", code="bad_picture")
    return Picture(jpeg=data, digest=digest, width=size[0], height=size[1])


def jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from a JPEG's frame header (ITU T.81, B.2.2); None where there is none."""
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in _FRAME_MARKERS:
            height, width = int.from_bytes(data[at + 5 : at + 7], "big"), int.from_bytes(data[at + 7 : at + 9], "big")
            return (width, height) if width and height else None
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None
