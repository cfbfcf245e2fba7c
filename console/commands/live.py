"""`fieldgate ROBOT`: the live screen; its key `2` opens the checklist of the robot's campaign."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from remote.errors import Trouble

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from console.app import FieldgateApp
    from console.link.session import Session
    from console.robots import Robot


def speaks_ascii(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the terminal's locale says that it knows nothing but ASCII: LC_ALL, which outvotes the rest, is C or POSIX."""
    return environment.get("LC_ALL") in ("C", "POSIX")


_OPTIONS = (
    click.option("--ascii", is_flag=True, default=speaks_ascii, help="Draw with ASCII only; LC_ALL=C says the same."),
    click.option("--low-bandwidth", is_flag=True, help="Fewer repaints, no history: for a thin link to this terminal."),
    click.option(
        "--repaint",
        "repaint_hz",
        type=click.FloatRange(0.1, 10),
        default=2.0,
        show_default=True,
        help="Repaints a second.",
    ),
    click.option(
        "--kpis", type=click.Path(path_type=Path), help="Alarm rules, instead of those of the robot's campaign."
    ),
    click.option("--as", "person", metavar="NAME", help="Who you are in a campaign's record; else $FIELDGATE_PERSON."),
)
_screen = click.option(
    "--screen",
    "first",
    type=click.Choice(["live", "failures", "models"]),
    default="live",
    show_default=True,
    help="Which screen comes first; 1 to 5 switch.",
)
PICTURE_SIZE = (160, 45)
PICTURE_AFTER_WINDOWS = 45
CHECKLIST_PICTURE_AFTER_WINDOWS = 5
REPAINTED_S = 2.0
"""Long enough for screen and checklist to show what came last."""


def screen_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options of every command that opens the live screen."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def robot_screen_options(command: Callable[..., None]) -> Callable[..., None]:
    """Those of the commands that open a robot without a campaign."""
    return screen_options(_screen(command))


@click.command()
@click.argument("robot")
@click.option("--accept-new", is_flag=True, help="Trust a host key seen for the first time; never a changed one.")
@robot_screen_options
def live(robot: str, accept_new: bool, **options: Any) -> None:
    """Open the live screen of ROBOT (`demo`: the embedded one)."""
    open_live(robot, accept_new=accept_new, **options)


def open_live(
    robot_name: str,
    *,
    kpis: Path | None,
    tour: bool = False,
    picture: Path | None = None,
    accept_new: bool = False,
    **options: Any,
) -> NoReturn:
    """Open the screen on a robot, run it until the person leaves, and end with its exit code."""
    from console.robots import Robots

    robot = Robots().get(robot_name)
    if picture is None:
        needs_terminal(robot_name)
    run_screen(robot_name, robot, session_of(robot, accept_new), kpis=kpis, tour=tour, picture=picture, **options)


def needs_terminal(robot_name: str) -> None:
    """Raise Trouble (`no_terminal`) where this is a pipe."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):
        cure = f"use `fieldgate watch {robot_name}` in a pipe"
        raise Trouble("the live screen needs a terminal", cure=cure, code="no_terminal")


def run_screen(
    robot_name: str,
    robot: Robot | None,
    session: Session,
    *,
    kpis: Path | None,
    tour: bool = False,
    picture: Path | None = None,
    **options: Any,
) -> NoReturn:
    """Run the application on a session, close that, and end with the screen's exit code.

    `robot` is None where this laptop does not know it: then probes can look at files only.
    """
    from console.app import FieldgateApp
    from console.checking.sights import Sights
    from console.fieldtest.kpis import load_kpis

    rules = load_kpis(kpis) if kpis else None
    sights = Sights(session, robot)
    app = FieldgateApp(session, robot=robot_name, kpis=rules, sight_of=sights.of, **options)

    def leave() -> None:
        sights.leave()
        app.threads.submit(session.close)  # gives up what still waits for the robot's answer

    app.on_leave = leave
    try:
        _run(app, session, tour=tour, picture=picture)
    finally:
        if app.desk is not None and not app.threads.busy:  # what hangs may hold it, and the process ends anyway
            app.desk.campaign.close()
        sights.close()
        session.close()
    if app.crash is not None:
        from console.crash import crashed

        raise crashed(app.crash) from (None if isinstance(app.crash, Trouble) else app.crash)
    raise click.exceptions.Exit(app.return_code or 0)


def session_of(robot: Robot, accept_new: bool) -> Session:
    """A session that is ready to start.

    For a robot behind SSH questions (host key, passphrase) are answered here, while the terminal is still a plain one.
    For the one on this machine there are none, so the first paint need not wait for it.
    """

    def opened() -> Session:
        from console.link.asking import asker_for_terminal
        from console.link.opening import open_session

        return open_session(robot, asker=asker_for_terminal(accept_new=accept_new))

    if robot.transport != "local":
        return opened()
    from console.link.late_session import LateSession

    return LateSession(robot.name, opened)


def _run(app: FieldgateApp, session: Session, *, tour: bool, picture: Path | None) -> None:
    if picture is not None:
        windows = PICTURE_AFTER_WINDOWS if app.opener is None else CHECKLIST_PICTURE_AFTER_WINDOWS
        app.run(headless=True, size=PICTURE_SIZE, auto_pilot=_photographer(session, picture, windows))
        if app.crash is None:
            click.echo(str(picture))
        return
    if not tour:
        app.run()
        return
    from console.tour import Tour

    guide = Tour(session, app.say)
    guide.start()
    app.run()
    guide.stop()


def _photographer(session: Session, picture: Path, windows: int) -> Callable[[Pilot[Any]], Any]:
    async def take(pilot: Pilot[Any]) -> None:
        for _ in range(windows * 20):
            await pilot.pause(0.1)
            if session.snapshot.link.phase == "up" and len(session.snapshot.windows) >= windows:
                break
        await pilot.pause(REPAINTED_S)
        pilot.app.save_screenshot(picture.name, path=str(picture.parent))
        pilot.app.exit()

    return take
