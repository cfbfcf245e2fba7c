"""Scoring by what the source itself knows of a frame: a rendered scene, or pictures with label files beside them.

Matched as a scene file is (console.fieldwork.scene_file), with the frame's own objects in its place.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from console.fieldwork.scene_file import FrameSize, Known, Scene, Verdicts, scored_by
from console.fieldwork.scoring import FrameToScore
from console.record.entries import ScoredBox
from remote.errors import Trouble
from remote.protocol import Detection

MIN_IOU = 0.5
IGNORED_SHARE = 0.5
"""A wrong box of which more than this lies where something too hidden to say is counts neither way, as on the robot."""
_Box = tuple[float, float, float, float]


class Scored(NamedTuple):
    """A frame's score, and the frame without the boxes that count neither way: to that frame the score belongs."""

    frame: FrameToScore
    verdicts: Verdicts


def scored_by_source(frame: FrameToScore, min_iou: float = MIN_IOU) -> Scored:
    """Score a frame by its source's own truth.

    Raises Trouble: `no_truth` where the source knows nothing of it, `unknown_label` where the bundle lacks a label of it.
    """
    truth = frame.truth
    if truth is None:
        cure = "score it by people (`fieldgate score draw`) or by a file of known objects (`fieldgate score scene`)"
        raise Trouble("the robot's source does not itself know what is in its frames", cure=cure, code="no_truth")
    scene = Scene(
        format=1,
        scene="the source's own truth",
        boxes="pixels",
        frame=FrameSize(width=frame.width, height=frame.height),
        min_iou=min_iou,
        objects=tuple(Known(label=one.label, box=one.box) for one in truth.objects),
    )
    found = scored_by(scene, frame)
    left_out = [box for box in found.boxes if box.verdict == "wrong" and _is_ignored(_corners(box), truth.ignored)]
    boxes = tuple(box for box in found.boxes if box not in left_out)
    told = msgspec.structs.replace(
        frame, drawn=_words(frame.drawn, len(left_out)), detections=_without(frame, left_out)
    )
    return Scored(told, Verdicts(found.right, found.wrong - len(left_out), found.missed, boxes))


def _without(frame: FrameToScore, left_out: list[ScoredBox]) -> tuple[Detection, ...]:
    gone = [(box.label, box.score, *_corners(box)) for box in left_out]
    return tuple(
        one for one in frame.detections if (frame.label(one), one.score, one.x1, one.y1, one.x2, one.y2) not in gone
    )


def _words(drawn: str, left_out: int) -> str:
    over = f"; {left_out} box{'es' * (left_out != 1)} over what is too hidden to say left out" if left_out else ""
    return f"{drawn}, by the source's own truth{over}"


def _is_ignored(box: _Box, ignored: tuple[_Box, ...]) -> bool:
    return any(_covered(box, one) > IGNORED_SHARE for one in ignored)


def _covered(box: _Box, by: _Box) -> float:
    """The share of the box that lies within the other one."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    width, height = min(box[2], by[2]) - max(box[0], by[0]), min(box[3], by[3]) - max(box[1], by[1])
    return width * height / area if area > 0 and width > 0 and height > 0 else 0.0


def _corners(box: ScoredBox) -> _Box:
    return (box.x1, box.y1, box.x2, box.y2)
