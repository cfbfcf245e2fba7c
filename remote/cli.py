"""`fieldgate-agent`: what is run on the robot, by systemd, by an SSH session or by hand."""

from __future__ import annotations

import os
import sys

import click

from remote import __version__
from remote.errors import Trouble
from remote.lazy_commands import LazyGroup

_NAME = "fieldgate-agent"
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


TROUBLE, USAGE, INTERRUPTED = 1, 2, 130
USAGE_CODES = frozenset({"usage", "contract_missing", "calibration_missing", "dynamic_on_tensorrt", "bad_limit"})
"""Codes of Trouble that only another command line can cure."""


def main() -> None:
    """Run the command line; what goes wrong becomes two lines on stderr and exit code 1, or 2 where the words are wrong.

    FIELDGATE_CALLED_AS is the program's name in usage and errors, where another one hands its work on to this one.
    """
    called_as = os.environ.get("FIELDGATE_CALLED_AS", _NAME)
    try:
        sys.exit(cli.main(standalone_mode=False, prog_name=called_as))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        if called_as == _NAME:  # else whoever called says it
            click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except Trouble as trouble:
        click.echo(f"{called_as}: {trouble}", err=True)
        sys.exit(USAGE if trouble.code in USAGE_CODES else TROUBLE)
    except OSError as error:
        if error.filename is None:
            raise
        cure = "Look whether it may be read and written, and whether the disk has room"
        click.echo(f"{called_as}: {Trouble(f'{error.filename}: {error.strerror or error}', cure=cure)}", err=True)
        sys.exit(TROUBLE)
