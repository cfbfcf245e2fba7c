"""`fieldgate campaign new` and `revise`: what a campaign is about."""

from __future__ import annotations

from pathlib import Path

import click

from console.commands.campaign_words import a_file, as_person, named, opened, words

_BUNDLE = "A bundle's folder here, or a digest on the robot (8 characters or more), or `current`: what the robot runs."


@click.command()
@click.argument("robot")
@click.option("--bundle", required=True, help=_BUNDLE)
@click.option("--pack", required=True, help="A shipped pack's name (`fieldgate checklist list`), or a file.")
@click.option("--overlay", "overlays", type=a_file, multiple=True, help="Lay this file over it; repeatable.")
@click.option("--name", help="The campaign's name; else ROBOT-PACK.")
@click.option("--roster", type=a_file, help="Who may sign; else this laptop's own roster.")
@click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where relative paths of the checklist are looked for; else here.",
)
@as_person
def new(
    robot: str,
    bundle: str,
    pack: str,
    overlays: tuple[Path, ...],
    name: str | None,
    roster: Path | None,
    files: Path | None,
    person: str | None,
) -> None:
    """Begin a campaign: bring BUNDLE onto ROBOT through PACK. Prints its name."""
    from console.campaigns.opening import new_campaign
    from console.campaigns.who_may import no_roster_words
    from console.checklist.packs.loading import load_checklist
    from console.people import who
    from console.printing import in_line

    load_checklist(pack, overlays)  # before the robot is asked for anything
    digest, bundle_name = _bundle(bundle, robot)
    made = new_campaign(robot, digest, bundle_name, pack, overlays, name, roster, files, who(person))
    try:
        click.echo(made.name)
        next_words = f"next: `fieldgate check {robot}`, or `fieldgate campaign open {made.name}`"
        click.echo(in_line(f"began '{made.name}': {bundle_name} {digest[:8]} on {robot}; {next_words}"), err=True)
        if not made.roster.people:
            what, cure = no_roster_words(made.name)
            click.echo(in_line(f"warning: {what}") + "\n" + in_line(f"  -> {cure}"), err=True)
    finally:
        made.close()


@click.command()
@words("")
@click.option("--reason", required=True, help="Why; it stands in the record.")
@click.option("--bundle", help=_BUNDLE)
@click.option("--pack", help="The pack's new text: a shipped pack's name, or a file.")
@click.option("--overlay", "overlays", type=a_file, multiple=True, help="All overlays from now on; repeatable.")
@click.option("--no-overlays", is_flag=True, help="No overlay from now on.")
@click.option("--roster", type=a_file, help="Who may sign from now on.")
@as_person
def revise(
    words: tuple[str, ...],
    reason: str,
    bundle: str | None,
    pack: str | None,
    overlays: tuple[Path, ...],
    no_overlays: bool,
    roster: Path | None,
    person: str | None,
) -> None:
    """Put another bundle, pack, overlay or roster in force. What rested on the old one goes stale."""
    from console.people import who

    if overlays and no_overlays:
        raise click.UsageError("--overlay and --no-overlays exclude each other.")
    name, _ = named(words, 0)
    with opened(name) as campaign:
        digest, bundle_name = _bundle(bundle, campaign.robot) if bundle else (None, None)
        laid = overlays if overlays or no_overlays else None
        if digest == campaign.bundle and (pack or laid is not None or roster):
            click.echo(f"{digest[:8]} is the same bundle as before", err=True)
        campaign.revise(
            reason, who(person), bundle=digest, bundle_name=bundle_name, pack=pack, overlays=laid, roster=roster
        )
        state = campaign.state()
    stale = [item.item.id for item in state.items() if item.state == "stale"]
    click.echo(f"revised '{state.campaign}'; stale now: {', '.join(stale) or 'nothing'}", err=True)


def _bundle(given: str, robot: str) -> tuple[str, str]:
    """Digest and name of the bundle that is meant."""
    from console.campaigns.bundle_folder import bundle_in

    folder = Path(given)
    return bundle_in(folder) if folder.is_dir() else _on_robot(given, robot)


def _on_robot(given: str, robot: str) -> tuple[str, str]:
    from console.link.asking import asker_for_terminal
    from console.link.opening import open_session
    from console.robots import Robots
    from console.visiting import confirmed, visiting
    from remote.errors import Trouble
    from remote.protocol import GetChoices

    with visiting(open_session(Robots().get(robot), asker=asker_for_terminal())) as visit:
        state = visit.arrive().state
        runs = state.bundle if state else None
        choices = confirmed(visit.session.request(GetChoices("bundles"), timeout_s=10.0)).choices
    if given == "current":
        if runs is None:
            cure = f"`fieldgate bundle send DIR {robot}`, then name its digest"
            raise Trouble(f"'{robot}' has no bundle chosen", cure=cure, code="unknown_bundle")
        return runs.digest, runs.name
    fitting = [one for one in choices if one.value.startswith(given)]
    if len(given) >= 8 and len(fitting) == 1:
        return fitting[0].value, fitting[0].text.partition(" (")[
            0
        ]  # the words behind the name are its labels and digest
    there = ", ".join(one.value[:12] for one in choices) or "none"
    what = f"'{given}' is no folder here and no bundle on '{robot}' (8 characters or more of a digest)"
    raise Trouble(
        what, cure=f"the robot has: {there}; or send yours with `fieldgate bundle send`", code="unknown_bundle"
    )
