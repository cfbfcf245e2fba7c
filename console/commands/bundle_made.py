"""What a bundle's maker found wrong with it and kept all the same: said before it goes to a robot, which judges for itself."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from remote.manifest import PROVENANCE
from remote.verdicts import Check

_MOST_BYTES = 256 * 1024


class _Made(msgspec.Struct, frozen=True):
    """As much of provenance.json as is told here."""

    measured: tuple[Check, ...] = ()


def failed_by_maker(folder: Path) -> tuple[str, ...]:
    """`name: text` of each check that failed where the bundle in `folder` was made; empty where none did, or nothing says
    so.
    """
    try:
        with (folder / PROVENANCE).open("rb") as file:
            made = msgspec.json.decode(file.read(_MOST_BYTES + 1), type=_Made)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ()  # whoever loads it refuses a damaged one
    return tuple(f"{check.name}: {check.text}" for check in made.measured if check.verdict == "fail")


def tell_failures(folder: Path) -> None:
    """Say on stderr what failed where the bundle in `folder` was made."""
    for line in failed_by_maker(folder):
        click.echo(f"{folder.name}: its maker measured a failure: {line}", err=True)
