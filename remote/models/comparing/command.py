"""`model compare`: data to stdout, narration to stderr; exit code 3 where a bundle fails, 7 where one is inconclusive."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

FAILED, INCONCLUSIVE = 3, 7
_FOLDER = click.Path(path_type=Path)


class Share(click.FloatRange):
    """A share of a whole, from 0 to 1 or the bounds that are given; who writes a percentage is told so."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Raises click.BadParameter for none, or one out of bounds."""
        try:
            found: float = super().convert(value, param, ctx)
        except click.BadParameter as error:
            what = f"{error.message.rstrip('.')}: it is a share, 0.3 is 30 %."
            raise click.BadParameter(what, ctx=ctx, param=param) from error
        return found


def narrate(text: str) -> None:
    """What is done now, on stderr."""
    click.echo(f"{text} ...", err=True)


@click.command()
@click.argument("bundles", metavar="FIRST OTHER...", nargs=-1, required=True, type=_FOLDER)
@click.option("--images", type=_FOLDER, help="Pictures to compare on; without them golden samples or drawn inputs.")
@click.option("--labels", type=_FOLDER, help="A .txt for each picture: class cx cy w h, a box a line.")
@click.option("--budget", default=0.02, show_default=True, type=Share(0, 1), help="AP@[.50:.95] may fall so far.")
@click.option("--agreement", default=0.95, show_default=True, type=Share(0, 1), help="Boxes found again.")
@click.option("--snr", default=30.0, show_default=True, help="Least parity of outputs in dB, where no picture decides.")
@click.option("--runs", default=60, show_default=True, type=click.IntRange(0, 10_000), help="Timed runs each; 0: none.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 64), help="Threads of the engine.")
@click.option("--seed", default=0, show_default=True, help="Seed of the intervals' draws.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def compare(
    bundles: tuple[Path, ...],
    images: Path | None,
    labels: Path | None,
    budget: float,
    agreement: float,
    snr: float,
    runs: int,
    threads: int,
    seed: int,
    as_json: bool,
) -> None:
    """Compare each OTHER bundle with the FIRST: size, parity, accuracy with its interval, time here, a verdict.

    Exit code 3 where one is outside of the budget, 7 where one is not decided: a detector without --images never is.
    """
    from remote.models.bundle import load_any_bundle
    from remote.models.comparing.compare import Budget, compare_bundles
    from remote.models.comparing.table import comparison_text
    from remote.perception.picture_files import list_pictures
    from remote.verdict_text import terminal_width

    if len(bundles) < 2:
        raise click.UsageError("Give at least two bundles: the first, and those to compare with it")
    refuse_labels_alone(images, labels)
    pictures = list_pictures(images) if images else ()
    narrate(f"reading every file of the {len(bundles)} bundles")
    found = compare_bundles(
        [load_any_bundle(path) for path in bundles],
        pictures=pictures,
        labels=labels,
        budget=Budget(loss=budget, agreement=agreement, snr_db=snr),
        threads=threads,
        seed=seed,
        time_rounds=runs,
        progress=show_progress,
        say=narrate,
    )
    click.echo(msgspec.json.encode(found).decode() if as_json else comparison_text(found, terminal_width()))
    end_with({row.verdict for row in found.rows[1:]})


def refuse_labels_alone(images: Path | None, labels: Path | None) -> None:
    """Raise a usage error for labels without pictures."""
    if labels is not None and images is None:
        raise click.UsageError("--labels needs --images: the pictures that the labels belong to")


def end_with(verdicts: set[str]) -> None:
    """End with the exit code of the worst verdict."""
    if "fail" in verdicts:
        raise click.exceptions.Exit(FAILED)
    if "inconclusive" in verdicts:
        raise click.exceptions.Exit(INCONCLUSIVE)


def show_progress(done: int, of: int) -> None:
    """A line on a terminal's stderr that is written over."""
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {of} pictures" + ("\n" if done == of else ""), err=True, nl=False)
