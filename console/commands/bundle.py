"""`fieldgate bundle` and `fieldgate eval`: making and judging bundles is the robot's half's work; here it is called.

`fieldgate-agent` of this machine runs as a child process: the laptop and the robot judge a bundle by the same code, and the
console never loads an engine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

_PASSED_ON = {"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}


def _hand_on(*words: str) -> None:
    """Run the robot's half with these words, its stdout and stderr being ours, and end with its exit code."""
    called_as = {**os.environ, "FIELDGATE_CALLED_AS": "fieldgate"}
    done = subprocess.run([sys.executable, "-m", "remote", *words], check=False, env=called_as)
    raise click.exceptions.Exit(done.returncode if done.returncode >= 0 else 128 - done.returncode)


@click.group()
def bundle() -> None:
    """A bundle is what runs on a robot: model.onnx, contract.yaml and manifest.json. Its digest is its identity."""


@bundle.command(context_settings=_PASSED_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def make(words: tuple[str, ...]) -> None:
    """Make a bundle: MODEL.onnx --like yolox|yolov5|yolov8 --labels NAMES.yaml --output DIR (`--help` tells more)."""
    _hand_on("bundle", "make", *words)


@bundle.command(context_settings=_PASSED_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def check(words: tuple[str, ...]) -> None:
    """Verify a bundle: DIR [--json]; digests, shapes, a warm-up run."""
    _hand_on("bundle", "check", *words)


@bundle.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("robot")
def send(folder: Path, robot: str) -> None:
    """Put the bundle in FOLDER on ROBOT; `fieldgate start ROBOT --bundle DIGEST` uses it."""
    from console.link.deploy import put_bundle
    from console.robots import Robots

    digest = put_bundle(Robots().get(robot), folder)
    click.echo(digest)


@click.command("eval", context_settings=_PASSED_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def evaluate(words: tuple[str, ...]) -> None:
    """Score a bundle: BUNDLE IMAGES LABELS [--score S] [--nms-iou I] [--json]; COCO's mAP and AP50."""
    _hand_on("eval", *words)
