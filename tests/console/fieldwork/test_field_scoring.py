"""Scoring what the robot saw: frames come by chance, not by choice; each counts once; a scene file judges as a person would."""

from __future__ import annotations

import csv
import io
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.fieldwork.field_test import FieldTest
from console.fieldwork.scene_file import Scene, expected_of, iou, parse_scene, scored_by, watch_of
from console.fieldwork.score_sheet import read_sheet, write_sheet
from console.fieldwork.scoring import Draw, Draws, FrameToScore
from console.record.entries import FrameScored, ScoredBox
from remote.errors import Trouble
from remote.protocol import Expectation, Watch
from tests.console.checklist.campaign_world import kinds, last
from tests.console.fieldwork.field_world import LABELS, FieldRobot, FieldWorld

S = 1_000_000_000
SCENE = """\
format: 1
scene: table
boxes: pixels
frame: {width: 640, height: 480}
objects:
  - {label: cup, box: [12, 12, 62, 62]}
  - {label: cup, box: [300, 300, 350, 350]}
"""


@pytest.fixture
def field(world: FieldWorld) -> FieldTest:
    """In the lab."""
    world.at = FieldRobot(world)  # type: ignore[attr-defined]
    return world.in_lab(world.at)  # type: ignore[attr-defined]


@pytest.fixture
def frames(world: FieldWorld, field: FieldTest) -> list[FrameToScore]:
    """Three that were drawn; the robot reports a cup and a bowl in each."""
    sight = world.at.sight  # type: ignore[attr-defined]
    return [field.draw(sight, Draw(number, 0, 0, 60 * S)) for number in range(3)]


# ------------------------------------------------------------ drawing


def test_one_instant_is_drawn_uniformly_out_of_each_interval() -> None:
    draws = Draws(random.Random(4), 60.0, 0)
    found = [draws.next(0) for _ in range(2000)]
    assert [one.from_ns for one in found] == [number * 60 * S for number in range(2000)]
    shares = [(one.at_ns - one.from_ns) / (60 * S) for one in found]
    assert all(0 <= share < 1 for share in shares)
    tenths = [sum(int(share * 10) == tenth for share in shares) for tenth in range(10)]
    assert max(tenths) < 265  # five standard deviations
    assert min(tenths) > 135


def test_an_instant_that_is_over_is_left_out_not_drawn_late() -> None:
    late = Draws(random.Random(4), 60.0, 0).next(10 * 60 * S)
    assert late.at_ns >= 10 * 60 * S


def test_a_drawn_frame_says_how_it_was_drawn_and_under_what(frames: list[FrameToScore]) -> None:
    assert frames[0].drawn.startswith("frame 101, drawn at random within ")
    assert frames[0].drawn.endswith(" UTC")
    assert frames[0].conditions == {"light": "bright"}
    assert (frames[0].run, frames[0].labels) == (7, LABELS)


def test_nothing_is_drawn_while_the_session_is_paused(world: FieldWorld, field: FieldTest) -> None:
    field.pause("lunch", "anna")
    with pytest.raises(Trouble) as refused:
        field.draw(world.at.sight, Draw(0, 0, 0, S))  # type: ignore[attr-defined]
    assert refused.value.code == "session_paused"


# ------------------------------------------------------------ by a person


def test_a_score_keeps_the_picture_the_boxes_and_is_counted(field: FieldTest, frames: list[FrameToScore]) -> None:
    boxes = (*frames[0].reported({1}), ScoredBox("bowl", 0, 1, 1, 2, 2, "missed"))
    field.score(frames[0], 1, 1, 2, boxes, "anna", "one cup behind the box")
    kept = last(field.campaign, "frame_scored")
    assert isinstance(kept, FrameScored)
    assert (kept.right, kept.wrong, kept.missed, kept.by) == (1, 1, 2, "person")
    assert kept.picture is not None
    assert field.campaign.record.attachment(kept.picture.digest) == frames[0].jpeg
    session = field.state().session
    assert session is not None
    assert session.frames_scored == 1


