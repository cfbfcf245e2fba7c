"""Whether results keep within their limits, on real pictures and on hostile ones: run through the rules the robot itself
uses.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from remote.perception.faults import FrameFault
from remote.protocol import Constraints, Detection
from remote.safety.constraints import broken
from remote.verdicts import Check

if TYPE_CHECKING:
    from remote.models.contract import Contract
    from remote.models.validation.frames import Named
    from remote.perception.detector import Detector

_EDGE_PX = 0.01
"""Boxes are rounded to so much when they leave the pipeline."""


def limits_of(contract: Contract, constraints: Constraints) -> Constraints:
    """The constraints in force, and never more boxes than the contract allows."""
    most, told = contract.thresholds.max_detections, constraints.max_boxes
    return Constraints(
        max_boxes=most if told is None else min(most, told),
        min_box_share=constraints.min_box_share,
        max_box_share=constraints.max_box_share,
    )


def faults_of(
    limits: Constraints, detections: Sequence[Detection], width: int, height: int, labels: Sequence[str]
) -> list[str]:
    """In words, everything in one frame's result that must not be: not finite, outside of the frame, against a constraint."""
    found = [text for one in detections if (text := _impossible(one, width, height, len(labels)))]
    return found[:1] + [text for _, text in broken(limits, detections, width, height, labels)]


def keeps_limits(
    name: str, detector: Detector, frames: Iterable[Named], limits: Constraints, what: str = "pictures"
) -> Check:
    """Run every frame; the first thing that must not be is named with its picture. Skipped where there is no frame.

    `what` the frames are, in words.
    """
    count, wrong, first = 0, 0, ""
    for frame in frames:
        count += 1
        try:
            detections = detector.detect(frame.pixels).boxes.detections()
        except FrameFault as fault:
            found = [str(fault)]
        else:
            height, width = frame.pixels.shape[:2]
            found = faults_of(limits, detections, width, height, detector.contract.labels)
        if found:
            wrong, first = wrong + 1, first or f"{frame.name}: {found[0]}"
    if not count:
        text = "no picture: the bundle carries no golden samples, and no folder of recorded pictures was given"
        return Check(name=name, verdict="skipped", text=text)
    text = f"{wrong} of {count} {what} outside of the limits ({_words(limits)})" + (f"; {first}" if first else "")
    verdict = "fail" if wrong else "pass"
    return Check(name=name, verdict=verdict, text=text, value=float(wrong), limit=0.0, unit="pictures", n=count)  # type: ignore[arg-type]


def _impossible(box: Detection, width: int, height: int, labels: int) -> str:
    corners = (box.x1, box.y1, box.x2, box.y2)
    if not all(math.isfinite(number) for number in (box.score, *corners)):
        return "a box or its score is not finite"
    if not 0 <= box.score <= 1 or not 0 <= box.label_index < labels:
        return f"a box has the score {box.score:g} and the label {box.label_index}"
    inside = -_EDGE_PX <= box.x1 < box.x2 <= width + _EDGE_PX and -_EDGE_PX <= box.y1 < box.y2 <= height + _EDGE_PX
    return "" if inside else f"a box {tuple(round(one, 1) for one in corners)} is none of the frame {width} x {height}"


def _words(limits: Constraints) -> str:
    parts = ["finite", "inside the frame", f"{limits.max_boxes} boxes at most"]
    parts += [f"each at least {limits.min_box_share:g} of it"] if limits.min_box_share is not None else []
    parts += [f"each at most {limits.max_box_share:g} of it"] if limits.max_box_share is not None else []
    return ", ".join(parts)
