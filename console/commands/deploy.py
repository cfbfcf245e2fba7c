"""`fieldgate deploy`: look, plan, show, ask, do, verify."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import click

from remote.errors import Trouble

_REPAINT_S = 0.2


@click.command()
@click.argument("robot")
@click.option("--dry-run", is_flag=True, help="Show the plan; change nothing on the robot.")
@click.option("--offline", is_flag=True, help="Use only the wheels that this laptop has already.")
@click.option("--yes", is_flag=True, help="Do not ask before doing it. Never accepts a changed host key.")
@click.option("--accept-new", is_flag=True, help="Trust a host key that was never seen before.")
@click.option("--no-input", is_flag=True, help="Never ask anything: fail where a question would be.")
def deploy(robot: str, dry_run: bool, offline: bool, yes: bool, accept_new: bool, no_input: bool) -> None:
    """Put the agent on ROBOT, or bring it up to date. Running it again changes nothing."""
    from console.link.asking import asker_for_terminal
    from console.link.deploy import carry_out, plan_for
    from console.link.opening import transport_of
    from console.robots import Robots

    target = Robots().get(robot)
    transport = transport_of(target, asker_for_terminal(no_input=no_input, accept_new=accept_new))
    try:
        plan = plan_for(target, transport, offline=offline, say=_say)
        for line in plan.lines():
            click.echo(line, err=True)
        if dry_run:
            return
        if not plan.nothing_to_do:
            _confirm(yes, no_input)
        report = carry_out(plan, transport, say=_say, tick=_ticker())
    finally:
        transport.close()
    for line in report.lines():
        click.echo(line, err=True)
    click.echo(report.version)


def _confirm(yes: bool, no_input: bool) -> None:
    if yes:
        return
    if no_input or not sys.stdin.isatty():
        raise Trouble("nobody can be asked here", cure="look at the plan, then add --yes", code="not_confirmed")
    if not click.confirm("Do this?", default=False, err=True):
        raise Trouble("nothing was changed", code="not_confirmed")


def _say(text: str) -> None:
    click.echo(f"- {text}", err=True)


def _ticker() -> Callable[[str, int, int], None]:
    """Progress on stderr: repainted in a terminal, one line a file elsewhere."""
    terminal, painted = sys.stderr.isatty(), 0.0

    def tick(name: str, done: int, whole: int) -> None:
        nonlocal painted
        last = done >= whole
        if terminal and (last or time.monotonic() - painted > _REPAINT_S):
            painted = time.monotonic()
            click.echo(f"\r  {name[:48]:<48} {done / 1e6:7.1f} of {whole / 1e6:.1f} MB", err=True, nl=last)
        elif last and not terminal:
            click.echo(f"  {name} {whole / 1e6:.1f} MB", err=True)

    return tick
