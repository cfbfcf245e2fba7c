"""`fieldgate-agent prove`: thin, it parses, calls and prints."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from remote.perception.engines.wishes import Wishes

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
EXIT_FAILED = 3


@click.command()
@click.option("--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The .tar.gz to write.")
@click.option("--bundle", "bundles", multiple=True, type=_FOLDER, help="Bundle folders beside the embedded one.")
@click.option("--tests", type=_FOLDER, help="tests/remote of a checkout: the robot's tests are run too.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 64), help="Threads of ONNX Runtime.")
@click.option("--runs", default=300, show_default=True, type=click.IntRange(1, 100_000), help="Runs of each engine.")
@click.option("--home", type=click.Path(path_type=Path), help="The agent's folder, where it has one of its own.")
def prove(
    output: Path, bundles: tuple[Path, ...], tests: Path | None, threads: int, runs: int, home: Path | None
) -> None:
    """Prove on this machine what the engines do here, and pack the result.

    Facts, what CUDA and TensorRT are here, builds, numbers and times beside ONNX Runtime, ended builds, foreign engines, the
    robot's tests. Engines are built as the agent's settings say. What is not here is skipped with its reason. Exit status: 0,
    or 3 where something failed.
    """
    from remote.errors import Trouble
    from remote.prove.package import pack, table
    from remote.prove.proof import Proof
    from remote.verdicts import overall

    wishes = _wishes(home)
    embedded = Path(__file__).resolve().parents[1] / "bundles" / "tabletop"
    with tempfile.TemporaryDirectory(prefix="fieldgate-prove-") as folder:
        work = Path(folder) / "found"
        work.mkdir()
        folders = [embedded, *(bundle.resolve() for bundle in bundles)]
        proof = Proof(work, folders, tests, threads, runs, _say, wishes)
        checks = proof.run()
        proof.keep("summary.txt", table(checks).encode() + b"\n")
        try:
            pack(work, output)
        except OSError as error:
            cure = "Choose another place with --output"
            raise Trouble(f"{output} can't be written: {error.strerror}", cure=cure, code="no_space") from error
    click.echo(table(checks))
    if overall(checks) == "fail":
        sys.exit(EXIT_FAILED)


def _wishes(home: Path | None) -> Wishes:
    """How the agent here builds engines: another one would be proved otherwise. Raises Trouble for settings it can't read."""
    from remote.agent.places import places_for
    from remote.agent.settings import load
    from remote.prove.proof import in_words

    where = places_for(home).settings
    wishes = load(where).engine
    whose = f"as {where} says" if where.exists() else f"as by default, {where} is not there"
    _say(f"engines are built {whose}: {in_words(wishes)}")
    return wishes


def _say(text: str) -> None:
    click.echo(text, err=True)
