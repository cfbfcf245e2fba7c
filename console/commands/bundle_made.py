"""What a bundle's maker found wrong with it and kept all the same: said before it goes to a robot, which judges for itself."""

from __future__ import annotations

from pathlib import Path

import click

from console.models.made import LIMIT_BYTES, failed_in
from remote.manifest import PROVENANCE


def failed_by_maker(folder: Path) -> tuple[str, ...]:
    """`name: text` of each check that failed where the bundle in `folder` was made; empty where none did, or nothing says
    so.
    """
    try:
        with (folder / PROVENANCE).open("rb") as file:
            return failed_in(file.read(LIMIT_BYTES + 1))
    except OSError:
        return ()  # whoever loads it refuses a damaged one


def tell_failures(folder: Path) -> None:
    """Say on stderr what failed where the bundle in `folder` was made."""
    for line in failed_by_maker(folder):
        click.echo(f"{folder.name}: its maker measured a failure: {line}", err=True)
