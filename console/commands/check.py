"""`fieldgate check ROBOT`: the sensed part of a checklist without a screen, for a person in a hurry and for a job."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from console import __version__, exits
from console.commands.campaign_words import a_file, as_person, print_json
from console.commands.watch import Duration
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.campaigns.campaign import Campaign
    from console.campaigns.checked import CheckedItem, CheckReport
    from console.checklist.probes import Sight
    from console.checklist.states import ItemState

_AWAY = (exits.UNREACHABLE, exits.UNTRUSTED, exits.REFUSED)
"""Exit codes of trouble after which the robot's items are unavailable; the laptop's are looked at all the same."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_PREFIX = 8


@click.command()
@click.argument("robot")
@click.option("--campaign", help="The campaign, where ROBOT has several.")
@click.option("--pack", help="No campaign: check by this pack (a shipped one's name, or a file) and record nothing.")
@click.option(
    "--overlay", "overlays", type=a_file, multiple=True, help="With --pack: lay this file over it; repeatable."
)
@click.option(
    "--files",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="With --pack: where relative paths are looked for; else here.",
)
@click.option("--bundle", help="With --pack: the bundle's folder, or its digest; else what the robot runs.")
@click.option("--item", "items", metavar="ID", multiple=True, help="Only this item; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout instead of the table.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML there too.")
@click.option("--timeout", "timeout_s", type=Duration(), help="Look at nothing more after this time (90s, 10m).")
@click.option("--accept-new", is_flag=True, help="Trust a host key seen for the first time; never a changed one.")
@as_person
def check(
    robot: str,
    campaign: str | None,
    pack: str | None,
    overlays: tuple[Path, ...],
    files: Path | None,
    bundle: str | None,
    items: tuple[str, ...],
    as_json: bool,
    junit: Path | None,
    timeout_s: float | None,
    accept_new: bool,
    person: str | None,
) -> None:
    """Look at every sensed item of ROBOT's checklist that applies, and say what came of it.

    With a campaign each look is recorded in it. Ends with 0 where all passed, 3 where one failed, 7 where none failed but one
    could not be decided, 4 to 6 where the robot can't be reached (its looks are recorded as unavailable).
    """
    from console.people import who
    from console.robots import Robots

    if pack and campaign:
        raise click.UsageError("--pack and --campaign exclude each other.")
    if not pack and (overlays or files or bundle):
        raise click.UsageError("--overlay, --files and --bundle belong to --pack.")
    Robots().get(robot)
    name = who(person)
    with ExitStack() as stack:
        if pack:
            unrecorded = _Unrecorded(stack, robot, pack, overlays, files or Path.cwd(), bundle, accept_new)
            about, sight, trouble = unrecorded.open(name)
        else:
            about = stack.enter_context(_open(robot, campaign))
            sight, trouble = _reached(stack, robot, about.files, about.bundle, accept_new)
        report = run(about, sight, name, items, timeout_s, trouble=trouble, recorded=not pack)
    _tell(report, as_json, junit)
    if trouble is not None:
        raise trouble
    raise click.exceptions.Exit(report.exit)


# ---------------------------------------------------------------- the run


class _TimeOver(Exception):
    """Ends the run before the next item."""


def run(
    campaign: Campaign,
    sight: Sight,
    person: str,
    items: tuple[str, ...] = (),
    timeout_s: float | None = None,
    *,
    trouble: Trouble | None = None,
    recorded: bool = True,
) -> CheckReport:
    """Look at the campaign's sensed items (or those named), tell the progress on stderr, and sum up.

    Raises Trouble for an item that there is not, and where the record can't be written.
    """
    from console.campaigns.checked import CheckReport, checked_items, counts_of, time_words, trouble_of
    from console.campaigns.limited_sight import LimitedSight
    from console.printing import in_line

    began_ns = time.time_ns()
    limited = LimitedSight(sight, bundle=campaign.bundle, limit_s=timeout_s)
    looked: set[str] = set()

    def progress(state: ItemState) -> None:
        if state.state != "running":
            looked.add(state.item.id)
            click.echo(f" {state.state}", err=True)
        elif limited.over:
            raise _TimeOver
        else:
            click.echo(in_line(f"{state.item.id}: {state.item.title} ..."), nl=False, err=True)

    try:
        campaign.check(limited, person, items or None, progress)
    except _TimeOver:
        click.echo(f"the time of {timeout_s:g} s is over; the rest was not looked at", err=True)
    state = campaign.state()
    checked = checked_items(state, items, looked, recorded=recorded)
    return CheckReport(
        software=f"fieldgate {__version__}",
        robot=campaign.robot,
        campaign=campaign.name if recorded else None,
        pack=campaign.checklist.pack.name,
        revision=state.revision,
        bundle=campaign.bundle,
        began=time_words(began_ns),
        ended=time_words(time.time_ns()),
        counts=counts_of(checked),
        trouble=trouble_of(trouble),
        exit=_exit(checked, trouble),
        items=checked,
    )


