"""`fieldgate updates enrol` and `take`: what a robot is told of the repository, over SSH."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import click

from console import exits
from console.commands.leased import take_over_option
from console.commands.model_push import commanding
from console.commands.updates_words import Passphrases, as_person, hands_of, repository_of
from console.commands.watch import Duration
from remote.model_states import BEFORE_SWITCH

if TYPE_CHECKING:
    from console.models.repository import Repository
    from console.visiting import Visit
    from remote.model_states import ModelsState
    from remote.protocol import AgentState, Reply

_TAKE_S = 570.0
_SETTLED_S = 30.0
"""So long it is waited for that the change says what holds it: verifying and a self-test take seconds."""


@click.command()
@click.argument("robot")
@click.option("--url", required=True, help="Where the robot finds the repository: https://, http:// or file://.")
@click.option("--class", "robot_class", required=True, help="The robot's class; releases may be for some classes only.")
@click.option("--repo", type=click.Path(path_type=Path), help="The repository's folder here, for its root keys.")
@click.option("--check-every", "every_s", type=Duration(), default="1h", show_default=True, help="How often it looks.")
@click.option("--only-when-told", is_flag=True, help="It never looks by itself.")
@take_over_option
@as_person
def enrol(
    robot: str,
    url: str,
    robot_class: str,
    repo: Path | None,
    every_s: float,
    only_when_told: bool,
    take_over: bool,
    person: str | None,
) -> None:
    """Tell ROBOT where its releases come from, and give it the root keys that it trusts from now on, over SSH.

    From then on new roots reach it by themselves. Enrol again only after too many keys were lost.
    """
    from console.models.first_root import COMPARE, first_root, hold_first_root, is_new
    from console.models.publishing import Note, write_line
    from console.models.repository import id_of
    from console.models.roles import releases_above
    from console.robots import Robots
    from remote.model_states import UpdateSource
    from remote.protocol import SetUpdates

    repository, hands = _repository(repo, url), hands_of(person, Passphrases())
    if is_new(repository, hands):
        click.echo(f"first root {first_root(repository)}", err=True)
        click.echo(f"note: this laptop sees this repository for the first time; {COMPARE}", err=True)
    hold_first_root(repository, hands)
    root = repository.published().root
    source = UpdateSource(url=url, robot_class=robot_class, check_every_s=0.0 if only_when_told else every_s)
    data = repository.raw(f"{root.signed.version}.root.json")
    with commanding(Robots().get(robot), take_over) as visit:
        reply = _done(visit, SetUpdates(source, data), 30.0)
    text = f"{robot} ({robot_class}) takes releases from {url}, root {root.signed.version}"
    with repository.locked():
        write_line(repository, hands, Note("enrol", text))
    click.echo(f"{text} of repository {id_of(root.signed)[:8]}", err=True)
    click.echo(f"not tried yet: `fieldgate updates take {robot}` lets it look there now", err=True)
    state = reply.state.models.updates if reply.state and reply.state.models else None
    _warn_numbers(robot, state.release if state and state.release else 0, releases_above(root.signed), repository)


def _warn_numbers(robot: str, taken: int, above: int, repository: Repository) -> None:
    """A robot goes to higher numbers only, also where they come from another repository."""
    highest = max([above, *(one.number for one in repository.published().releases())])
    if taken > highest:
        text = (
            f"{robot} has taken release {taken} before and takes only higher numbers; this repository is at {highest}"
        )
        click.echo(f"warning: {text}: make it with --releases-above {taken}", err=True)


def _repository(repo: Path | None, url: str) -> Repository:
    """The folder whose root is handed over: the one that was named, or the one that a file:// URL names."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https", "file"):
        raise click.UsageError("--url begins with https://, http:// or file://.")
    if parts.scheme == "http":
        click.echo("note: without https others can see what is taken; what is taken is signed all the same", err=True)
    if repo is None and parts.scheme != "file":
        raise click.UsageError(
            "Give --repo: the root keys are read from the repository's folder, not from the network."
        )
    return repository_of(repo or Path(unquote(parts.path)))


@click.command()
@click.argument("robot")
@click.option("--from", "folder", help="A copy of the repository on the robot, such as /media/usb/updates.")
@take_over_option
def take(robot: str, folder: str | None, take_over: bool) -> None:
    """Let ROBOT look for a release now. It brings what is open to it into use by all its steps, alone: this says what it waits
    for by then, `fieldgate model list` how it goes on. Ends with 3 where the release was refused meanwhile.
    """
    from console.models.wording import look_words
    from console.robots import Robots
    from remote.protocol import TakeUpdate

    with commanding(Robots().get(robot), take_over) as visit:
        reply = _done(visit, TakeUpdate(folder), _TAKE_S)
        models = reply.state.models if reply.state else None
        if models is None or models.candidate is None:
            click.echo(f"{robot}: {look_words(models)}")
            return
        shot = visit.wait(lambda one: _settled(one.state), _SETTLED_S)
        state = (shot or visit.session.snapshot).state
    _tell_taken(robot, models, state.models if state and state.models else models)


def _settled(state: AgentState | None) -> bool:
    """Whether the change waits for something, has switched or has ended: what a person wants to know before going away."""
    models = state.models if state is not None else None
    return models is not None and (bool(models.waits_for) or models.step not in BEFORE_SWITCH)


def _tell_taken(robot: str, began: ModelsState, now: ModelsState) -> None:
    """Which release was taken, how far it is, what holds it; a change that has ended by now, by how it did."""
    from console.models.wording import look_words, outcome_words

    if now.candidate is None and now.last is not None and now.last != began.last:
        click.echo(f"{robot}: {look_words(now)}; {outcome_words(now.last)}")
        if now.last.ended != "committed":
            raise click.exceptions.Exit(exits.ALARM)
        return
    click.echo(f"{robot}: {look_words(now)}")
    click.echo(f"{robot} goes on by itself; `fieldgate model list {robot}` tells how it goes", err=True)


def _done(visit: Visit, command: object, timeout_s: float) -> Reply:
    from console.visiting import confirmed

    return confirmed(visit.session.request(command, timeout_s=timeout_s), timeout_s + 5.0)  # type: ignore[arg-type]
