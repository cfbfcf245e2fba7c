"""`fieldgate-agent serve`, `attach`, `status` and `stop`: parse, call, print."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from remote.agent.places import places_for

_HOME = click.option(
    "--home", type=click.Path(path_type=Path), help="Keep everything, also the socket, in this folder."
)


def _agent_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--name", default="", help="The robot's name, shown to consoles (the host name by default)."),
        click.option("--drills", is_flag=True, help="Allow faults to be caused on purpose, for demonstrations."),
        click.option("--autostart", is_flag=True, help="Start the worker with the agent."),
        click.option(
            "--exit-when-alone", type=click.FloatRange(min=0), help="End when no console was attached for SECONDS."
        ),
        _HOME,
    ):
        command = option(command)
    return command


@click.command()
@_agent_options
def serve(home: Path | None, name: str, drills: bool, autostart: bool, exit_when_alone: float | None) -> None:
    """Run the agent in the foreground until SIGTERM or Ctrl+C."""
    from remote.agent.serve import Options
    from remote.agent.serve import serve as run

    run(places_for(home), Options(name=name, drills=drills, autostart=autostart, exit_when_alone_s=exit_when_alone))


@click.command()
@click.option("--start", is_flag=True, help="Start an agent in the background where none runs.")
@_agent_options
def attach(
    start: bool, home: Path | None, name: str, drills: bool, autostart: bool, exit_when_alone: float | None
) -> None:
    """Join stdin and stdout to the agent. Exit code 4: no agent answers; stdout then holds one `error` line."""
    from remote.agent.attach import attach as run

    options = [word for flag, given in (("--drills", drills), ("--autostart", autostart)) if given for word in (flag,)]
    pairs = (("--home", home), ("--name", name or None), ("--exit-when-alone", exit_when_alone))
    options += [word for flag, value in pairs if value is not None for word in (flag, str(value))]
    places = places_for(home)
    if home is not None:
        options[options.index("--home") + 1] = str(places.state)
    sys.exit(run(places, options if start else None))


@click.command()
@_HOME
@click.option("--json", "as_json", is_flag=True, help="One JSON object: the agent's hello and state.")
def status(home: Path | None, as_json: bool) -> None:
    """Say whether an agent runs here and what it does. Exit code 4: none runs."""
    from remote.agent.status import ask, json_text, readable

    answer = ask(places_for(home))
    if answer is None:
        click.echo("no agent runs here", err=True)
        sys.exit(4)
    click.echo(json_text(answer) if as_json else readable(answer))


@click.command()
@_HOME
@click.option("--timeout", default=20.0, show_default=True, help="Seconds to wait for its end.")
def stop(home: Path | None, timeout: float) -> None:
    """End the agent cleanly and wait for its end. Nothing to do where none runs."""
    from remote.agent.status import running_pid
    from remote.errors import Trouble

    places = places_for(home)
    pid = running_pid(places)
    if pid is None:
        click.echo("no agent runs here", err=True)
        return
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + timeout
    while running_pid(places) == pid:
        if time.monotonic() > end:
            raise Trouble(f"the agent (process {pid}) did not end within {timeout:g} s", cure=f"kill -9 {pid}")
        time.sleep(0.05)
    click.echo(f"the agent (process {pid}) has ended", err=True)
