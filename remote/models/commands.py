"""`bundle make`, `bundle check` and `eval`: thin, they parse, call and print. Data goes to stdout, narration to stderr."""

from __future__ import annotations

import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from remote.errors import Trouble

if TYPE_CHECKING:
    from remote.models.bundle import AnyBundle
    from remote.models.check import CheckReport
    from remote.models.check_policy import PolicyCheckReport
    from remote.models.evaluate import Score
    from remote.models.make import Family

_FOLDER = click.Path(path_type=Path)
_LONGEST_LABEL = 24
FEW_BOXES = 5
"""Of a class; below it one box more or less moves its score by a fifth or more."""
NO_SCORE = 7
"""Exit code where there is nothing to score against, as where anything else is not decided."""


@click.group()
def bundle() -> None:
    """Make and check bundles: model, contract and digests as one folder."""


@bundle.command()
@click.argument("model", type=_FOLDER)
@click.option("--like", required=True, type=click.Choice(["yolox", "yolov5", "yolov8"]), help="Whose conventions hold.")
@click.option("--labels", required=True, type=_FOLDER, help="Class names: YAML, or text with one a line.")
@click.option("--output", required=True, type=_FOLDER, help="The folder to make.")
@click.option("--name", help="The bundle's name.  [default: the model file's stem]")
@click.option("--size", metavar="WxH", help="Input size, only for models that leave it open.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def make(
    model: Path, like: Family, labels: Path, output: Path, name: str | None, size: str | None, as_json: bool
) -> None:
    """Write a bundle from MODEL.onnx (YOLO11 is --like yolov8)."""
    from remote.models.check import refuse_impossible
    from remote.models.labels_file import read_labels
    from remote.models.make import make_bundle
    from remote.perception.preprocess import input_shape

    def look(bundle: AnyBundle) -> None:
        refuse_impossible(bundle, f"model {model}")

    made = make_bundle(model, like, read_labels(labels), output, name=name, size=size_of(size), look=look)
    given = made.contract.input
    click.echo(
        f"{output}: {made.contract.name}, {given.width} x {given.height} {given.colour}, head {like}, "
        f"{len(made.contract.labels)} labels",
        err=True,
    )
    told = {
        "name": made.contract.name,
        "digest": made.digest,
        "head": like,
        "labels": len(made.contract.labels),
        "input_shape": input_shape(given),
        "path": str(output),
    }
    click.echo(msgspec.json.encode(told).decode() if as_json else made.digest)


@bundle.command()
@click.argument("folder", type=_FOLDER)
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 64), help="Threads of the engine.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def check(folder: Path, threads: int, as_json: bool) -> None:
    """Verify digests, shapes and a warm-up run, and measure the inference time on this machine."""
    from remote.models.bundle import PolicyBundle, load_any_bundle
    from remote.models.check import check_bundle
    from remote.models.check_policy import check_policy

    if isinstance(load_any_bundle(folder), PolicyBundle):
        policy = check_policy(folder, threads=threads)
        click.echo(_json(policy) if as_json else _policy_text(policy))
        return
    report = check_bundle(folder, threads=threads)
    click.echo(_json(report) if as_json else _check_text(report))


@click.command()
@click.argument("bundle_folder", metavar="BUNDLE", type=_FOLDER)
@click.argument("images", type=_FOLDER)
@click.argument("labels", type=_FOLDER)
@click.option("--score", default=0.01, show_default=True, type=click.FloatRange(0, 1), help="Boxes count above it.")
@click.option("--nms-iou", default=0.65, show_default=True, type=click.FloatRange(0, 1), help="NMS within a class.")
@click.option("--threads", default=1, show_default=True, type=click.IntRange(1, 64), help="Threads of the engine.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def evaluate(
    bundle_folder: Path, images: Path, labels: Path, score: float, nms_iou: float, threads: int, as_json: bool
) -> None:
    """Score BUNDLE on the pictures in IMAGES with COCO's evaluation.

    LABELS holds a .txt for each picture, a box a line: class cx cy w h, relative to the picture.
    """
    from remote.models.bundle import load_bundle
    from remote.models.evaluate import Settings, evaluate_bundle

    settings = Settings(score, nms_iou, 100)
    result = evaluate_bundle(
        load_bundle(bundle_folder), images, labels, settings, threads=threads, progress=_show_progress
    )
    click.echo(_json(result) if as_json else _score_text(result))
    if result.map is None:
        cure = "label what is in them, or give the folder where the labels are"
        click.echo(f"no box is labelled in {labels}, so there is no score\n  -> {cure}", err=True)
        raise click.exceptions.Exit(NO_SCORE)


