"""What the commands of `fieldgate updates` have in common: who acts, passphrases, what came of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.commands.campaign_words import as_json, as_person, print_json

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

    from console.models.acting import Came
    from console.models.hands import Hands
    from console.models.pending import Need
    from console.models.repository import Repository

__all__ = [
    "Passphrases",
    "as_json",
    "as_person",
    "hands_of",
    "keys_option",
    "new_passphrase",
    "print_json",
    "repo_argument",
]

F = TypeVar("F", bound=Callable[..., Any])
repo_argument = click.argument("repo", type=click.Path(path_type=Path), metavar="REPO")


def keys_option(meaning: str, *, required: bool = False) -> Callable[[F], F]:
    """`--key FILE`, repeatable."""
    a_key = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option("--key", "keys", type=a_key, multiple=True, required=required, help=meaning)


class Passphrases:
    """Asks on stderr for the passphrase of a key file; the one that was given last is tried first, and kept by nobody."""

    def __init__(self) -> None:
        self._last: str | None = None
        self._tried: set[Path] = set()
        self._asked: set[Path] = set()

    def __call__(self, path: Path, again: bool) -> str | None:
        """The passphrase of `path`; `again`: the last answer was wrong. Empty gives up, and so does a pipe's second try."""
        if self._last is not None and path not in self._tried:
            self._tried.add(path)
            return self._last
        self._tried.add(path)
        if again and path in self._asked:
            if not sys.stdin.isatty():
                return None
            click.echo("That passphrase does not open the key.", err=True)
        self._asked.add(path)
        given: str = click.prompt(
            f"Passphrase for {path} (empty: give up)", hide_input=True, default="", show_default=False, err=True
        )
        self._last = given or self._last
        return given or None


def new_passphrase(what: str) -> str:
    """A passphrase for a new key, asked for twice."""
    given: str = click.prompt(f"New passphrase for {what}", hide_input=True, confirmation_prompt=True, err=True)
    return given


def hands_of(person: str | None, ask: Passphrases) -> Hands:
    """The person at this laptop."""
    from console.models.hands import Hands
    from console.people import who
    from console.places import data_dir

    return Hands(person=who(person), home=data_dir() / "updates", ask=ask)


def repository_of(path: Path) -> Repository:
    """The repository of a folder."""
    from console.models.repository import Repository

    return Repository(path)


def signers_of(paths: Iterable[Path], ask: Passphrases) -> list[CryptoSigner]:
    """The private keys of these files. Raises Trouble."""
    from console.models.keys import read_signer, readable_by_others

    found = []
    for path in paths:
        found.append(read_signer(path, ask))
        if readable_by_others(path):
            click.echo(f"warning: others on this machine can read {path}: chmod 600 {path}", err=True)
    return found


def tell(came: Came, repo: Path, as_json: bool) -> None:
    """What came of an act: data on stdout where JSON is wanted, words on stderr."""
    if as_json:
        print_json(came)
    words = {
        "published": f"published: {came.text}",
        "waits": f"waits: {came.text}",
        "complete": f"signed by enough, not published yet: {came.text}; with the online keys: "
        f"`fieldgate updates refresh {repo}`",
        "discarded": f"thrown away: {came.text}",
    }
    click.echo(words[came.outcome], err=True)
    if came.outcome == "waits":
        for line in need_lines(came.needs):
            click.echo(f"  {line}", err=True)
        click.echo(f"  the next person: `fieldgate updates sign {repo} --key FILE`", err=True)


def need_lines(needs: Sequence[Need]) -> list[str]:
    """Each role that waits, on a line."""
    lines = []
    for need in needs:
        signed = ", ".join(need.signed) or "nobody"
        more = f", {need.missing} more of {', '.join(need.could) or 'nobody'}" if need.missing else ", enough"
        lines.append(f"{need.role}: {len(need.signed)} of {need.threshold} signatures ({signed}){more}")
    return lines
