"""`fieldgate updates wave`: a release reaches robots in waves, and a wave that does badly stops the rest."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import msgspec

from console import exits
from console.commands.updates_heard import Heard, Told, hear, reported, warn_strangers
from console.commands.updates_words import (
    Passphrases,
    as_json,
    as_person,
    hands_of,
    print_json,
    repo_argument,
    repository_of,
    tell_expiry,
)
from console.commands.watch import Duration

if TYPE_CHECKING:
    from console.models.fleet import Fleet
    from console.models.hands import Hands
    from console.models.repository import Repository
    from console.models.waves import Judged


class _At(NamedTuple):
    """What the command works on."""

    repository: Repository
    hands: Hands
    fleet: Fleet
    release: int


@click.command()
@repo_argument
@click.option("--release", "wanted", type=click.IntRange(1), help="The release; else the newest.")
@click.option("--next", "go_on", is_flag=True, help="Open the next wave, if the last one allows it.")
@click.option(
    "--anyway", default="", metavar="WHY", help="With --next: although the last one does not. The audit keeps why."
)
@click.option("--stop", "stop_why", default="", metavar="WHY", help="Close the release to all who have not taken it.")
@click.option("--watch", "watches", is_flag=True, help="Attach to the robots in turn; stop a release that does badly.")
@click.option("--for", "for_s", type=Duration(), default="8h", show_default=True, help="With --watch: end after this.")
@click.option(
    "--every", "every_s", type=Duration(), default="60s", show_default=True, help="With --watch: between rounds."
)
@click.option("--fleet", "fleet_path", type=click.Path(path_type=Path), help="The fleet's file; else REPO/fleet.yaml.")
@as_person
@as_json
def wave(
    repo: Path,
    wanted: int | None,
    go_on: bool,
    anyway: str,
    stop_why: str,
    watches: bool,
    for_s: float,
    every_s: float,
    fleet_path: Path | None,
    person: str | None,
    as_json: bool,
) -> None:
    """How the newest release does on the robots that it is open to; with an option, what is to be done about it.

    Judged from the robots' journals on this laptop. Ends with 0 where it may go on or --next opened a wave, 3 where it is
    stopped, 7 where it waits for reports or for a person.
    """
    from console.models import rollout
    from console.models.fleet import load_fleet
    from console.models.standing import standing

    if stop_why and (go_on or watches):
        raise click.UsageError("--stop goes with neither --next nor --watch.")
    if anyway and not go_on:
        raise click.UsageError("--anyway goes with --next.")
    repository, hands = repository_of(repo), hands_of(person, Passphrases())
    if stop_why:
        moved = rollout.stop(repository, hands, stop_why, wanted)
        if as_json:
            print_json(moved)
        click.echo(f"release {moved.rollout.release} is stopped: {stop_why}", err=True)
        return
    published = repository.published()
    tell_expiry(standing(repository, hands.now(), whole=False), soon=False)
    fleet = load_fleet(fleet_path or repository.fleet_path)
    at = _At(repository, hands, fleet, rollout.release_in_turn(published, wanted))
    if watches:
        judged = _watched(at, go_on, time.monotonic() + for_s, every_s)
    else:
        judged = _judged(at)
        if go_on:
            judged = _next(at, judged, anyway)
    _tell(at, judged, as_json, opened=go_on and not watches)


def _judged(at: _At) -> Judged:
    """Judge by what this laptop has of the robots' journals."""
    from console.models.reports import reports_of
    from console.models.waves import judge
    from console.store.store import Store

    store = Store()
    try:
        reports = reports_of(store, at.fleet.known, at.release)
    finally:
        store.close()
    return judge(at.fleet, at.repository.published().rollout(), at.release, reports)


def _next(at: _At, judged: Judged, anyway: str) -> Judged:
    from console.models import rollout

    moved = rollout.open_next(at.repository, at.hands, at.fleet, at.release, judged, anyway)
    whom = "everyone" if moved.rollout.everyone else ", ".join(moved.rollout.robots)
    click.echo(f"release {at.release} is open to {whom}", err=True)
    judged = _judged(at)
    warn_strangers(judged.unknown)
    return judged


# ------------------------------------------------------------------ watching


def _watched(at: _At, go_on: bool, end_s: float, every_s: float) -> Judged:
    """Rounds over the robots until the release is stopped, done, needs a person, or the time is over."""
    from console.models import rollout

    told = Told()
    warn_strangers(_judged(at).unknown)
    while True:
        judged = _round(at, told)
        words = f"{judged.word.replace('_', ' ')}: {judged.why}"
        told.say("", Heard((words,), words))
        if judged.word == "stop":
            if not at.repository.published().rollout().stopped:
                rollout.stop(at.repository, at.hands, judged.why, at.release)
            return judged
        if judged.word == "go_on" and go_on:
            judged = _next(at, judged, "")
        elif judged.word != "wait":
            return judged
        left = end_s - time.monotonic()
        if left <= 0:
            return judged
        time.sleep(min(every_s, left))


def _round(at: _At, told: Told) -> Judged:
    """Take each robot's journal that has not reported yet; one that can't be reached is said and stays unknown.

    Judged after each robot: a release that does badly is not left open while the others are asked.
    """
    judged = _judged(at)
    for robot in judged.unknown:
        heard = hear(robot, at.release)
        judged = _judged(at)
        heard = reported(judged, robot) or heard
        told.say(robot, Heard(heard.about, f"  {robot}: {heard.words}"))
        if judged.word == "stop":
            break
    return judged


# ------------------------------------------------------------------ telling


def _tell(at: _At, judged: Judged, as_json: bool, opened: bool) -> None:
    if as_json:
        print_json({"release": at.release, **msgspec.to_builtins(judged)})
    else:
        click.echo("\n".join(_lines(at, judged)))
    if judged.word == "go_on":
        click.echo(f"`fieldgate updates wave {at.repository.folder} --next` opens wave {judged.wave + 1}", err=True)
    if opened:
        return
    if judged.word == "stop":
        raise click.exceptions.Exit(exits.ALARM)
    if judged.word in ("wait", "ask"):
        raise click.exceptions.Exit(exits.NO_DATA)


def _lines(at: _At, judged: Judged) -> list[str]:
    from console.models.waves import percent

    heads = {
        "stop": "STOP",
        "wait": "waits",
        "ask": "needs a person",
        "go_on": "may go on",
        "done": "done",
    }
    lines = [f"release {at.release}, wave {judged.wave} of {judged.waves}: {heads[judged.word]}: {judged.why}"]
    for word, names in (
        ("kept", judged.committed),
        ("returned or refused", judged.mishaps),
        ("called off by person", judged.called_off),
        ("not reported yet", tuple(name for name in judged.unknown if name not in judged.called_off)),
    ):
        if names:
            lines.append(f"  {word:<20} {len(names):>3}  {', '.join(names)}")
    if judged.share_above is not None and judged.share_below is not None:
        sure, n = percent(at.fleet.stop.confidence), len(judged.committed) + len(judged.mishaps)
        bounds = [f"above {percent(judged.share_above, 1)}"] if judged.mishaps else []
        bounds += [f"below {percent(judged.share_below, 1)}"] if judged.committed else []
        each = f"each with {sure}" if len(bounds) > 1 else f"with {sure}"
        alone = "; one robot alone tells little" if n == 1 else ""
        lines.append(f"  share of mishaps     {' and '.join(bounds)}, {each} confidence, n = {n}{alone}")
    return lines
