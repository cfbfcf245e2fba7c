"""`python -m remote.models.validation.busy`: keeps one core and the memory busy until its stdin ends. Says one line first."""

from __future__ import annotations

import hashlib
import os
import threading

BLOCK_BYTES = 8 * 1024 * 1024
"""Larger than most processors' nearest caches, so that it also takes from what memory can give."""


def main() -> None:
    """Hash and copy, again and again."""
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    os.write(1, b"busy\n")
    block = bytearray(BLOCK_BYTES)
    while True:
        digest = hashlib.sha256(block).digest()
        block = bytearray(digest + block[len(digest) :])


def _end_with_stdin() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