def test_a_frame_counts_once_and_can_be_scored_anew_after_undo(field: FieldTest, frames: list[FrameToScore]) -> None:
    field.score(frames[0], 2, 0, 0, (), "anna")
    with pytest.raises(Trouble) as twice:
        field.score(frames[0], 1, 1, 0, (), "anna")
    assert twice.value.code == "scored_already"
    assert field.undo("anna") is None
    field.score(frames[0], 1, 1, 0, (), "anna")
    session = field.state().session
    assert session is not None
    assert session.frames_scored == 1


@pytest.mark.parametrize("counts", [(3, 0, 0), (1, 0, 0), (2, 0, -1), (3, -1, 0)])
def test_counts_that_do_not_fit_the_boxes_are_refused(
    field: FieldTest, frames: list[FrameToScore], counts: tuple[int, int, int]
) -> None:
    with pytest.raises(Trouble) as refused:
        field.score(frames[0], *counts, (), "anna")
    assert refused.value.code == "bad_score"
    assert "frame_scored" not in kinds(field.campaign)


def test_an_unknown_label_is_refused_with_the_nearest(field: FieldTest, frames: list[FrameToScore]) -> None:
    boxes = (*frames[0].reported(), ScoredBox("cupp", 0, 1, 1, 2, 2, "missed"))
    with pytest.raises(Trouble) as refused:
        field.score(frames[0], 2, 0, 1, boxes, "anna")
    assert (refused.value.code, "cup" in refused.value.cure) == ("unknown_label", True)


# ------------------------------------------------------------ by a sheet


def _filled(path: Path, *rows: tuple[str, str, str], sign: str = ",") -> Path:
    """The sheet with looked, wrong and missed filled in for its first frames."""
    lines = list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    for line, row in zip(lines[1:], rows, strict=False):
        line[3:6] = row
    text = io.StringIO()
    csv.writer(text, delimiter=sign).writerows(lines)
    path.write_text(text.getvalue())
    return path


def test_a_sheet_is_written_filled_in_and_entered(field: FieldTest, frames: list[FrameToScore], tmp_path: Path) -> None:
    sheet = write_sheet(tmp_path / "drawn", "c1", frames)
    assert (tmp_path / "drawn" / "marked" / "7-101.jpg").read_bytes()[:3] == b"\xff\xd8\xff"
    assert read_sheet(sheet, "c1").scores == ()
    for sign in (",", ";"):
        found = read_sheet(_filled(sheet, ("x", "2", "bowl, cup"), ("X", "", ""), sign=sign), "c1")
        if sign == ",":
            text = sheet.read_text()
            assert [(one.right, one.wrong, one.missed) for one in found.scores] == [(1, 1, 2), (2, 0, 0)]
            assert found.blank == ("7-103",)
            assert {one.frame.draw_of for one in found.scores} == {3}
            sheet.write_text(text)
    assert msgspec.structs.replace(found.scores[0].frame, draw="", draw_of=0) == frames[0]
    with pytest.raises(Trouble) as used:
        write_sheet(tmp_path / "drawn", "c1", frames)
    assert used.value.code == "folder_used"


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (("x", "3", ""), "names no boxes"),
        (("x", "0", ""), "names no boxes"),
        (("x", "cup", ""), "names no boxes"),
        (("", "1", ""), "looked"),
        (("maybe", "", ""), "looked"),
        (("x", "", "cupp"), "knows no 'cupp'"),
        (("x", "=2+3", ""), "names no boxes"),
    ],
)
def test_a_row_that_can_not_be_meant_is_refused_with_its_line(
    frames: list[FrameToScore], tmp_path: Path, row: tuple[str, str, str], says: str
) -> None:
    sheet = _filled(write_sheet(tmp_path / "drawn", "c1", frames), row)
    with pytest.raises(Trouble) as refused:
        read_sheet(sheet, "c1")
    assert "line 2" in refused.value.what
    assert says in refused.value.what


