"""`fieldgate campaign open [NAME]`: the screens of a campaign, with its robot or without."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from console.commands.live import needs_terminal, run_screen, screen_options, session_of
from remote.errors import Trouble

if TYPE_CHECKING:
    from console.campaigns.campaign import Campaign
    from console.link.session import Session
    from console.robots import Robot


@click.command("open")
@click.argument("name", required=False)
@click.option("--accept-new", is_flag=True, help="Trust a host key seen for the first time; never a changed one.")
@click.option("--picture", type=click.Path(path_type=Path), help="Write the screen as SVG after some seconds, and end.")
@click.option(
    "--screen",
    "first",
    type=click.Choice(["checklist", "field", "failures", "models"]),
    default="checklist",
    show_default=True,
    help="Which screen comes first; 1 to 5 switch.",
)
@screen_options
def open_screen(name: str | None, accept_new: bool, picture: Path | None, **options: Any) -> None:
    """Open campaign NAME (or its robot's, or the only one there is) on its checklist, its field test, or its robot's failures.

    The robot need not be there: what it would show is unavailable then, everything else goes on.
    """
    if picture is None:
        needs_terminal(name or "ROBOT")
    campaign = opened(name)
    try:
        robot, session = reached(campaign.robot, accept_new)
        run_screen(campaign.robot, robot, session, picture=picture, opener=lambda: campaign, **options)
    finally:
        campaign.close()


def opened(name: str | None) -> Campaign:
    """The campaign of that name, of the robot of that name, or the only one. Raises Trouble: `unknown_campaign`,
    `which_campaign`, or what the record raises."""
    from console.campaigns.opening import all_campaigns, open_campaign

    if name is not None:
        return open_campaign(name)
    names = [one.name for one in all_campaigns() if not one.trouble]
    if len(names) == 1:
        return open_campaign(names[0])
    if names:
        cure = f"name one: {', '.join(names)}"
        raise Trouble(f"there are {len(names)} campaigns on this laptop", cure=cure, code="which_campaign")
    cure = "make one: `fieldgate campaign new ROBOT --bundle BUNDLE --pack PACK`"
    raise Trouble("there is no campaign on this laptop yet", cure=cure, code="unknown_campaign")


def reached(robot_name: str, accept_new: bool) -> tuple[Robot | None, Session]:
    """The campaign's robot and a session with it; where this laptop does not know it, one that says so and stays down."""
    from console.robots import Robots

    try:
        robot = Robots().get(robot_name)
    except Trouble as unknown:
        from console.link.late_session import LateSession

        why = unknown

        def refuse() -> Session:
            raise why

        return None, LateSession(robot_name, refuse)
    return robot, session_of(robot, accept_new)
