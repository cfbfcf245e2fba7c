"""Replay: what would change on recorded pictures is counted box by box, and the pictures where most changes are named."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from remote.errors import Trouble
from remote.models.make import make_bundle
from remote.models.model_commands import model
from remote.models.replay.comparing import Box, compared, pairs
from remote.models.replay.pair_process import Told, _next
from remote.models.replay.running import names_of, replay
from tests.tiny_models import LABELS, base_yolov8, tiny_bundle, write_model

HERE = (0.0, 0.0, 10.0, 10.0)


def cube(x: float = 0.0, score: float = 0.9, label: str = "cube") -> Box:
    return Box(label, score, (x, 0.0, x + 10.0, 10.0))


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ([cube()], [cube()], (1, 0, 0)),
        ([cube()], [cube(3.3)], (1, 0, 0)),
        ([cube()], [cube(3.4)], (0, 1, 1)),
        ([cube()], [cube(label="ball")], (0, 1, 1)),
        ([cube()], [], (0, 1, 0)),
        ([], [cube()], (0, 0, 1)),
        ([cube(), cube(2.0)], [cube(1.0)], (1, 1, 0)),
        ([], [], (0, 0, 0)),
    ],
    ids=["equal", "iou-over-half", "iou-under-half", "label", "gone", "new", "one-for-two", "empty"],
)
def test_boxes_agree_by_label_and_place_each_once(old: list[Box], new: list[Box], counts: tuple[int, int, int]) -> None:
    found = compared(old, new, old_ms=1.0, new_ms=2.0)
    assert (found.agreed, found.only_old, found.only_new) == counts


def test_the_greatest_overlap_is_paired_first() -> None:
    assert [(i, j) for i, j, _ in pairs([cube(), cube(2.0)], [cube(2.0), cube(0.5)])] == [(1, 0), (0, 1)]


BOXES = st.lists(st.builds(cube, st.floats(0, 30), st.floats(0, 1), st.sampled_from(["cube", "ball"])), max_size=8)


@given(BOXES, BOXES)
def test_no_box_is_counted_twice_or_lost_and_sides_can_be_changed(old: list[Box], new: list[Box]) -> None:
    there, back = compared(old, new, old_ms=0, new_ms=0), compared(new, old, old_ms=0, new_ms=0)
    assert there.agreed + there.only_old == len(old)
    assert there.agreed + there.only_new == len(new)
    assert (there.only_old, there.only_new) == (back.only_new, back.only_old)


# ------------------------------------------------------------ two real bundles


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Bundles `old/bundle` and `new/bundle`, whose ball stands elsewhere and whose cube scores less; pictures in `pictures`."""
    folder = tmp_path_factory.mktemp("replay")
    for name in ("old", "new", "pictures"):
        (folder / name).mkdir()
    tiny_bundle(folder / "old")
    base, follow = base_yolov8()
    follow[0, 4, 0], base[0, 0, 1] = 0.5, 10
    make_bundle(write_model(folder / "new/t.onnx", base, follow), "yolov8", LABELS, folder / "new/bundle")
    for name, level in (("black", 0), ("grey", 120), ("white", 255)):
        cv2.imwrite(str(folder / f"pictures/{name}.png"), np.full((64, 64, 3), level, np.uint8))
    (folder / "pictures/white.txt").write_text("0 0.5 0.5 0.3125 0.15625\n1 0.75 0.25 0.125 0.125\n")
    return folder


def test_differences_scores_times_and_what_is_right_are_told(world: Path) -> None:
    found = replay(world / "old/bundle", world / "new/bundle", world / "pictures")
    assert (found.pictures, found.same_pictures) == (3, 1)
    assert (found.agreed, found.only_old, found.only_new) == (1, 2, 1)
    assert found.shift_median == pytest.approx(-0.4)
    assert found.old_ms is not None
    assert found.old_ms > 0
    assert [one.name for one in found.most] == ["white.png", "grey.png"]
    truth = found.truths
    assert truth is not None
    assert (truth.objects, truth.old_found, truth.new_found) == (2, 2, 1)
    assert (truth.old_extra, truth.new_extra) == (0, 1)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        (("a", "b"), ("a", "b", "c"), ("a", "b", "c")),
        (("a", "b"), ("b", "a"), ("a", "b")),
        (("a", "b"), ("a",), ("a", "b")),
    ],
    ids=["more", "other-order", "fewer"],
)
def test_label_files_mean_what_they_meant_for_the_old_bundle(
    old: tuple[str, ...], new: tuple[str, ...], names: tuple[str, ...]
) -> None:
    """Read by the order of the new one, a bundle that only renumbered its classes would seem to get everything wrong."""
    assert names_of(old, new) == names


