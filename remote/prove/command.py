"""`fieldgate-agent prove`: thin, it parses, calls and prints."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
EXIT_FAILED = 3


@click.command()
@click.option("--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The .tar.gz to write.")
@click.option("--bundle", "bundles", multiple=True, type=_FOLDER, help="Bundle folders beside the embedded one.")
@click.option("--tests", type=_FOLDER, help="tests/remote of a checkout: the robot's tests are run too.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 64), help="Threads of ONNX Runtime.")
@click.option("--runs", default=300, show_default=True, type=click.IntRange(1, 100_000), help="Runs of each engine.")
def prove(output: Path, bundles: tuple[Path, ...], tests: Path | None, threads: int, runs: int) -> None:
    """Prove on this machine what the engines do here, and pack the result.

    Facts, what CUDA and TensorRT are here, builds, numbers and times beside ONNX Runtime, ended builds, foreign engines, the
    robot's tests. What is not here is skipped with its reason. Exit status: 0, or 3 where something failed.
    """
    from remote.errors import Trouble
    from remote.prove.package import pack, table
    from remote.prove.proof import Proof
    from remote.verdicts import overall

    embedded = Path(__file__).resolve().parents[1] / "bundles" / "tabletop"
    with tempfile.TemporaryDirectory(prefix="fieldgate-prove-") as folder:
        work = Path(folder) / "found"
        work.mkdir()
        folders = [embedded, *(bundle.resolve() for bundle in bundles)]
        proof = Proof(work, folders, tests, threads, runs, lambda text: click.echo(text, err=True))
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
