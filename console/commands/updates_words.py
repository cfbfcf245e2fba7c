"""What the commands of `fieldgate updates` have in common: who acts, passphrases, what came of it."""

from __future__ import annotations

import getpass
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from console.commands.campaign_words import as_json, as_person, print_json
from remote.errors import Trouble

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner

    from console.models.acting import Came
    from console.models.hands import Hands
    from console.models.pending import Need
    from console.models.repository import Repository
    from console.models.standing import Standing

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
    """Asks on stderr for the passphrase of a key file, once in a command; the one that was given last is tried first for
    another file. It is kept by nobody after that.
    """

    def __init__(self) -> None:
        self._last: str | None = None
        self._tried: set[Path] = set()
        self._asked: set[Path] = set()
        self._given: dict[Path, str] = {}

    def heard(self, passphrase: str) -> None:
        """It was given for something else: it is tried first for the next file."""
        self._last = passphrase

    def __call__(self, path: Path, again: bool) -> str | None:
        """The passphrase of `path`; `again`: the last answer was wrong. Empty gives up, and so does a pipe's second try."""
        if not again and path in self._given:
            return self._given[path]
        if self._last is not None and path not in self._tried:
            self._tried.add(path)
            self._given[path] = self._last
            return self._last
        self._tried.add(path)
        if again and path in self._asked:
            if not sys.stdin.isatty():
                return None
            click.echo("That passphrase does not open the key.", err=True)
        self._asked.add(path)
        given = asked(f"Passphrase {_of(path)} (empty: give up)", default="", show_default=False)
        self._last = given or self._last
        self._given[path] = given
        return given or None


def _of(path: Path) -> str:
    """Whose key it is; those that this laptop keeps lie deep in its own folder, and nobody knows them by that."""
    from console.places import data_dir

    if data_dir().absolute() in path.absolute().parents:
        what = "opens and stops releases" if path.name.startswith("rollout") else "signs timestamps"
        return f"of this laptop's own online key, which {what} ({path.name})"
    return f"for {path}"


def asked(words: str, **how: Any) -> str:
    """What a person gives without that it is seen. Raises Trouble `no_terminal` where nobody can be asked."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", getpass.GetPassWarning)
            given: str = click.prompt(words, hide_input=True, err=True, **how)
    except click.Abort as abort:
        if sys.stdin.isatty() or not isinstance(abort.__context__, EOFError):
            raise
        cure = "run it at a terminal; only keys without a passphrase can be used without one"
        raise Trouble(
            "a passphrase is asked at a terminal, and there is none", cure=cure, code="no_terminal"
        ) from abort
    return given


def new_passphrase(what: str, known: Passphrases | None = None) -> str:
    """A passphrase for a new key, asked for twice; `known` tries it where that key is opened in the same command."""
    from console.models.keys import LEAST_PASSPHRASE

    words = f"New passphrase for {what} (at least {LEAST_PASSPHRASE} characters, Ctrl+C: give up)"
    while True:
        given = asked(words, default="", show_default=False)
        if len(given) < LEAST_PASSPHRASE:
            click.echo(f"A passphrase needs {LEAST_PASSPHRASE} characters at least.", err=True)
        elif asked("The same once more", default="", show_default=False) != given:
            click.echo("The two are not the same.", err=True)
        else:
            break
    if known is not None:
        known.heard(given)
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


def must_be_private(paths: Iterable[Path]) -> None:
    """Raises Trouble `bad_key` for the public half of a key, before anybody is asked anything."""
    from console.models.keys import is_private_file

    for path in paths:
        if not is_private_file(path):
            cure = "give a file that `fieldgate updates key new` made"
            if path.suffix == ".pub":
                cure = f"give the private one, such as {path.name.removesuffix('.pub')}, which its person keeps"
            raise Trouble(f"{path} holds no private key: it can't sign", cure=cure, code="bad_key")


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
    opens = opening_words(repository_of(repo), came.opens)
    if came.outcome in ("waits", "complete") and opens:
        click.echo(f"  as soon as it is published {opens}", err=True)
    if came.outcome == "waits":
        for line in need_lines(came.needs):
            click.echo(f"  {line}", err=True)
        click.echo(f"  the next person: `fieldgate updates sign {repo} --key FILE`", err=True)


def tell_expiry(found: Standing, *, soon: bool = True) -> None:
    """Say on stderr what has expired, `soon`: or soon will, and what renews it."""
    from console.models.expiring import expiry_lines

    for line in expiry_lines(found, soon=soon):
        click.echo(f"warning: {line}", err=True)


def opening_words(repository: Repository, opens: str) -> str:
    """To whom a release is opened as soon as it is published: `it opens to wave 1: demo`; empty where to nobody."""
    from console.models.fleet import load_fleet

    if not opens:
        return ""
    if opens == "everyone":
        return "it opens to everyone"
    try:
        return f"it opens to wave 1: {', '.join(load_fleet(repository.fleet_path).steps()[0])}"
    except Trouble:  # the fleet's file is read again when it opens, and what is wrong with it is said then
        return "it opens to the first wave of fleet.yaml"


def need_lines(needs: Sequence[Need]) -> list[str]:
    """Each role that waits, on a line."""
    lines = []
    for need in needs:
        signed = ", ".join(need.signed) or "nobody"
        more = f", {need.missing} more of {', '.join(need.could) or 'nobody'}" if need.missing else ", enough"
        keys = f", by the {need.keys} keys" if need.keys else ""
        lines.append(f"{need.role}{keys}: {len(need.signed)} of {need.threshold} signatures ({signed}){more}")
    return lines
