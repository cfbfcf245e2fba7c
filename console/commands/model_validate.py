"""`fieldgate model validate`: the suite here, on a robot, or as evidence of a campaign. stdout is the result."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.commands.campaign_words import as_json, as_person
from remote.errors import Trouble
from remote.ready_types import ready

if TYPE_CHECKING:
    from console.checklist.states import ItemState
    from console.robots import Robot
    from remote.verdicts import ValidationReport

_FILE = click.Path(path_type=Path)
_DIGEST = re.compile(r"[0-9a-f]{8,64}\Z")
_A_RUN_S = 2.0
_LEAST_S = 4600.0
PROBE = "model_validation"


@click.command()
@click.argument("bundle")
@click.option("--on", "robot", metavar="ROBOT", help="On this robot (a folder is sent there first); else here.")
@click.option(
    "--profile", type=click.Choice(["jetson", "x86"]), help="Whose limits: the machine's own where none is named."
)
@click.option("--limit", "limits", metavar="NAME=NUMBER", multiple=True, help="Instead of the profile's; repeatable.")
@click.option(
    "--runs", default=299, show_default=True, type=click.IntRange(1, 100_000), help="Timed runs of each kind."
)
@click.option("--pictures", type=_FILE, help="Here only: recorded pictures to run on.")
@click.option("--simulation", type=_FILE, help="Results in simulation: CSV, JSON or Parquet with a column `success`.")
@click.option("--hil", type=_FILE, help="Results with hardware in the loop, likewise.")
@click.option("--campaign", metavar="NAME", help="Record it: the campaign's items with the probe model_validation.")
@as_person
@as_json
@click.option("--junit", type=_FILE, help="Write JUnit XML there too.")
def validate(
    bundle: str,
    robot: str | None,
    profile: str | None,
    limits: tuple[str, ...],
    runs: int,
    pictures: Path | None,
    simulation: Path | None,
    hil: Path | None,
    campaign: str | None,
    person: str | None,
    as_json: bool,
    junit: Path | None,
) -> None:
    """Run the validation suite on BUNDLE: a folder, or with --on also the digest of one that the robot has.

    Ends with 0 where all passed, 3 where one check failed, 7 where one decided nothing.
    """
    if campaign is not None:
        if robot or profile or limits or pictures or simulation or hil or junit or runs != 299:
            said = "With --campaign the pack's item says robot, profile, limits, runs and tables."
            raise click.UsageError(f"{said} `fieldgate check ROBOT --item ID --junit FILE` writes JUnit.")
        return _recorded(bundle, campaign, person, as_json)
    told = _limits(limits)
    _refuse_lost(junit, simulation, hil)
    if robot is not None:
        if pictures is not None:
            raise click.UsageError("--pictures is for validating here.")
        report = _there(bundle, robot, profile, told, runs)
    else:
        report = _here(bundle, profile, limits, runs, pictures)
    try:
        whole = _with_tables(report, simulation, hil)
    except Trouble:
        _show(report, as_json)  # what was measured is not lost with a table that is none
        raise
    return _tell(whole, as_json, junit)


def _refuse_lost(junit: Path | None, *tables: Path | None) -> None:
    """Raise Trouble for files that could not be read or written after all the runs."""
    from remote.verdict_text import refuse_unwritable

    if junit is not None:
        refuse_unwritable(junit)
    for table in tables:
        if table is not None and not table.is_file():
            cure = "Give the table of trials: CSV, JSON or Parquet with a column `success`"
            raise Trouble(f"table {table} does not exist", cure=cure, code="bad_table")


# ------------------------------------------------------------ where it runs


def _here(
    bundle: str, profile: str | None, limits: tuple[str, ...], runs: int, pictures: Path | None
) -> ValidationReport:
    """By the robot's half as a child process: the console loads no engine. Ends with its exit code where it says nothing."""
    import msgspec

    from console.commands.handing_on import exit_code, run
    from remote.verdicts import ValidationReport

    words = ["model", "validate", bundle, "--runs", str(runs), "--json"]
    words += ["--profile", profile] if profile is not None else []
    words += [word for limit in limits for word in ("--limit", limit)]
    words += ["--pictures", str(pictures)] if pictures is not None else []
    done = run(tuple(words), subprocess.PIPE)
    if not done.stdout.strip():
        raise click.exceptions.Exit(exit_code(done))
    return msgspec.json.decode(done.stdout, type=ready(ValidationReport))


