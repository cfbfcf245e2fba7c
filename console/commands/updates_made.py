"""`fieldgate updates init, sign, refresh, rotate, revoke, discard`: what changes a repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from console import exits
from console.commands.updates_agreed import agree_to_change, agree_to_first_root, first_root_option
from console.commands.updates_words import (
    Passphrases,
    as_json,
    as_person,
    hands_of,
    keys_option,
    must_be_private,
    new_passphrase,
    repo_argument,
    repository_of,
    signers_of,
    tell,
    tell_expiry,
)

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey


_open_online = click.option(
    "--online-unencrypted", is_flag=True, help="Online keys without a passphrase, so that a timer can refresh."
)
_a_key = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@repo_argument
@click.option("--threshold", type=click.IntRange(1, 16), default=2, show_default=True, help="So many must sign.")
@keys_option("A key of root and targets: a private one signs at once, a .pub one later. Repeat it.", required=True)
@click.option(
    "--targets-key", "targets", type=_a_key, multiple=True, help="Other keys for releases than those of root."
)
@click.option("--timestamp-days", type=click.IntRange(1, 90), default=7, show_default=True, help="A timestamp's life.")
@click.option(
    "--releases-above",
    type=click.IntRange(0, 900_000),
    default=0,
    help="Releases get higher numbers than this: for robots that took some of a repository before.",
)
@_open_online
@as_person
@as_json
def init(
    repo: Path,
    threshold: int,
    keys: tuple[Path, ...],
    targets: tuple[Path, ...],
    timestamp_days: int,
    releases_above: int,
    online_unencrypted: bool,
    person: str | None,
    as_json: bool,
) -> None:
    """Make a repository of updates in REPO. Root and releases need --threshold signatures of the --key's.

    The online keys (snapshot, timestamp, rollout) are made on this laptop. It is there once enough have signed.
    """
    from console.models import acting

    if threshold == 1:
        click.echo("warning: with a threshold of 1 one stolen key is enough to give robots any model", err=True)
    acting.must_be_new(repository_of(repo))
    ask = Passphrases()
    offline, signers = _both(keys, ask)
    others, more = _both(targets, ask)
    _warn_spare(len(offline), threshold)
    came = acting.init(
        repository_of(repo),
        hands_of(person, ask),
        offline,
        others or offline,
        [*signers, *more],
        threshold=threshold,
        passphrase=None if online_unencrypted else new_passphrase("the online keys on this laptop", ask),
        days={"timestamp": timestamp_days},
        releases_above=releases_above,
    )
    tell(came, repo, as_json)


def _warn_spare(keys: int, threshold: int) -> None:
    if keys == threshold:
        click.echo("warning: no key is to spare: if one is lost, nobody can sign any more; name one more", err=True)


def _both(paths: tuple[Path, ...], ask: Passphrases) -> tuple[list[SSlibKey], list[CryptoSigner]]:
    """The public keys of these files, and those that can sign now."""
    from console.models.keys import is_private_file, read_public

    signers = signers_of([path for path in paths if is_private_file(path)], ask)
    public = [read_public(path, ask) for path in paths if not is_private_file(path)]
    return [*(one.public_key for one in signers), *public], signers


@click.command()
@repo_argument
@keys_option("Your private key. Repeat it for more.", required=True)
@click.option("--yes", is_flag=True, help="Do not ask; without it nothing is signed where there is no terminal.")
@first_root_option
@as_person
@as_json
def sign(repo: Path, keys: tuple[Path, ...], yes: bool, first_root: str, person: str | None, as_json: bool) -> None:
    """Sign what waits in REPO; it is published as soon as enough have signed.

    Says first what it changes, read from the very bytes that are signed, and asks. A repository that this laptop sees for the
    first time is asked about although --yes is given, unless --first-root names its first root.
    """
    from console.commands.publish import open_first
    from console.models import acting

    must_be_private(keys)
    ask = Passphrases()
    hands, repository = hands_of(person, ask), repository_of(repo)
    agreed = agree_to_change(repository, hands, yes, first_root)
    came = acting.sign(repository, hands, signers_of(keys, ask), agreed)
    tell(came, repo, as_json)
    open_first(repository, hands, came)


@click.command()
@repo_argument
@as_person
@as_json
def refresh(repo: Path, person: str | None, as_json: bool) -> None:
    """Sign a new timestamp with this laptop's online key, and a new snapshot; publish what has all its signatures.

    A robot refuses a repository whose timestamp has expired: run this daily, from a timer too. Warns of what only people can
    renew, and ends with 3 once that has expired.
    """
    from console.commands.publish import open_first
    from console.models import acting
    from console.models.expiring import has_expired
    from console.models.standing import standing

    hands, repository = hands_of(person, Passphrases()), repository_of(repo)
    came = acting.refresh(repository, hands)
    tell(came, repo, as_json)
    open_first(repository, hands, came)
    found = standing(repository, hands.now(), whole=False)
    tell_expiry(found)
    if has_expired(found):
        raise click.exceptions.Exit(exits.ALARM)


@click.command()
@repo_argument
@click.option("--add", type=_a_key, multiple=True, help="A public key that may sign from now on. Repeat it.")
@click.option("--remove", multiple=True, metavar="NAME", help="A key that may not any more: its name or its id.")
@click.option("--threshold", type=click.IntRange(1, 16), help="So many must sign from now on.")
@click.option("--online", is_flag=True, help="New online keys on this laptop; the old ones count no more.")
@keys_option("Your private key. Repeat it for more.")
@_open_online
@first_root_option
@as_person
@as_json
def rotate(
    repo: Path,
    add: tuple[Path, ...],
    remove: tuple[str, ...],
    threshold: int | None,
    online: bool,
    keys: tuple[Path, ...],
    online_unencrypted: bool,
    first_root: str,
    person: str | None,
    as_json: bool,
) -> None:
    """A new root for REPO, signed by enough of the old keys and of the new ones. Without options: more time for all."""
    from console.models import acting
    from console.models.keys import read_public

    must_be_private(keys)
    ask = Passphrases()
    hands, repository = hands_of(person, ask), repository_of(repo)
    acting.must_be_free(repository)
    agree_to_first_root(repository, hands, first_root)
    locked = online and not online_unencrypted
    came = acting.rotate(
        repository,
        hands,
        signers_of(keys, ask),
        add=[read_public(path, ask) for path in add],
        remove=remove,
        threshold=threshold,
        online=online,
        passphrase=new_passphrase("the new online keys on this laptop", ask) if locked else None,
    )
    tell(came, repo, as_json)


@click.command()
@repo_argument
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--replace-with", "add", type=_a_key, multiple=True, help="A public key in its place. Repeat it.")
@keys_option("Your private key. Repeat it for more.")
@first_root_option
@as_person
@as_json
@click.pass_context
def revoke(
    context: click.Context,
    repo: Path,
    names: tuple[str, ...],
    add: tuple[Path, ...],
    keys: tuple[Path, ...],
    first_root: str,
    person: str | None,
    as_json: bool,
) -> None:
    """Take lost or stolen keys out of REPO's root: NAME is the key's name or the first 8 characters of its id.

    The same as `rotate --remove`; everything is signed anew, by the keys that are left.
    """
    known = {"first_root": first_root, "person": person, "as_json": as_json}
    context.invoke(rotate, repo=repo, add=add, remove=names, keys=keys, **known)


@click.command()
@repo_argument
@as_person
@as_json
def discard(repo: Path, person: str | None, as_json: bool) -> None:
    """Throw away what waits for signatures in REPO. A release's number is not given again."""
    from console.models import acting

    tell(acting.discard(repository_of(repo), hands_of(person, Passphrases())), repo, as_json)
