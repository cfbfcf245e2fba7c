"""`fieldgate-agent`: what is run on the robot, by systemd, by an SSH session or by hand."""

from __future__ import annotations

import os
import sys

import click

from remote import __version__
from remote.errors import Trouble
from remote.lazy_commands import LazyGroup

_COMMANDS = {
    "serve": ("remote.agent.commands", "serve", "Run the agent in the foreground."),
    "attach": ("remote.agent.commands", "attach", "Join stdin and stdout to the agent (what SSH runs)."),
    "status": ("remote.agent.commands", "status", "Say whether an agent runs here, and what it does."),
    "stop": ("remote.agent.commands", "stop", "End the agent cleanly."),
    "bundle": ("remote.models.commands", "bundle", "Make and check bundles."),
    "model": ("remote.models.model_commands", "model", "Make, compare and prove models."),
    "tuf": ("remote.updates.tuf_command", "tuf", "The bare TUF client, for the public conformance suite."),
    "prove": ("remote.prove.command", "prove", "Prove on this machine what its engines do, and pack the result."),
    "eval": ("remote.models.commands", "evaluate", "Score a bundle on labelled pictures with COCO's evaluation."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fieldgate-agent")
def cli() -> None:
    """The robot's half of fieldgate. It listens on a Unix socket and opens no port."""


def main() -> None:
    """Run the command line; a Trouble becomes two lines on stderr and exit code 1.

    FIELDGATE_CALLED_AS is the program's name in usage and errors, where another one hands its work on to this one.
    """
    called_as = os.environ.get("FIELDGATE_CALLED_AS", "fieldgate-agent")
    try:
        cli.main(standalone_mode=True, prog_name=called_as)
    except Trouble as trouble:
        click.echo(f"{called_as}: {trouble}", err=True)
        sys.exit(1)
