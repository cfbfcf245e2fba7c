"""`fieldgate ROBOT`: the live screen."""

from __future__ import annotations

from pathlib import Path

import click

from remote.errors import Trouble


@click.command()
@click.argument("robot")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw with ASCII only.")
@click.option("--low-bandwidth", is_flag=True, help="Fewer repaints, no history: for a thin link to this terminal.")
@click.option("--repaint", "repaint_hz", type=click.FloatRange(0.1, 10), default=2.0, show_default=True, help="Hz.")
@click.option("--kpis", type=click.Path(path_type=Path), help="Alarm rules, instead of the ones that come along.")
def live(robot: str, ascii_only: bool, low_bandwidth: bool, repaint_hz: float, kpis: Path | None) -> None:
    """Open the live screen of ROBOT (`demo`: the embedded one)."""
    from console.app import run_live
    from console.kpis import load_kpis
    from console.link.connect import open_session
    from console.robots import Robots

    if not click.get_text_stream("stdout").isatty():
        cure = f"use `fieldgate watch {robot}` in a pipe"
        raise Trouble("the live screen needs a terminal", cure=cure, code="no_terminal")
    Robots().get(robot)
    session = open_session(robot)
    code = run_live(
        session,
        robot=robot,
        kpis=load_kpis(kpis),
        ascii=ascii_only,
        low_bandwidth=low_bandwidth,
        repaint_hz=repaint_hz,
    )
    raise click.exceptions.Exit(code)
