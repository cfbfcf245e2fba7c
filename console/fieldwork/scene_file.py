"""Scene files: objects that are known to be in view, and where. With one the robot's boxes are scored by themselves.

A YAML file; docs/phases.md describes it. Boxes are shares of the frame (0 to 1) or pixels of a frame whose size the file says.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec

from console.fieldtest.parts import Line, Part
from console.fieldwork.scoring import FrameToScore, check_label
from console.record.entries import ScoredBox
from remote import strict_yaml
from remote.errors import Trouble
from remote.protocol import Detection, Expectation, Watch

CODE = "bad_scene"
MOST_OBJECTS = 200
Corner = Annotated[float, msgspec.Meta(ge=0, le=100_000)]
Box = tuple[Corner, Corner, Corner, Corner]


class FrameSize(Part, frozen=True, kw_only=True):
    """The frame that boxes in pixels belong to."""

    width: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    height: Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class Known(Part, frozen=True, kw_only=True):
    """One object: its label, and its corners x1, y1, x2, y2 (none: it may be anywhere)."""

    label: Line
    box: Box | None = None


class Scene(Part, frozen=True, kw_only=True):
    """A whole scene file.

    `complete` says that there is nothing else that the model knows: only then is any other box wrong, and frames can be scored.
    `min_iou` is how much two boxes must overlap to be the same object.
    """

    format: Literal[1]
    scene: Line
    boxes: Literal["shares", "pixels"] = "shares"
    frame: FrameSize | None = None
    complete: bool = True
    min_iou: Annotated[float, msgspec.Meta(gt=0, le=1)] = 0.5
    objects: Annotated[tuple[Known, ...], msgspec.Meta(max_length=MOST_OBJECTS)]


class Verdicts(NamedTuple):
    """A frame's score by a scene."""

    right: int
    wrong: int
    missed: int
    boxes: tuple[ScoredBox, ...]


def load_scene(path: Path) -> Scene:
    """Read and check a scene file. Raises Trouble (`bad_scene`) with file, line, place and cure."""
    return _checked(strict_yaml.load(path, Scene, code=CODE), str(path))


def parse_scene(text: str, where: str) -> Scene:
    """The same from a text, which errors call `where`."""
    return _checked(strict_yaml.parse(text, Scene, where=where, code=CODE), where)


def expected_of(scene: Scene, width: int, height: int, labels: Sequence[str]) -> tuple[Expectation, ...]:
    """The objects with their corners in pixels of a frame of that size.

    Raises Trouble: `unknown_label` for one that the bundle does not know, with the nearest.
    """
    size = scene.frame if scene.boxes == "pixels" and scene.frame is not None else None
    x_scale, y_scale = (width / size.width, height / size.height) if size is not None else (width, height)

    def placed(box: Box | None) -> Box | None:
        return None if box is None else (box[0] * x_scale, box[1] * y_scale, box[2] * x_scale, box[3] * y_scale)

    return tuple(Expectation(label=check_label(one.label, labels), box=placed(one.box)) for one in scene.objects)


def watch_of(scene: Scene, width: int, height: int, labels: Sequence[str], watch: Watch) -> Watch:
    """What the robot is to look out for, with this scene's objects in it."""
    expected = expected_of(scene, width, height, labels)
    return msgspec.structs.replace(watch, expected=expected, complete=scene.complete, min_iou=scene.min_iou)


def scored_by(scene: Scene, frame: FrameToScore) -> Verdicts:
    """Score a frame: detections, the surest first, are matched with the objects of their label that they overlap most.

    Raises Trouble: `scene_incomplete`, `unknown_label`.
    """
    if not scene.complete:
        what = f"the scene '{scene.scene}' is not complete: a box that it does not have may be right all the same"
        cure = "add every object that the model knows and say `complete: true`; --watch needs no complete scene"
        raise Trouble(what, cure=cure, code="scene_incomplete")
    objects = list(expected_of(scene, frame.width, frame.height, frame.labels))
    right: list[ScoredBox] = []
    wrong: list[ScoredBox] = []
    for detection in sorted(frame.detections, key=lambda one: -one.score):
        found = _match(detection, frame.label(detection), objects, scene.min_iou)
        if found is not None:
            objects.remove(found)
        box = (detection.x1, detection.y1, detection.x2, detection.y2)
        verdict: Literal["right", "wrong"] = "wrong" if found is None else "right"
        scored = ScoredBox(frame.label(detection), detection.score, *box, verdict)
        (wrong if found is None else right).append(scored)
    missed = [ScoredBox(one.label, 0.0, *(one.box or (0.0, 0.0, 0.0, 0.0)), "missed") for one in objects]
    return Verdicts(len(right), len(wrong), len(missed), (*right, *wrong, *missed))


def iou(a: Box, b: Box) -> float:
    """The overlap of two boxes, as a share of what both cover together."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both
    return both / union if union > 0 else 0.0


def _match(detection: Detection, label: str, objects: Sequence[Expectation], min_iou: float) -> Expectation | None:
    """The object that the detection overlaps most, if enough; one without a place only where none with a place fits."""
    box = (detection.x1, detection.y1, detection.x2, detection.y2)
    same = [one for one in objects if one.label == label]
    placed = [(iou(box, one.box), one) for one in same if one.box is not None]
    overlap, best = max(placed, key=lambda pair: pair[0], default=(0.0, None))
    if best is not None and overlap >= min_iou:
        return best
    return next((one for one in same if one.box is None), None)


def _checked(scene: Scene, where: str) -> Scene:
    """Refuse boxes that can't be: turned around, or beyond the frame."""
    if scene.boxes == "pixels" and scene.frame is None:
        cure = "add `frame: {width: 1280, height: 720}`, or give shares from 0 to 1"
        raise Trouble(f"{where}: boxes in pixels need the frame's size", cure=cure, code=CODE)
    width, height = (scene.frame.width, scene.frame.height) if scene.boxes == "pixels" and scene.frame else (1, 1)
    for place, one in enumerate(scene.objects):
        if one.box is not None and not _fits(one.box, width, height):
            unit = "pixels" if scene.boxes == "pixels" else "shares from 0 to 1"
            what = f"{where}, objects[{place}] ({one.label}): {list(one.box)} is no box in {unit}"
            raise Trouble(what, cure="write it as [left, top, right, bottom] within the frame", code=CODE)
    return scene


def _fits(box: Box, width: float, height: float) -> bool:
    x1, y1, x2, y2 = box
    return 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height
