"""`fieldgate`: the command line. Commands are imported when they are called, so `--help` stays quick."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from console import __version__, exits
from console.printing import guard_streams, output_fails
from remote.errors import Trouble
from remote.lazy_commands import LazyGroup

_COMMANDS = {
    "demo": ("console.commands.demo", "demo", "Open the console on a robot that runs on this machine."),
    "live": ("console.commands.live", "live", "Open the live screen of a robot (the same as `fieldgate ROBOT`)."),
    "watch": ("console.commands.watch", "watch", "Watch a robot without a screen: a line a second, or JSON."),
    "robot": ("console.commands.robot", "robot", "The robots of this laptop: add, list, show, remove."),
    "deploy": ("console.commands.deploy", "deploy", "Put the agent on a robot, or bring it up to date."),
    "start": ("console.commands.drive", "start", "Start inference, if wanted with another source or bundle."),
    "stop": ("console.commands.drive", "stop", "Stop inference."),
    "bundle": ("console.commands.bundle", "bundle", "Make, check and send bundles."),
    "model": ("console.commands.model", "model", "Models: export, optimise, compare, validate, push, and back."),
    "publish": ("console.commands.publish", "publish", "Sign a bundle as a release that robots take by themselves."),
    "updates": (
        "console.commands.updates",
        "updates",
        "The update repository: keys, signing, waves, USB copy, robots.",
    ),
    "eval": ("console.commands.bundle", "evaluate", "Score a bundle on labelled pictures with COCO's evaluation."),
    "campaign": ("console.commands.campaign", "campaign", "Bring a bundle onto a robot through a checklist."),
    "check": ("console.commands.check", "check", "Look at a robot's sensed items without a screen, for a job."),
    "phase": ("console.commands.phase", "phase", "Field testing: how the phases stand, begin one, is the plan enough."),
    "session": ("console.commands.session", "session", "Sessions of a field test: begin, watch, pause, end, measure."),
    "trial": ("console.commands.trial", "trial", "Log what came of each attempt of a field test, or undo it."),
    "score": ("console.commands.score", "score", "Score frames drawn at random: draw, enter, or by a scene file."),
    "checklist": ("console.commands.checklist", "checklist", "The packs of items: list, show, lint, diff, schema."),
    "failures": ("console.commands.failures", "failures", "What robots got wrong: list, mark, pull, patterns, export."),
    "roster": ("console.commands.roster", "roster", "Who may sign: people, roles and public SSH keys."),
    "sign": ("console.commands.sign", "sign", "Sign a stage of a campaign with your own SSH key."),
    "verify": (
        "console.commands.verify",
        "verify",
        "Say whether a record was changed, who signed it, what went stale.",
    ),
    "report": ("console.commands.report", "report", "Write what a campaign proves: HTML, printable page, JSON record."),
    "running": (
        "console.commands.running",
        "running",
        "What a robot did for hours: uptime, crashes, MTBF, percentiles, drift.",
    ),
    "kpis": (
        "console.commands.kpis",
        "kpis",
        "The figures of a campaign with their limits: live, a session's, all of it.",
    ),
    "gap": ("console.commands.gap", "gap", "Simulation and reality side by side: episodes, poses, pictures, models."),
    "stats": ("console.commands.stats", "stats", "What counts prove: a rate, a plan, two models, MTBF, transfer."),
    "export": ("console.commands.export", "export", "Write what was seen as CSV."),
}


class _RobotOrCommand(LazyGroup):
    """A first word that is no command is a robot: `fieldgate orin` is `fieldgate live orin`."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.lazy and not args[0].startswith("-"):
            if len(args) > 1 and not args[1].startswith("-"):
                raise click.UsageError(self._unknown(args[0]), ctx)
            args = ["live", *args]
        return super().resolve_command(ctx, args)

    def _unknown(self, word: str) -> str:
        import difflib

        near = difflib.get_close_matches(word, self.lazy, n=1)
        return f"No command is called '{word}'." + (f" Did you mean '{near[0]}'?" if near else "")


@click.group(cls=_RobotOrCommand, lazy=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fieldgate")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def cli(debug: bool) -> None:
    """Bring a trained model onto a real robot: watch it think, and keep the evidence.

    `fieldgate demo` needs no robot; `fieldgate ROBOT` opens the live screen of one.
    """


def main() -> NoReturn:
    """Run the command line and exit with a code of console.exits; errors are two lines on stderr."""
    _answer_shell_completion()
    guard_streams()
    debug = "--debug" in sys.argv[1:2]
    try:
        # Not cli.main(): that one ends with 1 when the reader of a pipe has left.
        with cli.make_context("fieldgate", sys.argv[1:]) as context:
            cli.invoke(context)
        sys.stdout.flush()
        code = exits.OK
    except click.exceptions.Exit as end:
        code = end.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        code = exits.INTERRUPTED
    except BrokenPipeError:
        code = _reader_gone()
    except Trouble as trouble:
        if debug:
            raise
        click.echo(f"fieldgate: {_said(trouble)}", err=True)
        code = exits.BY_CODE.get(trouble.code, exits.TROUBLE)
    except Exception as error:
        if debug:
            raise
        code = _output_lost(error) if isinstance(error, OSError) and output_fails(error) else _mistaken(error)
    sys.exit(_flushed(code))


def _flushed(code: int) -> int:
    """The code to end with, after the last of the output is written: Python itself would show a traceback for that."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _reader_gone()
    except OSError as error:
        return _output_lost(error)
    return code


def _mistaken(error: Exception) -> int:
    """Say that fieldgate itself is wrong."""
    from console.crash import crashed

    click.echo(f"fieldgate: {_said(crashed(error))}", err=True)
    return exits.TROUBLE


def _output_lost(error: OSError) -> int:
    """Say that the output is not whole."""
    _drop_output()
    lost = Trouble(f"the output can't be written: {error.strerror}", cure="free space there, or send it elsewhere")
    click.echo(f"fieldgate: {lost}", err=True)
    return exits.TROUBLE


def _said(trouble: Trouble) -> str:
    """The trouble's two lines; what was quoted in it can't begin one."""
    return str(Trouble(trouble.what.replace("\n", "\n  "), cure=trouble.cure.replace("\n", "\n  ")))


def _reader_gone() -> int:
    """The reader of our pipe (`| head`) has left: that is no error."""
    _drop_output()
    return exits.OK


def _drop_output() -> None:
    """What is still to be written goes nowhere, so that Python does not complain when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _answer_shell_completion() -> None:
    """What `_FIELDGATE_COMPLETE=bash_source fieldgate` and the completion that it sets up ask for."""
    instruction = os.environ.get("_FIELDGATE_COMPLETE")
    if instruction:
        from click.shell_completion import shell_complete

        sys.exit(shell_complete(cli, {}, "fieldgate", "_FIELDGATE_COMPLETE", instruction))
