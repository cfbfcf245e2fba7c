"""`fieldgate failures pull ROBOT`: the pictures of its failures, without a screen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from console import exits
from console.commands.failures_words import counted, opened, print_json
from console.commands.watch import Duration

if TYPE_CHECKING:
    from console.link.snapshot import Snapshot
    from console.visiting import Visit

_PATIENCE_S = 60.0
"""How long a link that broke may be tried again."""
_QUIET_S = 0.5
"""Nothing is asked for and nothing comes: so long a silence is the end."""


@click.command()
@click.argument("robot")
@click.option("--for", "for_s", type=Duration(), help="Stop after this time (90s, 5m); what has come stays.")
@click.option("--accept-new", is_flag=True, help="Trust a host key seen for the first time; never a changed one.")
@click.option("--json", "as_json", is_flag=True, help="What came and what is missing as JSON on stdout.")
def pull(robot: str, for_s: float | None, accept_new: bool, as_json: bool) -> None:
    """Bring the pictures of ROBOT's failures to this laptop, the newest first; what is here is not fetched again.

    Ends with 0 where every picture that was taken is here, with 7 where some are not (stderr says why).
    """
    from console.failures.pulling import lacking
    from console.link.asking import asker_for_terminal
    from console.link.opening import open_session
    from console.robots import Robots
    from console.store.pictures import Pictures
    from console.visiting import visiting

    session = open_session(Robots().get(robot), asker=asker_for_terminal(accept_new=accept_new))
    with visiting(session) as visit:
        visit.arrive()
        came = _pulled(visit, None if for_s is None else time.monotonic() + for_s)
    with opened() as book:
        found = lacking(book, Pictures(), robot)
    if as_json:
        left = {"here": found.here, "waiting": found.waiting, "refused": found.refused}
        print_json({"robot": robot, "came": came, **left})
    click.echo(f"{counted(came, 'picture')} came; of '{robot}' {found.here:,} {_are(found.here)} here", err=True)
    if found.waiting:
        click.echo(f"{found.waiting:,} {_have(found.waiting)} not come yet: run it again when the link is up", err=True)
    for reason, count in sorted(found.refused.items()):
        click.echo(f"{count} can't be had: {reason}", err=True)
    if not found.whole:
        raise click.exceptions.Exit(exits.NO_DATA)


def _pulled(visit: Visit, end_s: float | None) -> int:
    """Wait until everything that the robot has is here, saying how it goes; how many pictures came."""
    said, quiet_since = -1, time.monotonic()
    while end_s is None or time.monotonic() < end_s:
        shot = visit.next(0.2)
        came = shot.pulling.came
        if came != said and (said < 0 or came % 10 == 0 or shot.pulling.waiting == 0):
            click.echo(f"{counted(came, 'picture')} came, {_left(shot)}", err=True)
            said = came
        if not _idle(shot):
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since >= _QUIET_S:
            break
        if shot.link.phase == "refused" or _down_too_long(shot):
            break
    return visit.session.snapshot.pulling.came


def _down_too_long(shot: Snapshot) -> bool:
    return shot.link.phase == "down" and time.monotonic_ns() - shot.link.since_ns > _PATIENCE_S * 1e9


def _idle(shot: Snapshot) -> bool:
    """Whether the journal is here as far as the robot has it, and no picture waits."""
    known = shot.state is not None and shot.stored_seq >= shot.state.journal.last_seq
    return shot.link.phase == "up" and known and shot.pulling.waiting == 0 and shot.pulling.all_known


def _left(shot: Snapshot) -> str:
    more = "" if shot.pulling.all_known else " or more"
    if shot.link.phase != "up":
        return f"the link is {shot.link.phase}, it goes on by itself"
    return f"{shot.pulling.waiting}{more} to go"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _have(count: int) -> str:
    return "has" if count == 1 else "have"
