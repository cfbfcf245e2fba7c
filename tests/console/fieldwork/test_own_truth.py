"""Frames scored by what their source knows: a wrong rule here passes a blind robot, or fails a good one for what is hidden."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from console.fieldwork.field_test import FieldTest
from console.fieldwork.own_truth import scored_by_source
from console.fieldwork.scoring import Draw, FrameToScore
from console.record.entries import FrameScored
from remote.errors import Trouble
from remote.perception.cameras.base import Frame
from remote.perception.cameras.scene import SceneCamera
from remote.perception.handoff import Seen
from remote.perception.liveness import Look
from remote.perception.shown import Shown
from remote.perception.watching.boxes import Known, Truth
from remote.protocol import Expectation, Picture, SourceTruth
from tests.console.checklist.campaign_world import last
from tests.console.fieldwork.field_world import FieldRobot, FieldWorld

CUP, BOWL = Expectation(label="cup", box=(12, 12, 62, 62)), Expectation(label="bowl", box=(100, 100, 150, 150))


@pytest.fixture
def field(world: FieldWorld) -> FieldTest:
    world.at = FieldRobot(world)  # type: ignore[attr-defined]
    return world.in_lab(world.at)  # type: ignore[attr-defined]


@pytest.fixture
def frame(world: FieldWorld, field: FieldTest) -> FrameToScore:
    """The robot reports a cup at 10..60 and a bowl at 100..150."""
    return field.draw(world.at.sight, Draw(0, 0, 0, 10**9))  # type: ignore[attr-defined]


def knowing(frame: FrameToScore, *objects: Expectation, ignored: tuple[float, ...] = ()) -> FrameToScore:
    boxes = ((ignored[0], ignored[1], ignored[2], ignored[3]),) if ignored else ()
    return msgspec.structs.replace(frame, truth=SourceTruth(objects, boxes))


def test_what_the_source_knows_says_what_is_right_wrong_and_missed(frame: FrameToScore) -> None:
    assert scored_by_source(knowing(frame, CUP, BOWL)).verdicts[:3] == (2, 0, 0)
    assert scored_by_source(knowing(frame, CUP)).verdicts[:3] == (1, 1, 0)
    elsewhere = Expectation(label="bowl", box=(300, 300, 340, 340))
    assert scored_by_source(knowing(frame, CUP, elsewhere)).verdicts[:3] == (1, 1, 1)
    assert scored_by_source(knowing(frame)).verdicts[:3] == (0, 2, 0)


def test_a_box_over_what_is_too_hidden_to_say_counts_neither_way(field: FieldTest, frame: FrameToScore) -> None:
    told, verdicts = scored_by_source(knowing(frame, CUP, ignored=(98, 98, 152, 130)))
    assert verdicts[:3] == (1, 0, 0)
    assert told.drawn.endswith(", by the source's own truth; 1 box over what is too hidden to say left out")
    field.score_by_scene(told, verdicts.right, verdicts.wrong, verdicts.missed, verdicts.boxes, "anna")
    kept = last(field.campaign, "frame_scored")
    assert isinstance(kept, FrameScored)
    assert (kept.by, kept.right, kept.wrong, kept.drawn) == ("scene", 1, 0, told.drawn)
    assert scored_by_source(knowing(frame, CUP, ignored=(98, 98, 152, 124))).verdicts.wrong == 1


def test_a_right_box_stays_right_though_something_hidden_is_behind_it(frame: FrameToScore) -> None:
    assert scored_by_source(knowing(frame, CUP, BOWL, ignored=(0, 0, 640, 480))).verdicts[:3] == (2, 0, 0)


def test_a_source_that_knows_nothing_scores_nothing_and_says_what_to_do(frame: FrameToScore) -> None:
    assert frame.truth is None
    with pytest.raises(Trouble) as refused:
        scored_by_source(frame)
    assert (refused.value.code, "score scene" in refused.value.cure) == ("no_truth", True)


def test_an_object_that_the_bundle_can_not_name_is_refused_not_missed_for_ever(frame: FrameToScore) -> None:
    with pytest.raises(Trouble) as refused:
        scored_by_source(knowing(frame, Expectation(label="cone", box=(1, 1, 9, 9))))
    assert refused.value.code == "unknown_label"


def test_a_live_picture_tells_what_its_source_knows_and_leaves_it_open_where_that_is_nothing() -> None:
    image = np.zeros((48, 64, 3), np.uint8)

    def truth_of(truth: Truth | None) -> SourceTruth | None:
        seen = Seen(0, Frame(image, 1, 0, truth=truth), 1.0, Look(0.0, 0.0, 0))
        return Shown(4, seen, {}, ()).picture().truth

    assert truth_of(None) is None
    assert truth_of(Truth(())) == SourceTruth(())
    known = Truth((Known("cup", (1.04, 2.0, 3.0, 4.0)), Known("bowl")), ((0.0, 0.0, 5.56, 6.0),))
    objects = (Expectation(label="cup", box=(1.0, 2.0, 3.0, 4.0)), Expectation(label="bowl"))
    assert truth_of(known) == SourceTruth(objects, ((0.0, 0.0, 5.6, 6.0),))


def test_what_a_rendered_scene_knows_goes_over_the_wire() -> None:
    """NumPy's numbers can't be encoded: the worker would die of the first picture that anybody asks for."""
    camera = SceneCamera(3, fps=240.0, width=160, height=120)
    camera.open()
    frame = camera.read()
    seen = Seen(0, frame, 1.0, Look(0.0, 0.0, 0))
    sent = msgspec.json.decode(msgspec.json.encode(Shown(0, seen, {}, ()).picture()), type=Picture)
    assert frame.truth is not None
    assert sent.truth is not None
    assert [one.label for one in sent.truth.objects] == [one.label for one in frame.truth.objects]
    assert sent.truth.objects
