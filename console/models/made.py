"""What a bundle's maker measured to be wrong with it and kept all the same, as its provenance.json says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from remote.errors import Trouble
from remote.manifest import PROVENANCE
from remote.ready_types import ready
from remote.release import Release, file_target
from remote.verdicts import Check

if TYPE_CHECKING:
    from tuf.api.metadata import Targets

    from console.models.repository import Repository

LIMIT_BYTES = 256 * 1024


class _Made(msgspec.Struct, frozen=True):
    """As much of provenance.json as is told."""

    measured: tuple[Check, ...] = ()


def failed_in(data: bytes) -> tuple[str, ...]:
    """`name: text` of each check that failed where the bundle was made, from the bytes of its provenance.json; empty where
    none did, or nothing says so.
    """
    try:
        made = msgspec.json.decode(data[: LIMIT_BYTES + 1], type=ready(_Made))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()  # whoever loads it refuses a damaged one
    return tuple(f"{check.name}: {check.text}" for check in made.measured if check.verdict == "fail")


def failed_of(repository: Repository, targets: Targets, release: Release) -> tuple[str, ...]:
    """The same of a published release; empty too where its provenance is not there or not the file that was signed."""
    info: Any = targets.targets.get(file_target(release.bundle, PROVENANCE))
    if info is None or info.length > LIMIT_BYTES:
        return ()
    try:
        return failed_in(repository.target(info, LIMIT_BYTES))
    except Trouble:  # `updates verify` says what is wrong with it
        return ()
