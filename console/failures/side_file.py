"""Files that only save work: what can be counted anew is kept beside, unsynced, and a damaged or missing one is no trouble."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")


def load(side: Path, kind: type[T]) -> T | None:
    """What `save` kept there; None where it is not there or can't be read."""
    try:
        return msgspec.msgpack.decode(side.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError):
        return None


def save(side: Path, kept: Any) -> None:
    """Keep it, whole or not at all. Where that can't be written the next time takes longer, nothing else."""
    try:
        side.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole = side.with_name(f"{side.name}.{os.urandom(6).hex()}.tmp")
        # Not synced: after a power cut it is counted anew, and syncing would take longer than the counting.
        whole.write_bytes(msgspec.msgpack.encode(kept))
        whole.replace(side)
    except OSError:
        return
