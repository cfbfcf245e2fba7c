"""`fieldgate score`: say of frames drawn at random what the robot saw right, wrong and not at all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from console.commands.campaign_words import a_file, as_json, as_person, print_json, sight_of
from console.commands.field_words import field_test, tell
from console.commands.watch import Duration
from remote.errors import Trouble
from remote.lazy_commands import LazyGroup

if TYPE_CHECKING:
    from console.checklist.probes import Sight
    from console.fieldwork.field_test import FieldTest
    from console.fieldwork.scene_file import Scene
    from console.fieldwork.scoring import FrameToScore

_HERE = "console.commands.score"
_COMMANDS = {
    "draw": (_HERE, "draw", "Draw frames at random: pictures with boxes, and a sheet to fill in."),
    "enter": (_HERE, "enter", "Read a sheet that was filled in."),
    "scene": (_HERE, "scene", "Score drawn frames by a file of known objects."),
    "own": (_HERE, "own", "Score drawn frames by what the robot's source itself knows."),
}
_count = click.option("-n", "count", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Frames.")
_every = click.option(
    "--every", "every_s", type=Duration(), default="60s", show_default=True, help="One frame out of each such time."
)
_FAILS = 5
"""So many draws in a row that give no frame end the drawing."""


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def score() -> None:
    """Score what the robot saw in frames that were drawn at random in the open session.

    CAMPAIGN is a campaign's name, or its robot's.
    """


@click.command()
@click.argument("campaign")
@_count
@_every
@click.option("-o", "folder", type=click.Path(file_okay=False, path_type=Path), required=True, help="The new folder.")
def draw(campaign: str, count: int, every_s: float, folder: Path) -> None:
    """Draw frames at random from the stream, one out of each interval; write pictures with boxes and a sheet to fill in.

    In `sheet.csv` put an x into `looked` for each frame that you looked at, the numbers of wrong boxes into `wrong`, the labels
    of objects that were not reported into `missed`. Then `fieldgate score enter CAMPAIGN FOLDER/sheet.csv`.
    """
    from console.fieldwork.score_sheet import check_unused, write_sheet

    check_unused(folder)
    with field_test(campaign) as field, sight_of(field.campaign) as sight:
        frames: list[FrameToScore] = []
        try:
            for frame in _frames(field, sight, count, every_s):
                frames.append(frame)
                tell(f"{len(frames)} of {count}: {frame.drawn}, {len(frame.detections)} boxes")
        except KeyboardInterrupt:
            tell("no more is drawn")
        if not frames:
            raise Trouble("no frame was drawn", cure="see that inference runs", code="no_data")
        sheet = write_sheet(folder, field.campaign.name, frames)
    click.echo(str(sheet))


@click.command()
@click.argument("campaign")
@click.argument("sheet", type=a_file)
@as_person
@as_json
def enter(campaign: str, sheet: Path, person: str | None, as_json: bool) -> None:
    """Read a sheet that was filled in.

    A frame counts once, however often the sheet is entered; one that nobody looked at does not count.
    """
    from console.fieldwork.score_sheet import read_sheet
    from console.people import who

    speaker = who(person)
    with field_test(campaign) as field:
        found = read_sheet(sheet, field.campaign.name)
        entered, known = 0, 0
        for one in found.scores:
            if field.is_scored(one.frame.session, one.frame.run, one.frame.frame):
                known += 1
                continue
            field.score(one.frame, one.right, one.wrong, one.missed, one.boxes, speaker, one.note)
            entered += 1
    if as_json:
        return print_json({"format": 1, "entered": entered, "known": known, "blank": len(found.blank)})
    return click.echo(f"{entered} frames entered, {known} were scored already, {len(found.blank)} not looked at")


@click.command()
@click.argument("campaign")
@click.argument("scene_file", metavar="SCENE.YAML", type=a_file)
@_count
@_every
@click.option(
    "--watch", "only_watch", is_flag=True, help="Only tell the robot to look out for these objects by itself."
)
@as_person
def scene(campaign: str, scene_file: Path, count: int, every_s: float, only_watch: bool, person: str | None) -> None:
    """Score frames that are drawn at random by the objects of SCENE.YAML, which are known to be in view."""
    from console.fieldwork.scene_file import load_scene, scored_by
    from console.people import who

    known, speaker = load_scene(scene_file), who(person)
    with field_test(campaign) as field, sight_of(field.campaign) as sight:
        if only_watch:
            return _tell_robot(sight, known)
        right = wrong = missed = 0
        for frame in _frames(field, sight, count, every_s):
            by = scored_by(known, frame)
            field.score_by_scene(frame, by.right, by.wrong, by.missed, by.boxes, speaker)
            right, wrong, missed = right + by.right, wrong + by.wrong, missed + by.missed
            click.echo(f"{frame.drawn}: {by.right} right, {by.wrong} wrong, {by.missed} missed")
    return click.echo(f"altogether {right} right, {wrong} wrong, {missed} missed")


@click.command()
@click.argument("campaign")
@_count
@_every
@as_person
def own(campaign: str, count: int, every_s: float, person: str | None) -> None:
    """Score frames that are drawn at random by what the robot's source itself knows is in them.

    Sources that do are `scene:` (rendered), and `folder:` with label files beside the pictures. What is too hidden to say
    counts neither way.
    """
    from console.fieldwork.own_truth import scored_by_source
    from console.people import who

    speaker = who(person)
    with field_test(campaign) as field, sight_of(field.campaign) as sight:
        right = wrong = missed = 0
        for drawn in _frames(field, sight, count, every_s):
            frame, by = scored_by_source(drawn)
            field.score_by_scene(frame, by.right, by.wrong, by.missed, by.boxes, speaker)
            right, wrong, missed = right + by.right, wrong + by.wrong, missed + by.missed
            click.echo(f"{frame.drawn}: {by.right} right, {by.wrong} wrong, {by.missed} missed")
    return click.echo(f"altogether {right} right, {wrong} wrong, {missed} missed")


# ------------------------------------------------------------ parts


def _frames(field: FieldTest, sight: Sight, count: int, every_s: float) -> Iterator[FrameToScore]:
    """Frames of the open session, one out of each interval; one that can't be had is told and its interval left out."""
    from console.fieldwork.scoring import Draws, instants

    draws = Draws(random.SystemRandom(), every_s, sight.mono_ns())
    failed, seen = 0, set[tuple[int, int]]()
    while len(seen) < count:
        one = next(instants(draws, sight, 1))
        try:
            frame = field.draw(sight, one)
        except Trouble as trouble:
            failed += trouble.code != "session_paused"  # that is waited for
            tell(f"nothing was drawn: {trouble.what}")
            if trouble.code == "no_session" or failed >= _FAILS:
                raise
            continue
        if (frame.run, frame.frame) in seen or field.is_scored(frame.session, frame.run, frame.frame):
            failed += 1
            if failed >= _FAILS:
                raise Trouble("the same frame comes again and again", cure="see what the camera does", code="no_data")
            continue
        failed = 0
        seen.add((frame.run, frame.frame))
        yield frame


def _tell_robot(sight: Sight, scene: Scene) -> None:
    """Send the objects as what is expected in view. Raises Trouble where the robot could not be told."""
    from console.fieldwork.scene_file import watch_of
    from console.fieldwork.telling import tell_watch
    from console.visiting import confirmed
    from remote.protocol import GetFrame

    session = sight.session
    state = session.snapshot.state if session is not None else None
    if session is None or state is None or state.bundle is None:
        raise Trouble("the robot runs no bundle", cure="start inference", code="no_data")
    picture = confirmed(session.request(GetFrame(64), timeout_s=5.0), 7.0).picture
    if picture is None:
        raise Trouble("the robot gave no frame, so its size is not known", cure="start inference", code="no_data")
    labels = state.bundle.labels
    why_not = tell_watch(sight, lambda watch: watch_of(scene, picture.width, picture.height, labels, watch))
    if why_not:
        raise Trouble(f"the robot was not told: {why_not}", cure="take the lease first", code="lease_held")
    objects = "1 object" if len(scene.objects) == 1 else f"{len(scene.objects)} objects"
    click.echo(f"the robot looks out for {objects} of '{scene.scene}'")
