"""Labelled boxes on disk: for each picture a text file, a box a line: `class cx cy w h`, relative to the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from remote.errors import Trouble
from remote.strict_yaml import read_text

CODE = "boxes_invalid"


@dataclass(frozen=True)
class TrueBox:
    """One labelled box: class index, centre and size as shares of the picture's width and height."""

    label: int
    cx: float
    cy: float
    width: float
    height: float


def read_boxes(path: Path, labels: int) -> tuple[TrueBox, ...]:
    """The boxes of one file; an empty file says that nothing is there.

    Raises:
        Trouble: code `boxes_invalid`, naming file and line, for anything but five numbers of a box within the picture and a
            class below `labels`.
    """
    text = read_text(path, what="boxes file", code=CODE)
    return tuple(_box(line, f"{path}, line {n}", labels) for n, line in enumerate(text.splitlines(), 1) if line.strip())


def _box(line: str, where: str, labels: int) -> TrueBox:
    words = line.split()
    cure = "Write a box a line: class cx cy w h, relative to the picture"
    try:
        label = int(words[0])
        cx, cy, width, height = (float(word) for word in words[1:])
    except ValueError as error:
        raise Trouble(f"{where}: {line[:80]!r} is not `class cx cy w h`", cure=cure, code=CODE) from error
    if not 0 <= label < labels:
        cure = "Give the boxes and the bundle of the same classes"
        raise Trouble(f"{where}: class {label}; the bundle has {labels} labels", cure=cure, code=CODE)
    numbers = (cx, cy, width, height)
    if not all(math.isfinite(n) and 0 <= n <= 1 + 1e-3 for n in numbers) or width <= 0 or height <= 0:
        raise Trouble(f"{where}: the box {line[:80]!r} does not lie in its picture", cure=cure, code=CODE)
    return TrueBox(label, cx, cy, width, height)