def test_a_sheet_that_was_cut_broken_or_made_by_others_is_refused_whole(
    frames: list[FrameToScore], tmp_path: Path
) -> None:
    sheet = write_sheet(tmp_path / "drawn", "c1", frames)
    good = sheet.read_bytes()
    for bad in (
        good[:-30], good[:20], b"", good.replace(b"looked", b"seen"), good + good.splitlines()[1],
        good.replace(b"7-101", b"7-999"), b"\xff\xfe" + good, good + b'"', b"\0" * 50,
    ):  # fmt: skip
        sheet.write_bytes(bad)
        with pytest.raises(Trouble) as refused:
            read_sheet(sheet, "c1")
        assert refused.value.code == "bad_sheet", bad
    sheet.write_bytes(good)
    with pytest.raises(Trouble) as other:
        read_sheet(sheet, "c2")
    assert other.value.code == "other_campaign"
    (tmp_path / "drawn" / "frames.json").write_bytes(b'{"format":1,"campaign":"c1"')
    with pytest.raises(Trouble) as cut:
        read_sheet(sheet, "c1")
    assert cut.value.code == "bad_sheet"


def test_a_picture_that_was_exchanged_is_noticed(frames: list[FrameToScore], tmp_path: Path) -> None:
    sheet = _filled(write_sheet(tmp_path / "drawn", "c1", frames), ("x", "", ""))
    (tmp_path / "drawn" / "pictures" / "7-101.jpg").write_bytes(b"another one")
    with pytest.raises(Trouble) as refused:
        read_sheet(sheet, "c1")
    assert "not the picture" in refused.value.what


@given(st.binary(max_size=300))
def test_no_bytes_for_a_sheet_end_in_anything_but_a_refusal(data: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "frames.json").write_text('{"format":1,"campaign":"c1","frames":[]}')
        (path / "sheet.csv").write_bytes(data)
        with pytest.raises(Trouble):
            read_sheet(path / "sheet.csv", "c1")


# ------------------------------------------------------------ by a scene


def test_a_scene_finds_what_is_right_wrong_and_missed(field: FieldTest, frames: list[FrameToScore]) -> None:
    by = scored_by(parse_scene(SCENE, "scene"), frames[0])
    assert (by.right, by.wrong, by.missed) == (1, 1, 1)
    assert [box.verdict for box in by.boxes] == ["right", "wrong", "missed"]
    field.score_by_scene(frames[0], by.right, by.wrong, by.missed, by.boxes, "anna")
    assert last(field.campaign, "frame_scored").by == "scene"


def test_the_surest_detection_takes_the_object_and_the_second_one_is_wrong(frames: list[FrameToScore]) -> None:
    twin = msgspec.structs.replace(frames[0].detections[0], score=0.5)
    frame = msgspec.structs.replace(frames[0], detections=(twin, frames[0].detections[0]))
    by = scored_by(parse_scene(SCENE, "scene"), frame)
    assert [(box.score, box.verdict) for box in by.boxes[:2]] == [(0.9, "right"), (0.5, "wrong")]


def test_an_overlap_below_the_tolerance_is_another_object(frames: list[FrameToScore]) -> None:
    tight = parse_scene(SCENE.replace("scene: table", "scene: table\nmin_iou: 0.9"), "scene")
    assert scored_by(tight, frames[0]).right == 0
    assert scored_by(parse_scene(SCENE, "scene"), frames[0]).right == 1


def test_an_incomplete_scene_scores_nothing_but_can_be_watched(frames: list[FrameToScore]) -> None:
    open_scene = parse_scene(SCENE + "complete: false\n", "scene")
    with pytest.raises(Trouble) as refused:
        scored_by(open_scene, frames[0])
    assert refused.value.code == "scene_incomplete"
    watch = watch_of(open_scene, 1280, 960, LABELS, Watch(conditions={"light": "dim"}))
    assert watch.expected[0] == Expectation(label="cup", box=(24.0, 24.0, 124.0, 124.0))
    assert (watch.complete, watch.conditions) == (False, {"light": "dim"})


