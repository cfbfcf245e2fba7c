"""What counts as a failure: a rule that is off by one cries wolf, or keeps silent while the robot is wrong."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remote.perception.watching.boxes import Corners, Known, Truth, covered, overlap
from remote.perception.watching.flicker import Flickers
from remote.perception.watching.matching import match
from remote.perception.watching.missing import Missing
from remote.perception.watching.tracks import Tracks
from remote.perception.watching.watcher import Outcome, Score, Watched, Watcher
from remote.protocol import Constraints, Detection, Expectation, Watch
from remote.safety.constraints import broken, share

LABELS = ("cube", "ball")
NAN = float("nan")
SIDE: Corners = (0.0, 0.0, 10.0, 10.0)


def box(label: int = 0, score: float = 0.9, x: float = 0.0, y: float = 0.0, size: float = 10.0) -> Detection:
    return Detection(label, score, x, y, x + size, y + size)


def outcome(*detections: Detection, ms: float = 5.0, truth: Truth | None = None) -> Outcome:
    return Outcome(detections, 100, 100, ms, truth)


def names(watched: Watched) -> list[str]:
    return [problem.name for problem in watched.problems]


def expecting(**more: object) -> Watch:
    return Watch(expected=(Expectation(label="cube", box=SIDE),), **more)  # type: ignore[arg-type]


# ------------------------------------------------------------ overlap


@pytest.mark.parametrize(
    ("other", "iou", "inside"),
    [
        ((0, 0, 10, 10), 1.0, 1.0),
        ((5, 0, 15, 10), 1 / 3, 0.5),
        ((10, 0, 20, 10), 0.0, 0.0),
        ((2, 2, 4, 4), 0.04, 0.04),
        ((0, 0, NAN, 10), 0.0, 0.0),
        ((5, 5, 5, 5), 0.0, 0.0),
        ((9, 9, 1, 1), 0.0, 0.0),
    ],
)
def test_how_much_two_boxes_overlap(other: Corners, iou: float, inside: float) -> None:
    assert overlap(SIDE, other) == overlap(other, SIDE) == pytest.approx(iou)
    assert covered(SIDE, other) == pytest.approx(inside)


# ------------------------------------------------------------ matching


def test_the_overlap_that_is_enough_and_the_one_that_is_not() -> None:
    known = [Known("cube", SIDE)]
    assert match(known, [box(x=10 / 3)], LABELS, min_iou=0.49999).found == (True,)  # 6.67 of 13.33
    assert match(known, [box(x=10 / 3)], LABELS, min_iou=0.50001).found == (False,)


def test_a_wrong_label_is_a_miss_and_an_extra_box() -> None:
    matched = match([Known("cube", SIDE)], [box(1)], LABELS, min_iou=0.5)
    assert (matched.found, matched.extra) == ((False,), (box(1),))


def test_the_better_overlap_wins_and_the_other_box_is_extra() -> None:
    near, exact = box(x=1), box()
    matched = match([Known("cube", SIDE)], [near, exact], LABELS, min_iou=0.5)
    assert (matched.found, matched.extra) == ((True,), (near,))


def test_objects_that_may_be_anywhere_take_what_is_left_one_each() -> None:
    known = [Known("cube"), Known("cube"), Known("cube", SIDE)]
    assert match(known, [box(), box(x=50)], LABELS, min_iou=0.5).found == (True, False, True)
    assert match(known, [box(x=60), box(x=50)], LABELS, min_iou=0.5).found == (True, True, False)


def test_a_box_on_something_hidden_is_neither_right_nor_wrong() -> None:
    half: Corners = (0.0, 0.0, 5.0, 10.0)
    more: Corners = (0.0, 0.0, 5.1, 10.0)
    assert match([], [box()], LABELS, min_iou=0.5, ignored=[half]).extra == (box(),)
    assert match([], [box()], LABELS, min_iou=0.5, ignored=[more]).extra == ()


def test_a_label_beyond_the_bundle_is_extra_and_no_crash() -> None:
    assert match([Known("cube", SIDE)], [box(9)], LABELS, min_iou=0.5).extra == (box(9),)


corner = st.floats(-5, 30) | st.just(NAN)
detection = st.builds(Detection, st.integers(-1, 3), st.floats(0, 1), corner, corner, corner, corner)
known_object = st.builds(Known, st.sampled_from(LABELS), st.none() | st.tuples(corner, corner, corner, corner))


@given(st.lists(known_object, max_size=6), st.lists(detection, max_size=6), st.floats(0.01, 1))
def test_every_box_is_used_at_most_once_and_none_is_lost(
    known: list[Known], detections: list[Detection], min_iou: float
) -> None:
    matched = match(known, detections, LABELS, min_iou=min_iou)
    assert len(matched.found) == len(known)
    assert sum(matched.found) + len(matched.extra) == len(detections)
    for one, found in zip(known, matched.found, strict=True):
        of_that_label = [d for d in detections if 0 <= d.label_index < 2 and LABELS[d.label_index] == one.label]
        assert found <= bool(of_that_label)


# ------------------------------------------------------------ misses


def test_the_fifth_miss_in_a_row_is_told_once_and_a_find_begins_anew() -> None:
    missing = Missing()
    told = [bool(missing.frame({"a": False}, 5)) for _ in range(12)]
    assert [n for n, one in enumerate(told) if one] == [4]
    assert missing.frame({"a": True}, 5) == ()
    assert [bool(missing.frame({"a": False}, 5)) for _ in range(5)] == [False] * 4 + [True]


def test_a_find_within_the_row_begins_it_anew() -> None:
    missing = Missing()
    seen = [False] * 4 + [True] + [False] * 4
    assert not any(missing.frame({"a": one}, 5) for one in seen)
    assert missing.frame({"a": False}, 5) == ("a",)


def test_what_leaves_the_view_is_forgotten() -> None:
    missing = Missing()
    for _ in range(4):
        missing.frame({"a": False}, 5)
    missing.frame({}, 5)
    assert missing.frame({"a": False}, 5) == ()


def test_where_nothing_is_known_an_empty_result_is_no_failure() -> None:
    for watch in (None, Watch(conditions={"place": "bench"}), Watch(own_truth=True)):
        watcher = Watcher(LABELS, watch)
        assert all(watcher.frame(outcome(), n) == Watched() for n in range(20))


def test_an_expected_object_that_is_missed_is_named_with_its_place() -> None:
    watcher = Watcher(LABELS, expecting(miss_frames=3))
    told = [watcher.frame(outcome(), n / 15) for n in range(4)]
    assert [names(one) for one in told] == [[], [], ["no_detection"], []]
    problem = told[2].problems[0]
    assert problem.text == "cube missing for 3 frames"
    assert problem.data == {"label": "cube", "frames": 3, "box": "0,0,10,10"}
    assert [one.score for one in told] == [Score(0, 1, None)] * 4


def test_only_a_complete_list_makes_other_boxes_wrong() -> None:
    seen = outcome(box(), box(1, x=50))
    assert Watcher(LABELS, expecting()).frame(seen, 0).score == Score(1, 0, None)
    assert Watcher(LABELS, expecting(complete=True)).frame(seen, 0).score == Score(1, 0, 1)
    assert Watcher(LABELS, Watch(complete=True)).frame(seen, 0).score == Score(0, 0, 2)


def test_the_sources_own_truth_counts_against_the_result_and_follows_objects_that_move() -> None:
    watcher = Watcher(LABELS, expecting(own_truth=True, miss_frames=5))
    told = []
    for n in range(8):
        moved: Corners = (30.0 + n, 0.0, 40.0 + n, 10.0)
        told.append(watcher.frame(outcome(box(1), truth=Truth((Known("ball", moved),))), n / 15))
    assert [names(one) for one in told] == [[]] * 4 + [["no_detection"]] + [[]] * 3
    assert told[0].score == Score(0, 1, 1)  # the expected cube does not count where the source knows better


def test_a_label_that_the_bundle_lacks_is_said_and_not_watched_for() -> None:
    watcher = Watcher(LABELS, Watch(expected=(Expectation(label="cup"),), miss_frames=1))
    assert watcher.unknown_labels == ("cup",)
    assert watcher.frame(outcome(), 0) == Watched()


def test_a_new_watch_forgets_what_was_counted() -> None:
    watcher = Watcher(LABELS, expecting(miss_frames=2))
    watcher.frame(outcome(), 0)
    watcher.look_out_for(expecting(miss_frames=2, complete=True))
    assert names(watcher.frame(outcome(), 1)) == []


# ------------------------------------------------------------ confidence, latency


@pytest.mark.parametrize(("score", "told"), [(0.4, []), (0.3999, ["low_confidence"])])
def test_the_best_score_below_the_limit(score: float, told: list[str]) -> None:
    watcher = Watcher(LABELS, Watch(low_confidence=0.4))
    assert names(watcher.frame(outcome(box(score=0.2), box(1, score, x=50)), 0)) == told
    assert names(watcher.frame(outcome(), 0)) == []  # nothing seen is not seen badly


@pytest.mark.parametrize(
    ("ms", "told"), [(50.0, []), (50.001, ["latency_over_budget"]), (NAN, ["latency_over_budget"])]
)
def test_the_latency_over_the_budget(ms: float, told: list[str]) -> None:
    watcher = Watcher(LABELS, Watch(latency_budget_ms=50.0))
    assert names(watcher.frame(outcome(ms=ms), 0)) == told


# ------------------------------------------------------------ flicker


def labels_over_time(labels: list[int], *, gap_s: float, step: float = 0.5) -> list[int]:
    """How many flickers each frame tells, of one object that moves slowly."""
    flickers = Flickers()
    return [
        len(flickers.frame([box(label, x=n * step)], n * gap_s, changes=3, within_s=2.0))
        for n, label in enumerate(labels)
    ]


def test_three_changes_within_the_time_are_a_flicker_and_two_are_none() -> None:
    assert labels_over_time([0, 1, 0, 0], gap_s=0.5) == [0, 0, 0, 0]
    assert labels_over_time([0, 1, 0, 1], gap_s=0.5) == [0, 0, 0, 1]


def test_slow_changes_are_none() -> None:
    assert sum(labels_over_time([0, 1, 0, 1, 0], gap_s=0.9)) == 1  # within 1.8 s
    assert sum(labels_over_time([0, 1, 0, 1, 0], gap_s=1.0)) == 1  # three changes within exactly 2 s
    flickers = Flickers()
    told = [len(flickers.frame([box(n // 3 % 2)], n * 0.4, changes=3, within_s=2.0)) for n in range(30)]
    assert sum(told) == 0  # one change in 1.2 s: at most two within 2 s


def test_two_objects_side_by_side_do_not_flicker_and_a_jump_is_another_object() -> None:
    flickers = Flickers()
    for n in range(20):
        pair = [box(0), box(1, x=30)]
        assert not flickers.frame(pair if n % 2 else pair[::-1], n / 15, changes=1, within_s=2.0)
    assert sum(labels_over_time([0, 1] * 10, gap_s=0.1, step=20)) == 0


def test_a_flicker_is_counted_anew_after_it_was_told() -> None:
    assert labels_over_time([0, 1, 0, 1, 0, 1, 0], gap_s=0.1) == [0, 0, 0, 1, 0, 0, 1]


def test_an_object_that_is_away_too_long_is_another_one() -> None:
    tracks = Tracks()
    assert tracks.follow([SIDE], 0.0) == (0,)
    assert tracks.follow([], 0.5) == ()
    assert tracks.follow([SIDE], 1.0) == (0,)
    assert tracks.follow([SIDE], 2.001) == (1,)
    assert tracks.follow([SIDE, SIDE], 2.1, ["cube", "cube"]) == (2, 3)  # of another kind


@given(st.lists(st.lists(st.tuples(st.floats(0, 50), st.floats(1, 20)), max_size=5), max_size=8))
def test_no_number_is_given_twice_in_a_frame(frames: list[list[tuple[float, float]]]) -> None:
    tracks = Tracks()
    for n, boxes in enumerate(frames):
        numbers = tracks.follow([(x, 0.0, x + size, size) for x, size in boxes], n / 10)
        assert len(set(numbers)) == len(numbers) == len(boxes)


# ------------------------------------------------------------ constraints


@pytest.mark.parametrize(
    ("limits", "good", "bad"),
    [
        (Constraints(max_boxes=1), (box(),), (box(), box(x=50))),
        (Constraints(min_box_share=0.01), (box(),), (box(size=9.99),)),
        (Constraints(max_box_share=0.01), (box(),), (box(size=10.01),)),
        (Constraints(min_box_share=0.01), (), (Detection(0, 0.9, NAN, 0, 10, 10),)),
        (Constraints(max_box_share=0.01), (), (Detection(0, 0.9, 0, NAN, 10, 10),)),
        (Constraints(max_box_share=1.0), (), (Detection(0, 0.9, 10, 0, 0, 10),)),
    ],
)
def test_what_is_not_possible_is_told_and_nan_never_passes(
    limits: Constraints, good: tuple[Detection, ...], bad: tuple[Detection, ...]
) -> None:
    assert broken(limits, good, 100, 100, LABELS) == ()
    ((name, text),) = broken(limits, bad, 100, 100, LABELS)
    assert getattr(limits, name) is not None
    assert text
    assert broken(Constraints(), bad, 100, 100, LABELS) == ()


@given(st.lists(corner, min_size=4, max_size=4), st.integers(0, 100))
def test_a_share_is_a_share_or_nan(corners: list[float], side: int) -> None:
    found = share(Detection(0, 0.5, *corners), side, side)
    assert found >= 0 or found != found


def test_all_kinds_come_through_one_frame() -> None:
    watch = expecting(low_confidence=0.5, latency_budget_ms=1.0, miss_frames=1, constraints=Constraints(max_boxes=0))
    told = Watcher(LABELS, watch).frame(outcome(box(1, 0.3)), 0)
    assert names(told) == ["no_detection", "low_confidence", "latency_over_budget", "constraint_hit"]
    subjects = [(problem.name, problem.subject) for problem in told.problems]
    assert all(a != b for a, b in itertools.pairwise(subjects))


def test_a_box_without_area_covers_nothing_and_each_box_is_named() -> None:
    assert share(Detection(0, 0.5, 3, 3, 3, 9), 100, 100) == share(Detection(0, 0.5, 3, 3, 9, 3), 100, 100) == 0.0
    texts = [broken(Constraints(max_box_share=0.0), [box(label)], 100, 100, LABELS)[0][1] for label in (0, 1, 2, -1)]
    assert [text.partition(" covers")[0] for text in texts] == ["cube", "ball", "label 2", "label -1"]