def _there(bundle: str, name: str, profile: str | None, limits: dict[str, float], runs: int) -> ValidationReport:
    from console.checklist.probes.model_validation import ask, own_profile
    from console.commands.stored_bundles import one_stored, stored_on
    from console.link.asking import asker_for_terminal
    from console.link.opening import open_session
    from console.robots import Robots
    from console.visiting import visiting
    from remote.protocol import Validate

    robot = Robots().get(name)
    digest = digest_there(bundle, robot)
    with visiting(open_session(robot, asker=asker_for_terminal())) as visit:
        visit.arrive(silent=lambda line: click.echo(line, err=True))
        digest = one_stored(stored_on(visit), digest, name).digest
        if profile is None:
            profile = own_profile(visit.session)
            click.echo(f"profile {profile}: the robot's own, as none was named", err=True)
        click.echo(f"'{name}' validates {digest[:12]}, {runs} runs of each kind ...", err=True)
        command = Validate(digest, profile, runs, limits)  # type: ignore[arg-type]
        return ask(visit.session, command, max(_LEAST_S, runs * _A_RUN_S))


def digest_there(bundle: str, robot: Robot) -> str:
    """The digest of BUNDLE as it was given, after its folder was sent where the robot lacks it.

    Raises Trouble: `unknown_bundle` for what is neither, or what sending raises.
    """
    from console.link.bundle_send import put_bundle

    if Path(bundle).is_dir():
        digest = put_bundle(robot, Path(bundle))
        click.echo(f"{digest[:12]} is on '{robot.name}'", err=True)
        return digest
    if not _DIGEST.match(bundle.lower()):
        cure = "give a bundle's folder, or 8 digits or more of the digest of one that the robot has"
        raise Trouble(f"'{bundle}' names no bundle", cure=cure, code="unknown_bundle")
    return bundle.lower()


def _recorded(bundle: str, name: str, person: str | None, as_json: bool) -> None:
    """Let every item of the campaign that rests on the suite look, and print what came of it."""
    from console.commands.campaign_words import opened, print_item, sight_of
    from console.people import who
    from console.robots import Robots

    with opened(name) as campaign:
        items = [one.id for one in campaign.checklist.pack.items() if one.probe and one.probe.name == PROBE]
        if not items:
            cure = "add one with an overlay: docs/validation.md shows it; or validate without --campaign"
            raise Trouble(f"no item of '{name}' rests on the probe {PROBE}", cure=cure, code="unknown_item")
        digest = digest_there(bundle, Robots().get(campaign.robot))
        if not campaign.bundle.startswith(digest):
            what = f"this is the bundle {digest[:12]}, the campaign is about {campaign.bundle[:12] or 'none'}"
            raise Trouble(
                what, cure="validate the campaign's bundle, or `fieldgate campaign revise`", code="other_bundle"
            )
        with sight_of(campaign, silent=lambda line: click.echo(line, err=True)) as sight:
            click.echo(f"'{campaign.robot}' validates {digest[:12]} for {', '.join(items)} ...", err=True)
            states = campaign.check(sight, who(person), items)
        for state in sorted(states, key=_gravity):  # printing one that failed ends the command: it comes last
            print_item(state, campaign.now_ns(), as_json)


def _gravity(state: ItemState) -> int:
    grave = ("unavailable", "stale", "fail")
    return 1 + grave.index(state.state) if state.state in grave else 0


# ------------------------------------------------------------ what is said


def _with_tables(report: ValidationReport, simulation: Path | None, hil: Path | None) -> ValidationReport:
    if simulation is None and hil is None:
        return report
    from console.checklist.probes.model_validation import with_tables
    from console.looking import OfflineSight

    sight = OfflineSight(Path.cwd(), report.digest)
    return with_tables(report, sight, simulation=str(simulation or ""), hil=str(hil or ""))[0]


def _limits(words: tuple[str, ...]) -> dict[str, float]:
    from remote.verdict_text import limits_of

    try:
        return limits_of(words)
    except Trouble as trouble:
        raise click.UsageError(f"{trouble.what}: {trouble.cure}") from trouble


def _tell(report: ValidationReport, as_json: bool, junit: Path | None) -> None:
    from remote.verdict_text import EXIT, write_junit

    _show(report, as_json)
    if junit is not None:
        write_junit(junit, report)
    raise click.exceptions.Exit(EXIT[report.verdict])


def _show(report: ValidationReport, as_json: bool) -> None:
    import msgspec

    from remote.verdict_text import report_text, terminal_width

    text = msgspec.json.encode(report).decode() if as_json else report_text(report, terminal_width())
    click.echo(text, nl=as_json)
