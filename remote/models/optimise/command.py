"""`model optimise`: each option makes one bundle, measured against its parent before it is written."""

from __future__ import annotations

from pathlib import Path

import click

from remote.models.comparing.command import Share, end_with, refuse_labels_alone

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("bundle", type=_FOLDER)
@click.option("--output", required=True, type=_FOLDER, help="The folder in which each made bundle gets one of its own.")
@click.option("--simplify", is_flag=True, help="Fold constants, take out what does nothing.")
@click.option("--fp16", is_flag=True, help="Half precision inside.")
@click.option("--int8", is_flag=True, help="Static INT8 as Q/DQ; needs --calibrate.")
@click.option("--dynamic", is_flag=True, help="Dynamic INT8, for CPUs only.")
@click.option("--prune", type=Share(0, 0.99, min_open=True), help="Share of weights to set to zero.")
@click.option("--structured", type=Share(0, 0.9), help="Share of channels to take out; needs --module.")
@click.option("--calibrate", type=_FOLDER, help="Pictures that set INT8's scales, 100 at least.")
@click.option("--method", default="minmax", show_default=True, type=click.Choice(["minmax", "entropy", "percentile"]))
@click.option("--keep", multiple=True, metavar="NODE", help="INT8: leave this node in float (more than once).")
@click.option(
    "--keep-float", default=0, type=click.IntRange(0, 1000), help="INT8: leave the N noisiest layers in float."
)
@click.option("--auto", is_flag=True, help="INT8: leave more layers in float until the budget holds.")
@click.option("--heavy", is_flag=True, help="INT8: convolutions and matrix products only, nothing between them.")
@click.option("--whole", is_flag=True, help="INT8: quantise the decoding of boxes too.")
@click.option("--pack", is_flag=True, help="INT8: store weights as INT8, a quarter of the size.")
@click.option(
    "--for",
    "engine",
    default="any",
    show_default=True,
    type=click.Choice(["any", "cpu", "tensorrt"]),
    help="The engine that is to run it; what it does not take is refused.",
)
@click.option("--module", default="", metavar="M:F", help="Function that gives the torch module.")
@click.option("--finetune", default="", metavar="M:F", help="Function that trains it: f(module, feeds).")
@click.option("--distil", default="", metavar="M:F", help="Function that trains it: f(teacher, student, feeds).")
@click.option("--train", type=_FOLDER, help="Pictures that --finetune and --distil get.")
@click.option("--images", type=_FOLDER, help="Pictures to measure on, others than those of --calibrate and --train.")
@click.option("--labels", type=_FOLDER, help="A .txt for each of them: class cx cy w h, a box a line.")
@click.option("--budget", default=0.02, show_default=True, type=Share(0, 1), help="AP@[.50:.95] may fall so far.")
@click.option("--agreement", default=0.95, show_default=True, type=Share(0, 1), help="Boxes found again.")
@click.option("--snr", default=30.0, show_default=True, help="Least parity of outputs in dB, where no picture decides.")
@click.option("--keep-refused", is_flag=True, help="Write a bundle that loses more than the budget too.")
@click.option("--runs", default=40, show_default=True, type=click.IntRange(0, 10_000), help="Timed runs each; 0: none.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 64), help="Threads of the engine.")
@click.option("--seed", default=0, show_default=True, help="Seed of draws and of training.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout, for each made bundle.")
def optimise(
    bundle: Path, output: Path, as_json: bool, images: Path | None, labels: Path | None, **words: object
) -> None:
    """Make smaller or faster bundles of BUNDLE and measure each against it.

    stdout has the digest of each bundle that was written, stderr all else. Exit code 3 where one loses more than the
    budget (it is written with --keep-refused only), 7 where what was measured decides nothing: without --images a detector's
    boxes are not looked at.
    """
    from remote.models.optimise.run import Result, optimise_bundle
    from remote.models.optimise.wanted import Wanted
    from remote.verdict_text import terminal_width

    def ended(one: Result) -> None:
        """Said at once: a later step may fail, and this bundle is there all the same."""
        if as_json:
            return click.echo(one.json())
        click.echo(one.text(terminal_width()), err=True)
        return click.echo(one.digest) if one.digest else None

    refuse_labels_alone(images, labels)
    results = optimise_bundle(bundle, output, Wanted(images=images, labels=labels, **words), _say, ended)  # type: ignore[arg-type]
    end_with({one.verdict for one in results})


def _say(text: str) -> None:
    click.echo(text, err=True)
