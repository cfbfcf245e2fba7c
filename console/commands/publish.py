"""`fieldgate publish`: a bundle becomes a signed release of a repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from console.commands.updates_agreed import agree_to_first_root, ask, first_root_option
from console.commands.updates_heard import warn_strangers
from console.commands.updates_words import (
    Passphrases,
    as_json,
    as_person,
    hands_of,
    keys_option,
    must_be_private,
    repository_of,
    signers_of,
    tell,
)

if TYPE_CHECKING:
    from console.models.acting import Came
    from console.models.hands import Hands
    from console.models.repository import Repository

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("bundle", type=_FOLDER)
@click.option("--to", "repo", type=click.Path(path_type=Path), required=True, metavar="REPO", help="The repository.")
@click.option("--class", "classes", multiple=True, help="Only for robots of this class. Repeat it for more.")
@click.option("--l4t", multiple=True, help="Only for this L4T, such as 36.4. Repeat it for more.")
@click.option("--tensorrt", multiple=True, help="Only for this TensorRT, such as 10.3. Repeat it for more.")
@click.option("--notes", default="", help="What is new; robots and consoles show it.")
@click.option("--again", is_flag=True, help="Release a bundle once more, under a new number: the way back to it.")
@click.option("--unchecked", is_flag=True, help="Do not load and run the bundle here first; a robot does that anyway.")
@click.option(
    "--anyway", is_flag=True, help="Release it although its maker measured a failure; without it that is asked."
)
@click.option("--wave", "opens", type=click.Choice(["first", "everyone"]), help="Open it at once, as far as this.")
@keys_option("Your private key. Repeat it; without it the release waits for signatures.")
@first_root_option
@as_person
@as_json
def publish(
    bundle: Path,
    repo: Path,
    classes: tuple[str, ...],
    l4t: tuple[str, ...],
    tensorrt: tuple[str, ...],
    notes: str,
    again: bool,
    unchecked: bool,
    anyway: bool,
    opens: Literal["first", "everyone"] | None,
    keys: tuple[Path, ...],
    first_root: str,
    person: str | None,
    as_json: bool,
) -> None:
    """Release BUNDLE under the next number. It is published once enough offline keys have signed it.

    No robot takes it before a wave opens it: `fieldgate updates wave REPO --next`.
    """
    from console.campaigns.bundle_folder import bundle_in
    from console.models import acting
    from console.models.releasing import Wanted, refuse_release
    from remote.release import Needs

    passphrases = Passphrases()
    bundle_in(bundle)
    must_be_private(keys)
    repository, hands = repository_of(repo), hands_of(person, passphrases)
    acting.must_be_free(repository)
    agree_to_first_root(repository, hands, first_root)
    if opens == "first":
        _check_fleet(repository)
    needs = Needs(robot_classes=classes, l4t=l4t, tensorrt=tensorrt)
    wanted = Wanted(needs=needs, notes=notes, again=again, opens=opens or "")
    signers = signers_of(keys, passphrases)
    refuse_release(repository, bundle, wanted, signers)
    _agree_to_failures(bundle, anyway)
    if not unchecked:
        _check(bundle)
    came = acting.release(repository, hands, bundle, wanted, signers)
    tell(came, repo, as_json)
    open_first(repository, hands, came)
    if came.outcome == "published" and not came.opens:
        click.echo(f"no robot takes it yet: `fieldgate updates wave {repo} --next` opens the first wave", err=True)


def _agree_to_failures(bundle: Path, anyway: bool) -> None:
    """Say what the bundle's maker measured to fail, and ask. Raises Trouble `not_confirmed`, `no_terminal`."""
    from console.commands.bundle_made import failed_by_maker, tell_failures

    tell_failures(bundle)
    if failed_by_maker(bundle) and not anyway:
        nobody = f"the maker of {bundle} measured a failure, and there is no terminal to ask on; nothing was released"
        cure = "make a bundle that passes, or add --anyway to release this one all the same"
        ask("Release it all the same?", nobody, cure, "nothing was released")


def _check(bundle: Path) -> None:
    """Load it and run it once, as each robot does before it switches. Raises Trouble `bad_bundle`."""
    import subprocess

    from console.commands.handing_on import run
    from remote.errors import Trouble

    click.echo(f"checking {bundle}: it is loaded and run here first", err=True)
    if run(("bundle", "check", str(bundle)), subprocess.DEVNULL).returncode:
        cure = "mend what was said above; --unchecked releases a bundle that this laptop has no engine for"
        raise Trouble(
            f"{bundle} does not pass `fieldgate bundle check`, so it was not released", cure=cure, code="bad_bundle"
        )


def open_first(repository: Repository, hands: Hands, came: Came) -> None:
    """Open the wave that the release asked for, once it is published."""
    if came.outcome != "published" or not came.opens or came.release is None:
        return
    from console.models import rollout
    from console.models.fleet import EVERYONE, Fleet, load_fleet
    from console.models.waves import judge

    try:
        fleet = Fleet(waves=[EVERYONE]) if came.opens == EVERYONE else load_fleet(repository.fleet_path)
        judged = judge(fleet, repository.published().rollout(), came.release, {})
        moved = rollout.open_next(repository, hands, fleet, came.release, judged)
    except BaseException:  # also Ctrl+C at a passphrase: what was done is said, and what not
        opens = f"`fieldgate updates wave {repository.folder} --next` opens it"
        click.echo(f"release {came.release} is published, and no wave of it is open: {opens}", err=True)
        raise
    whom = "everyone" if moved.rollout.everyone else ", ".join(moved.rollout.robots)
    click.echo(f"release {came.release} is open to {whom}", err=True)
    warn_strangers(fleet.steps()[0])


def _check_fleet(repository: Repository) -> None:
    from console.models.fleet import load_fleet

    load_fleet(repository.fleet_path)
