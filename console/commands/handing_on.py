"""Commands whose work is the robot's half's: it runs as a child process, so the console never loads an engine."""

from __future__ import annotations

import os
import subprocess
import sys

import click

PASSED_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}


def run(words: tuple[str, ...], stdout: int | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run the robot's half with these words; `stdout` as subprocess takes it."""
    called_as = {**os.environ, "FIELDGATE_CALLED_AS": "fieldgate"}
    return subprocess.run([sys.executable, "-m", "remote", *words], check=False, env=called_as, stdout=stdout)


def exit_code(done: subprocess.CompletedProcess[bytes]) -> int:
    """Its exit code, as a shell tells it."""
    return done.returncode if done.returncode >= 0 else 128 - done.returncode


def hand_on(*words: str) -> None:
    """Run the robot's half with these words, its stdout and stderr being ours, and end with its exit code."""
    raise click.exceptions.Exit(exit_code(run(words)))


def handed_on(group: str, name: str, meaning: str) -> click.Command:
    """A command that hands all its words on to `fieldgate-agent GROUP NAME`, `--help` too."""

    @click.command(name, context_settings=PASSED_ON, help=meaning)
    @click.argument("words", nargs=-1, type=click.UNPROCESSED)
    def command(words: tuple[str, ...]) -> None:
        hand_on(group, name, *words)

    return command
