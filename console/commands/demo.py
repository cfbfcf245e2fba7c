"""`fieldgate demo`: the live screen on a robot that runs on this machine, with a tour of faults if wanted."""

from __future__ import annotations

from pathlib import Path

import click

from console.commands.live import open_live, robot_screen_options
from console.robots import DEMO


@click.command()
@click.option(
    "--faults", is_flag=True, help="A tour of real faults: camera unplugged, slow inference, crash, link cut."
)
@click.option("--picture", type=click.Path(path_type=Path), help="Write the screen as SVG after some seconds, and end.")
@robot_screen_options
def demo(faults: bool, picture: Path | None, **options: object) -> None:
    """Open the console on a robot that runs on this machine: real agent, rendered camera, small real detector."""
    open_live(DEMO, tour=faults, picture=picture, **options)  # type: ignore[arg-type]
