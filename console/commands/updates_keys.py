"""`fieldgate updates key`: keys to sign with."""

from __future__ import annotations

from pathlib import Path

import click

from console.commands.updates_words import new_passphrase


@click.group()
def key() -> None:
    """Keys that sign releases. The file stays with its person, off this laptop's disk; FILE.pub is given to others."""


@key.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--unencrypted", is_flag=True, help="Without a passphrase: whoever reads the file can sign.")
def new(file: Path, unencrypted: bool) -> None:
    """Make an ed25519 key in FILE (PKCS8 PEM, encrypted) and FILE.pub. Name it after the person: anna.pem."""
    from console.models.keys import make_key

    public = make_key(file, None if unencrypted else new_passphrase(str(file)))
    click.echo(
        f"made {file} (keep it off this laptop, and a second copy elsewhere) and {public} (give it to others)", err=True
    )
    if unencrypted:
        click.echo(f"warning: {file} has no passphrase: whoever reads it can sign", err=True)
