"""Pictures on disk: which files count, and decoding that does not take half a picture for a whole one."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from remote.errors import Trouble
from remote.perception.arrays import Pixels
from remote.perception.cameras.spec import PICTURE_SUFFIXES
from remote.perception.faults import BadFrame

MAX_FILE_BYTES = 256 * 1024 * 1024
_JPEG_START = b"\xff\xd8"
_JPEG_SCAN = b"\xff\xda"
_JPEG_END = b"\xff\xd9"
_PNG_START = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"IEND"


def list_pictures(folder: Path) -> tuple[Path, ...]:
    """The folder's pictures (jpg, jpeg, png in any case) by name; hidden files are left out.

    Raises:
        Trouble: code `bad_source`, when the folder is missing, can't be read, or holds no picture.
    """
    cure = f"Give a folder with {', '.join(PICTURE_SUFFIXES)} files"
    try:
        names = sorted(folder.iterdir())
    except OSError as error:
        raise Trouble(f"folder {folder}: {error.strerror}", cure=cure, code="bad_source") from error
    pictures = tuple(
        path for path in names if path.suffix.lower() in PICTURE_SUFFIXES and not path.name.startswith(".")
    )
    if not pictures:
        what = f"folder {folder} holds no pictures" if names else f"folder {folder} is empty"
        raise Trouble(what, cure=cure, code="bad_source")
    return pictures


def read_picture(path: Path) -> Pixels:
    """Decode a file to uint8 [height, width, 3], BGR. Raises BadFrame, naming the file, for anything but a whole picture."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise BadFrame(f"{path.name} can't be read: {error.strerror}", path.name) from error
    if len(data) > MAX_FILE_BYTES:
        raise BadFrame(f"{path.name} is longer than {MAX_FILE_BYTES} bytes", path.name)
    if is_cut_off(data):
        raise BadFrame(f"{path.name} is cut off after {len(data)} bytes", path.name)
    image = decoded(data)
    if image is None:
        raise BadFrame(f"{path.name} can't be decoded ({len(data)} bytes)", path.name)
    return image


def is_cut_off(data: bytes) -> bool:
    """Whether a JPEG or PNG lacks its end. OpenCV decodes such a file without a word and fills the rest with grey."""
    if data.startswith(_JPEG_START):
        return data.find(_JPEG_END, _first_scan(data)) < 0
    return data.startswith(_PNG_START) and _PNG_END not in data[-64:]


def _first_scan(data: bytes) -> int:
    """Where a JPEG's picture begins, after its segments: a thumbnail within one of them has a scan and an end of its own."""
    at = len(_JPEG_START)
    while at + 4 <= len(data) and data[at] == 0xFF and data[at : at + 2] != _JPEG_SCAN:
        # 0xFF may be repeated as filling; otherwise a marker is followed by the length of its segment.
        at += 1 if data[at + 1] == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return at


def decoded(data: bytes) -> Pixels | None:
    """The picture in these bytes as uint8 [height, width, 3], BGR; None where they are no picture."""
    if not data:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:  # sizes beyond OpenCV's limit are raised, not returned
        return None
    return None if image is None else np.asarray(image, np.uint8)