def size_of(text: str | None) -> tuple[int, int] | None:
    """WIDTHxHEIGHT in pixels as (width, height); None for None. Raises Trouble `usage`."""
    if text is None:
        return None
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal() and 0 < int(width) <= 16384 and 0 < int(height) <= 16384):
        raise Trouble(f"--size {text!r} is not WIDTHxHEIGHT", cure="Write it like 640x480", code="usage")
    return int(width), int(height)


def row_text(name: str, value: str, width: int) -> str:
    """`name` in a column of `width`, and `value` beside it, wrapped to the terminal but never beyond 100 columns."""
    columns = max(60, min(shutil.get_terminal_size((80, 24)).columns, 100))
    wrapped = textwrap.wrap(value, columns - width, break_long_words=False, break_on_hyphens=False) or [""]
    return f"\n{'':<{width}}".join((f"{name:<{width}}{wrapped[0]}", *wrapped[1:]))


def _show_progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{done} of {of} pictures" + ("\n" if done == of else ""), err=True, nl=False)


def _json(report: CheckReport | PolicyCheckReport | Score) -> str:
    return msgspec.json.encode(report).decode()


def _check_text(report: CheckReport) -> str:
    rows = (
        ("bundle", report.name),
        ("digest", report.digest),
        ("input", " x ".join(map(str, report.input_shape))),
        ("output", f"{' x '.join(map(str, report.output_shape))}, head {report.head}, {report.labels} labels"),
        ("engine", report.engine),
        ("inference", f"p50 {report.inference_p50_ms:.2f} ms, max {report.inference_max_ms:.2f} ms, n {report.runs}"),
        ("model", f"{report.model_bytes / 1e6:.2f} MB"),
        *_maker_rows(report),
        ("verdict", "digests, shapes and a warm-up run are right"),
    )
    return "\n".join(f"{name:<10}{value}" for name, value in rows)


def _policy_text(report: PolicyCheckReport) -> str:
    golden = "none in the bundle" if report.golden is None else f"{report.golden} samples give what they gave"
    rows = (
        ("bundle", f"{report.name} (policy)"),
        ("digest", report.digest),
        *(("observes", f"{name}: {' x '.join(map(str, shape))}") for name, shape in report.observations.items()),
        ("actions", ", ".join(report.actions)),
        ("engine", report.engine),
        ("action", f"p50 {report.action_p50_ms:.3f} ms, max {report.action_max_ms:.3f} ms, n {report.runs}"),
        ("golden", golden),
        ("model", f"{report.model_bytes / 1e3:.1f} kB"),
        *_maker_rows(report),
        ("verdict", "digests, names and shapes are right; actions are finite and within their limits"),
    )
    return "\n".join(f"{name:<10}{value}" for name, value in rows)


def _maker_rows(report: CheckReport | PolicyCheckReport) -> tuple[tuple[str, str], ...]:
    return tuple(("its maker", f"measured a failure: {line}") for line in report.maker_failed)


def _score_text(score: Score) -> str:
    if score.map is None or score.ap50 is None:
        return f"no score: {score.images} pictures, no labelled box"
    head = (
        f"mAP@[.50:.95] {score.map:.4f}   AP50 {score.ap50:.4f}   {score.images} pictures, {score.boxes} boxes, "
        f"score > {score.settings.score:g}, NMS IoU {score.settings.nms_iou:g}"
    )
    rows = [f"{'label':<{_LONGEST_LABEL}} {'AP':>6} {'AP50':>6} {'boxes':>6}"]
    for row in score.labels:
        if row.ap is not None and row.ap50 is not None:
            rows.append(
                f"{row.label[:_LONGEST_LABEL]:<{_LONGEST_LABEL}} {row.ap:>6.3f} {row.ap50:>6.3f} {row.boxes:>6}"
            )
    few = [row.label for row in score.labels if 0 < row.boxes < FEW_BOXES]
    if few:
        rows.append(f"{len(few)} of these rest on fewer than {FEW_BOXES} boxes: too few to say much")
    return "\n".join((head, *rows))