def test_the_command_says_the_same_and_refuses_a_bundle_against_itself(world: Path) -> None:
    words = ["replay", str(world / "old/bundle"), str(world / "new/bundle"), str(world / "pictures")]
    text = CliRunner().invoke(model, words, catch_exceptions=False).stdout
    for word in ("3 pictures, 1 with the same boxes", "1 of 4 in both", "old found 2, new 1", "white.png"):
        assert word in text
    told = json.loads(CliRunner().invoke(model, [*words, "--json", "--show", "1"]).stdout)
    assert [one["name"] for one in told["most"]] == ["white.png"]
    same = CliRunner().invoke(model, ["replay", words[1], words[1], words[3]])
    assert isinstance(same.exception, Trouble)


def test_an_export_of_failures_is_a_folder_too_and_nothing_is_made_up_without_labels(
    world: Path, tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images/a.png").write_bytes((world / "pictures/white.png").read_bytes())
    found = replay(world / "old/bundle", world / "new/bundle", tmp_path)
    assert found.pictures == 1
    assert found.truths is None


def test_labels_that_are_not_there_are_told_and_not_left_out(world: Path, tmp_path: Path) -> None:
    words = (world / "old/bundle", world / "new/bundle", world / "pictures")
    with pytest.raises(Trouble, match="typo does not exist"):
        replay(*words, labels=tmp_path / "typo")
    with pytest.raises(Trouble, match="has no label file for any picture"):
        replay(*words, labels=tmp_path)


def test_bundles_without_a_common_label_are_said_to_be_so(world: Path, tmp_path: Path) -> None:
    other = tiny_bundle(tmp_path, labels=("cat", "dog")).path
    words = ["replay", str(world / "old/bundle"), str(other), str(world / "pictures")]
    assert "have no label in common" in CliRunner().invoke(model, words).stdout
    assert replay(world / "old/bundle", world / "new/bundle", world / "pictures").common_labels


def test_a_picture_that_gives_no_answer_is_said_and_no_empty_result(world: Path, tmp_path: Path) -> None:
    nan = tiny_bundle(tmp_path, dark_is_nan=True).path
    found = replay(world / "old/bundle", nan, world / "pictures")
    assert (found.failed_old, found.failed_new) == (0, 1)
    assert found.most[0].name == "black.png"
    assert found.most[0].difference.fault_new


@pytest.mark.parametrize("data", [b"", b"\xff\xd8\xff"], ids=["empty", "cut"])
def test_a_broken_picture_is_named(world: Path, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "bad.jpg").write_bytes(data)
    with pytest.raises(Trouble, match=r"bad\.jpg"):
        replay(world / "old/bundle", world / "new/bundle", tmp_path)


# ------------------------------------------------------------ the child that compares for a shadow


def told(world: Path, given: bytes, old: str = "old/bundle") -> list[Told]:
    words = [
        sys.executable,
        "-m",
        "remote.models.replay.pair_process",
        str(world / old),
        str(world / "new/bundle"),
        "1",
    ]
    done = subprocess.run(words, input=given, capture_output=True, timeout=60, check=True)
    return [msgspec.json.decode(line, type=Told) for line in done.stdout.splitlines()]


def test_each_picture_gets_one_line_and_what_is_none_is_said(world: Path) -> None:
    white = cv2.imencode(".jpg", np.full((64, 64, 3), 255, np.uint8))[1].tobytes()
    frames = b"".join(len(one).to_bytes(4, "big") + one for one in (white, b"no picture"))
    ready, first, second = told(world, frames + b"\x00\x00")
    assert ready.ready
    assert first.difference is not None
    assert (first.difference.agreed, first.difference.only_new) == (1, 1)
    assert second.difference is not None
    assert "decoded" in second.difference.fault_new


def test_a_bundle_that_can_not_be_loaded_is_an_error_and_no_comparison(world: Path) -> None:
    (said,) = told(world, b"", old="nothing")
    assert said.error is not None
    assert said.error.code == "bundle_missing"


@pytest.mark.parametrize("head", [b"", b"\x00", b"\x00\x00\x00\x00", b"\xff\xff\xff\xff", b"\x00\x00\x00\x05ab"])
def test_a_cut_or_mad_stream_ends_it(head: bytes) -> None:
    assert _next(io.BytesIO(head)) is None
