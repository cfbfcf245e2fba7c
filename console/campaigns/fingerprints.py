"""What evidence rests on, as it is now: fingerprints from a robot's Facts and from files on the laptop."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from console.record.entries import FINGERPRINTS
from console.tables.held import digest_of_file, find
from remote.errors import Trouble
from remote.protocol import Facts

FILE = "file:"
"""What the fingerprint of a file on the laptop begins with; behind it stands its path as the probe was given it."""
GONE = "gone"
"""The fingerprint of a file that can't be read any more: differs from every digest."""


def fingerprints_of(facts: Facts) -> dict[str, str]:
    """Every name of FINGERPRINTS with what it is now; empty text where the robot does not know it.

    Digests stay digests, what has a name (engine, power mode, source) is kept as that name so that a reason can say it.
    `robot` is a digest over the serial number and every further fact (L4T, TensorRT, kernel, agent, ...).
    """
    known = {
        "bundle": facts.bundle,
        "contract": facts.contract,
        "engine": facts.engine,
        "calibration": facts.calibration,
        "robot": _digest_of_words({**facts.words, "serial": facts.serial}),
        "power_mode": facts.power_mode,
        "source": facts.source,
    }
    return {name: known[name] for name in FINGERPRINTS}


def words_of(facts: Facts) -> dict[str, str]:
    """The facts behind the fingerprints, by name, as a record keeps them; what is not known is left out."""
    words = {**facts.words, "serial": facts.serial, "serial_source": facts.serial_source}
    return {name: word for name, word in sorted(words.items()) if word}


class FileDigests:
    """SHA-256 of files on the laptop; a file is read again only when its size, times or inode differ.

    Args:
        folder: what relative names belong to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._kept: dict[Path, tuple[tuple[int, ...], str]] = {}

    def now(self, names: Iterable[str]) -> dict[str, str]:
        """The `file:` fingerprints among `names` as they are now; GONE where a file can't be read."""
        return {name: self._digest(name[len(FILE) :]) for name in dict.fromkeys(names) if name.startswith(FILE)}

    def _digest(self, given: str) -> str:
        try:
            path = find(self.folder, given)
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):  # a pipe would keep its reader waiting
                return GONE
            mark = (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
            kept = self._kept.get(path)
            if kept is None or kept[0] != mark:
                kept = self._kept[path] = (mark, digest_of_file(path))
            return kept[1]
        except (OSError, Trouble):  # gone, unreadable, or a link that now leads out of the folder
            return GONE


def _digest_of_words(words: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(words, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
