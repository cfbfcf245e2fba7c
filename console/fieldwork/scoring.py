"""Frames of the stream that people score without ground truth: drawn at random, fetched with what was detected in them."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timezone
from typing import NamedTuple

import msgspec

from console.campaigns.looking_at import moment_of
from console.checklist.probes import Sight
from console.record.entries import Moment, ScoredBox
from console.visiting import confirmed
from remote.errors import Trouble
from remote.protocol import Detection, GetFrame, SourceTruth
from remote.refusals import nearest_of

WIDTH = 1280
FRAME_S = 5.0
EVERY_S = 60.0
"""So long is an interval out of which one frame is drawn, where nobody says otherwise."""


class Draw(NamedTuple):
    """One instant, drawn uniformly within its interval, all in nanoseconds of the laptop's monotonic clock."""

    number: int
    at_ns: int
    from_ns: int
    to_ns: int


class FrameToScore(msgspec.Struct, frozen=True, kw_only=True):
    """A frame with its picture and what was detected in it; `labels` are the bundle's.

    `width` and `height` are the frame's, to which the boxes belong; the JPEG may be smaller. `drawn` says how it was drawn.
    `conditions` and `fingerprints` are the session's when it was drawn. `truth` is what the source itself knows of it;
    `draw` and `draw_of` as in FrameScored.
    """

    session: int
    phase: str
    run: int
    frame: int
    width: int
    height: int
    jpeg: bytes
    detections: tuple[Detection, ...]
    labels: tuple[str, ...]
    drawn: str
    conditions: dict[str, str] = {}
    fingerprints: dict[str, str] = {}
    moment: Moment
    truth: SourceTruth | None = None
    draw: str = ""
    draw_of: int = 0

    def label(self, detection: Detection) -> str:
        """What the detection is called; its number where the bundle gives it no name."""
        index = detection.label_index
        return self.labels[index] if 0 <= index < len(self.labels) else str(index)

    def reported(self, wrong: Collection[int] = ()) -> tuple[ScoredBox, ...]:
        """The boxes that the robot reported, in their order; those whose places (from 0) are in `wrong` as wrong."""
        return tuple(
            ScoredBox(
                self.label(one), one.score, one.x1, one.y1, one.x2, one.y2, "wrong" if place in wrong else "right"
            )
            for place, one in enumerate(self.detections)
        )


class Draws:
    """One random instant in each of consecutive intervals, so that frames are drawn evenly over the time and none can be
    foreseen.

    Args:
        rng: where chance comes from.
        every_s: the length of an interval.
        begin_ns: when the first one begins, by the clock that `next` is asked with.
    """

    def __init__(self, rng: random.Random, every_s: float, begin_ns: int) -> None:
        self._rng, self._every_ns, self._begin_ns = rng, round(every_s * 1e9), begin_ns
        self._next = 0

    def next(self, now_ns: int) -> Draw:
        """The next interval's draw. Intervals whose instant is over already are left out, for drawing later would not be at
        random."""
        while True:
            from_ns = self._begin_ns + self._next * self._every_ns
            at_ns = from_ns + self._rng.randrange(self._every_ns)
            self._next += 1
            if at_ns >= now_ns:
                return Draw(self._next, at_ns, from_ns, from_ns + self._every_ns)


def drawn_words(draw: Draw, frame: int, now_ns: int, now_wall_ns: int) -> str:
    """`frame 8123, drawn at random within 10:03:00-10:04:00 UTC`."""
    begin, end = (_clock(now_wall_ns + at_ns - now_ns) for at_ns in (draw.from_ns, draw.to_ns))
    return f"frame {frame}, drawn at random within {begin}-{end} UTC"


def fetch_frame(
    sight: Sight,
    draw: Draw,
    *,
    session: int,
    phase: str,
    conditions: dict[str, str],
    fingerprints: dict[str, str],
    width: int = WIDTH,
) -> FrameToScore:
    """The robot's newest frame, now, as drawn. Raises Trouble: `no_robot`, `no_frame`, `moved_on`, `wrong_bundle`, or the
    agent's refusal."""
    robot = sight.session
    if robot is None:
        raise Trouble("there is no robot to draw frames from", cure="connect it", code="no_robot")
    before = robot.snapshot.state
    picture = confirmed(robot.request(GetFrame(width), timeout_s=FRAME_S), FRAME_S + 2.0).picture
    after = robot.snapshot.state
    if picture is None or picture.frame is None or before is None or before.bundle is None:
        raise Trouble("the robot gave no frame", cure="see that inference runs", code="no_frame")
    if after is None or (before.worker.run, before.bundle.digest) != (
        after.worker.run,
        after.bundle.digest if after.bundle else "",
    ):
        raise Trouble("inference was started anew while the frame was fetched", cure="draw again", code="moved_on")
    if before.bundle.digest != (fingerprints.get("bundle") or before.bundle.digest):
        what = f"the robot runs {before.bundle.digest[:8]}, not the campaign's {fingerprints['bundle'][:8]}"
        raise Trouble(what, cure="start the campaign's bundle, then draw", code="wrong_bundle")
    return FrameToScore(
        session=session,
        phase=phase,
        run=before.worker.run,
        frame=picture.frame,
        width=picture.width,
        height=picture.height,
        jpeg=picture.jpeg,
        detections=picture.detections,
        labels=before.bundle.labels,
        drawn=drawn_words(draw, picture.frame, sight.mono_ns(), sight.wall_ns()),
        conditions=conditions,
        fingerprints=fingerprints,
        moment=moment_of(sight),
        truth=picture.truth,
    )


def check_score(frame: FrameToScore, right: int, wrong: int, missed: int, boxes: Sequence[ScoredBox]) -> None:
    """Refuse counts that don't fit the frame, and labels that the bundle does not have.

    Raises Trouble: `bad_score`, `unknown_label`.
    """
    if min(right, wrong, missed) < 0 or right + wrong != len(frame.detections):
        what = f"{right} right and {wrong} wrong do not fit the {len(frame.detections)} boxes that were reported"
        raise Trouble(what, cure="say of each box whether it is right or wrong", code="bad_score")
    counted = {verdict: sum(box.verdict == verdict for box in boxes) for verdict in ("right", "wrong", "missed")}
    if boxes and ((counted["right"], counted["wrong"]) != (right, wrong) or counted["missed"] > missed):
        raise Trouble("the boxes do not fit the counts", cure="count them again", code="bad_score")
    for box in boxes:
        if box.verdict == "missed":
            check_label(box.label, frame.labels)


def check_label(label: str, labels: Sequence[str]) -> str:
    """The label. Raises Trouble (`unknown_label`) with the nearest one that the bundle knows."""
    if label not in labels:
        known = nearest_of(label, labels, "labels") if labels else "the robot did not say what its bundle knows"
        raise Trouble(f"the bundle knows no '{label}'", cure=known, code="unknown_label")
    return label


def instants(draws: Draws, sight: Sight, count: int) -> Iterator[Draw]:
    """`count` draws, each given when its instant has come."""
    for _ in range(count):
        draw = draws.next(sight.mono_ns())
        wait_s = (draw.at_ns - sight.mono_ns()) / 1e9
        if wait_s > 0:
            sight.wait(lambda _shot: False, wait_s)
        yield draw


def _clock(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns // 1_000_000_000, timezone.utc).strftime("%H:%M:%S")