def _exit(items: tuple[CheckedItem, ...], trouble: Trouble | None) -> int:
    outcomes = {item.outcome for item in items}
    if trouble is not None:
        return exits.BY_CODE.get(trouble.code, exits.TROUBLE)
    if "fail" in outcomes:
        return exits.ALARM
    # Where nothing at all was looked at, nothing has passed.
    return exits.NO_DATA if "undecided" in outcomes or "pass" not in outcomes else exits.OK


def _tell(report: CheckReport, as_json: bool, junit: Path | None) -> None:
    from console.campaigns.state_text import charset_for
    from console.commands.check_text import report_text
    from console.report.junit import junit_xml
    from remote.atomic import write_atomically

    if as_json:
        print_json(report)
    else:
        click.echo(report_text(report, charset_for(sys.stdout.encoding)), nl=False)
    if junit is not None:
        try:
            write_atomically(junit, junit_xml(report).encode(), 0o644)
        except OSError as error:
            what = f"{junit} can't be written: {error.strerror}"
            raise Trouble(what, cure="give --junit a path that can be written", code="not_written") from error


# ---------------------------------------------------------------- what is looked at, and through what


@contextmanager
def _open(robot: str, campaign: str | None) -> Iterator[Campaign]:
    """The robot's campaign. Raises Trouble where there is none or where several are meant."""
    from console.campaigns.opening import campaign_of_robot, open_campaign

    name = campaign or campaign_of_robot(robot)
    if name is None:
        cure = f"make one (`fieldgate campaign new {robot} --bundle B --pack P`), or give --pack to record nothing"
        raise Trouble(f"'{robot}' has no campaign", cure=cure, code="unknown_campaign")
    found = open_campaign(name)
    try:
        if found.robot != robot:
            what = f"the campaign '{found.name}' is about '{found.robot}', not '{robot}'"
            raise Trouble(what, cure=f"run `fieldgate check {found.robot}`", code="other_robot")
        yield found
    finally:
        found.close()


def _reached(stack: ExitStack, robot: str, files: Path, bundle: str, accept_new: bool) -> tuple[Sight, Trouble | None]:
    """A sight of the robot; where it can't be reached, one without it and why."""
    from console.link.asking import asker_for_terminal
    from console.looking import OfflineSight, looking_at
    from console.robots import Robots

    asker = asker_for_terminal(accept_new=accept_new)
    try:
        return stack.enter_context(looking_at(Robots().get(robot), files=files, bundle=bundle, asker=asker)), None
    except Trouble as trouble:
        if exits.BY_CODE.get(trouble.code) not in _AWAY:
            raise
        return OfflineSight(files, bundle, reason=trouble.what, cure=trouble.cure), trouble


class _Unrecorded:
    """A campaign in a folder that goes when the command ends: the same rules as in a real one, and nothing is kept."""

    def __init__(
        self,
        stack: ExitStack,
        robot: str,
        pack: str,
        overlays: tuple[Path, ...],
        files: Path,
        bundle: str | None,
        accept_new: bool,
    ) -> None:
        self._stack, self._robot, self._pack, self._overlays = stack, robot, pack, overlays
        self._files, self._bundle, self._accept_new = files, bundle, accept_new

    def open(self, person: str) -> tuple[Campaign, Sight, Trouble | None]:
        """The campaign, a sight for it, and why the robot is not reached. Raises Trouble for a pack that can't be used."""
        from console.campaigns.opening import new_campaign
        from console.checklist.packs.loading import load_checklist

        load_checklist(self._pack, self._overlays)  # before the robot is asked for anything
        sight, trouble = _reached(self._stack, self._robot, self._files, "", self._accept_new)
        digest, name = self._about(sight)
        root = Path(self._stack.enter_context(TemporaryDirectory(prefix="fieldgate-check-")))
        made = new_campaign(
            self._robot, digest, name, self._pack, self._overlays, "check", files=self._files, person=person, root=root
        )
        self._stack.callback(made.close)
        return made, sight, trouble

    def _about(self, sight: Sight) -> tuple[str, str]:
        """Digest and name of the bundle that is meant: given, or what the robot runs; empty where that can't be asked."""
        from console.campaigns.bundle_folder import bundle_in

        given = self._bundle
        if given is None:
            return (sight.facts().bundle if sight.session is not None else "", "")
        if Path(given).is_dir():
            return bundle_in(Path(given))
        if _DIGEST.fullmatch(given):
            return given, ""
        there = sight.facts().bundle if sight.session is not None else ""
        if len(given) < _PREFIX or not there.startswith(given):
            cure = (
                "give a bundle's folder, its whole digest, or the first characters (8 or more) of what the robot runs"
            )
            raise Trouble(f"'{given}' names no bundle", cure=cure, code="unknown_bundle")
        return there, ""