def test_shares_are_of_the_frame_and_labels_are_the_bundles() -> None:
    scene = parse_scene("format: 1\nscene: s\nobjects: [{label: cup, box: [0.5, 0, 1, 1]}, {label: bowl}]", "scene")
    assert expected_of(scene, 200, 100, LABELS) == (
        Expectation(label="cup", box=(100, 0, 200, 100)),
        Expectation(label="bowl"),
    )
    with pytest.raises(Trouble) as unknown:
        expected_of(scene, 200, 100, ("cups", "bowl"))
    assert "cups" in unknown.value.cure


@pytest.mark.parametrize(
    "text",
    [
        "", SCENE[:40], SCENE.replace("format: 1", "format: 2"), SCENE.replace("[12, 12, 62, 62]", "[62, 12, 12, 62]"),
        SCENE.replace("[12, 12, 62, 62]", "[12, 12, 62, 4800]"), SCENE.replace("boxes: pixels", "boxes: shares"),
        SCENE.replace("12, 12", ".nan, 12"), SCENE.replace("frame: {width: 640, height: 480}\n", ""),
        SCENE.replace("label: cup,", "lable: cup,"), SCENE.replace("scene: table", "scene: &a table\nboxes: *a"), "a: *b",
        SCENE.replace("scene: table", "scene: !!python/object:os.system x"), "\0",
        SCENE.replace("min", "m") + "min_iou: 0\n", SCENE + "objects: []\n",
    ],
)  # fmt: skip
def test_a_scene_file_that_is_cut_wrong_or_hostile_is_refused(text: str) -> None:
    with pytest.raises(Trouble) as refused:
        parse_scene(text, "table.yaml")
    assert refused.value.code == "bad_scene"
    assert "table.yaml" in refused.value.what


def test_a_key_with_a_typing_error_is_told_with_the_right_one() -> None:
    with pytest.raises(Trouble) as refused:
        parse_scene(SCENE.replace("{label: cup, box: [12", "{lable: cup, box: [12"), "table.yaml")
    assert "label" in refused.value.what + refused.value.cure


_CORNERS = st.tuples(*[st.floats(0, 100, allow_nan=False)] * 4)


@given(_CORNERS, _CORNERS)
def test_overlap_is_a_share_and_the_same_both_ways(
    a: tuple[float, float, float, float], b: tuple[float, float, float, float]
) -> None:
    box_a = (min(a[0], a[2]), min(a[1], a[3]), max(a[0], a[2]), max(a[1], a[3]))
    box_b = (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]), max(b[1], b[3]))
    assert 0 <= iou(box_a, box_b) <= 1.0000001
    assert iou(box_a, box_b) == pytest.approx(iou(box_b, box_a))
    if box_a[2] - box_a[0] > 1e-3 and box_a[3] - box_a[1] > 1e-3:
        assert iou(box_a, box_a) == pytest.approx(1)


def test_an_empty_scene_makes_every_box_wrong(frames: list[FrameToScore]) -> None:
    empty = Scene(format=1, scene="nothing", objects=())
    assert scored_by(empty, frames[0])[:3] == (0, 2, 0)


def test_a_picture_that_can_not_be_shown_loses_no_sheet_and_a_folder_that_can_not_be_written_is_told(
    frames: list[FrameToScore], tmp_path: Path
) -> None:
    broken = msgspec.structs.replace(frames[0], jpeg=b"no picture")
    sheet = write_sheet(tmp_path / "drawn", "c1", [broken, *frames[1:]])
    assert (tmp_path / "drawn" / "marked" / "7-101.jpg").read_bytes() == b"no picture"
    assert len(read_sheet(sheet, "c1").blank) == 3
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Trouble) as unwritable:
        write_sheet(tmp_path / "file", "c1", frames)
    assert unwritable.value.code == "unwritable"
