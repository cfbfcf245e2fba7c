"""What a person agrees to before a key signs: what would change, and a first root that this laptop has not seen yet."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from console.commands.updates_words import opening_words
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.models.hands import Hands
    from console.models.repository import Repository

LEAST_DIGEST = 8
_DIGEST = re.compile(rf"[0-9a-f]{{{LEAST_DIGEST},64}}")


def _digest(context: click.Context, option: click.Parameter, value: str) -> str:
    given = value.strip().lower()
    if given and not _DIGEST.fullmatch(given):
        raise click.BadParameter(f"{LEAST_DIGEST} to 64 of the digits 0 to 9 and a to f are wanted.")
    return given


first_root_option = click.option(
    "--first-root",
    "first_root",
    default="",
    metavar="DIGEST",
    callback=_digest,
    help=f"The first root's digest, {LEAST_DIGEST} characters at least, as its maker reads it: without a terminal "
    "a laptop that sees the repository for the first time signs only with it.",
)


def agree_to_change(repository: Repository, hands: Hands, yes: bool, first_root: str) -> str:
    """Say what waits, and ask; the digest of what was shown, empty for nothing.

    Raises Trouble: `not_confirmed`, `no_terminal` where nobody can be asked, `other_first_root`.
    """
    from console.models.differences import differences
    from console.models.first_root import COMPARE, is_new
    from console.models.first_root import first_root as first_root_digest
    from console.models.pending import read_pending

    pending = read_pending(repository)
    if pending is None:
        return ""
    click.echo(f"  first root {first_root_digest(repository, pending)}", err=True)
    _hold(repository, first_root_digest(repository, pending), first_root)
    unknown = is_new(repository, hands, pending) and not first_root
    if unknown:
        click.echo(f"  this laptop sees this repository for the first time; before you sign, {COMPARE}", err=True)
    for line in differences(repository, pending):
        click.echo(f"  {line}", err=True)
    opens = opening_words(repository, pending.change.opens)
    if opens:
        click.echo(f"  as soon as it is published {opens}", err=True)
    if unknown:
        ask("Sign this?", *_NOBODY_KNOWS)
    elif not yes:
        ask(
            "Sign this?", "there is no terminal to ask on; nothing was signed", "read what would change, then add --yes"
        )
    return pending.digest


def agree_to_first_root(repository: Repository, hands: Hands, first_root: str) -> None:
    """Say and ask where this laptop sees the repository for the first time: what is signed is signed for that root.

    Raises Trouble as `agree_to_change` does.
    """
    from console.models.first_root import COMPARE, is_new
    from console.models.first_root import first_root as first_root_digest

    found = first_root_digest(repository)
    _hold(repository, found, first_root)
    if not is_new(repository, hands) or first_root:
        return
    click.echo(f"first root {found}", err=True)
    click.echo(f"this laptop sees this repository for the first time; before you sign, {COMPARE}", err=True)
    ask("Is it theirs?", *_NOBODY_KNOWS)


def ask(question: str, nobody: str, cure: str, no: str = "nothing was signed") -> None:
    """Ask at a terminal, and raise Trouble: `not_confirmed` where the answer is no, `no_terminal` where there is none."""
    if not at_terminal():
        raise Trouble(nobody, cure=cure, code="no_terminal")
    if not click.confirm(question, err=True):
        raise Trouble(no, cure="do it again where you mean it", code="not_confirmed")


def at_terminal() -> bool:
    """Whether a person can be asked: an answer out of a pipe is nobody's."""
    return sys.stdin.isatty()


_NOBODY_KNOWS = (
    "this laptop sees this repository for the first time, and there is no terminal to ask on; nothing was signed",
    "let whoever made it read you the digest of its first root, and add `--first-root DIGEST`",
)


def _hold(repository: Repository, found: str, given: str) -> None:
    """Raises Trouble `other_first_root` where the first root is not the one that a person named."""
    from console.models.first_root import CODE

    if not found.startswith(given):
        what = f"the first root of {repository.folder} is {found[:16]}, not {given[:16]}; nothing was signed"
        cure = "ask whoever made the repository once more; if theirs is the other one, somebody wrote all roots anew"
        raise Trouble(what, cure=cure, code=CODE)
