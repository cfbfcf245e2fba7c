"""`fieldgate bundle` and `fieldgate eval`: making and judging bundles is the robot's half's work; here it is called.

`fieldgate-agent` of this machine runs as a child process: the laptop and the robot judge a bundle by the same code, and the
console never loads an engine.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import click

from console.commands.handing_on import PASSED_ON, exit_code, hand_on, handed_on, run
from remote.ready_types import ready


@click.group()
def bundle() -> None:
    """A bundle is what runs on a robot: model.onnx, contract.yaml and manifest.json. Its digest is its identity."""


bundle.add_command(
    handed_on(
        "bundle",
        "make",
        "Make a bundle: MODEL.onnx --like yolox|yolov5|yolov8 --labels NAMES.yaml --output DIR (`--help` tells more).",
    )
)
bundle.add_command(handed_on("bundle", "check", "Verify a bundle: DIR [--json]; digests, shapes, a warm-up run."))


@bundle.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("robot")
def send(folder: Path, robot: str) -> None:
    """Put the bundle in FOLDER on ROBOT; `fieldgate start ROBOT --bundle DIGEST` uses it."""
    from console.commands.bundle_made import tell_failures
    from console.link.bundle_send import put_bundle
    from console.robots import Robots

    known = Robots().get(robot)
    tell_failures(folder)
    sent = True

    def already() -> None:
        nonlocal sent
        sent = False

    digest = put_bundle(known, folder, already=already)
    click.echo(f"{digest[:12]} is on '{robot}'{'' if sent else ' already: nothing was sent'}", err=True)
    click.echo(digest)


@click.command("eval", context_settings=PASSED_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def evaluate(words: tuple[str, ...]) -> None:
    """Score a bundle: BUNDLE IMAGES LABELS [--score S] [--nms-iou I] [--json]; COCO's mAP and AP50.

    With --campaign NAME [--as PERSON] the score is kept in the record of that campaign, as evidence for its KPIs.
    """
    rest, campaign = _taken(words, "--campaign")
    rest, person = _taken(rest, "--as")
    if campaign is None:
        hand_on("eval", *words)
    else:
        _recorded(rest, campaign, person)


def _taken(words: tuple[str, ...], option: str) -> tuple[tuple[str, ...], str | None]:
    """The words without `option VALUE` or `option=VALUE`, and the value; None where it is not there."""
    for place, word in enumerate(words):
        if word.startswith(f"{option}="):
            return (*words[:place], *words[place + 1 :]), word.partition("=")[2]
        if word == option:
            if place + 1 == len(words):
                raise click.UsageError(f"{option} wants a value.")
            return (*words[:place], *words[place + 2 :]), words[place + 1]
    return words, None


def _recorded(words: tuple[str, ...], name: str, person: str | None) -> None:
    import msgspec

    from console.commands.campaign_words import opened
    from console.fieldwork.evaluating import Score, record_score
    from console.people import who

    folders = [Path(word) for word in words if Path(word).is_dir()]
    if len(folders) != 3:
        raise click.UsageError("--campaign wants the folders BUNDLE IMAGES LABELS.")
    plain = tuple(word for word in words if word != "--json")
    with opened(name) as campaign:
        done = run(("eval", *plain, "--json"), subprocess.PIPE)
        if done.returncode:
            raise click.exceptions.Exit(exit_code(done))
        score = msgspec.json.decode(done.stdout, type=ready(Score))
        seq = record_score(campaign, score, folders[1], folders[2], who(person))
    if "--json" in words:
        click.echo(done.stdout.decode().rstrip())
    else:
        click.echo(
            f"mAP {100 * score.map:.1f} % (IoU .50 to .95), AP50 {100 * score.ap50:.1f} %, {score.images} pictures"
        )
    click.echo(f"kept as entry {seq} of '{name}'", err=True)
