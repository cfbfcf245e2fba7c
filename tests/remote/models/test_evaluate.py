"""A score that is not the field's own would let a worse model pass a gate."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from remote.errors import Trouble
from remote.models import commands
from remote.models.box_files import read_boxes
from remote.models.bundle import load_bundle
from remote.models.evaluate import Settings, evaluate_bundle
from remote.models.labels_file import read_labels
from remote.models.make import make_bundle
from tests.tiny_models import LABELS, base_yolov8, tiny_bundle, write_model

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT.parent / "shared" / "real"
USUAL = Settings(0.01, 0.65, 100)
CUBE = "0 0.5 0.5 0.3125 0.15625\n"  # the tiny model's boxes on a picture of 64 x 64
BALL = "1 0.75 0.25 0.125 0.125\n"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Two white pictures with both of the tiny model's boxes labelled, and its bundle."""
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    tiny_bundle(tmp_path)
    for name in "ab":
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), np.full((64, 64, 3), 255, np.uint8))
        (tmp_path / "labels" / f"{name}.txt").write_text(CUBE + BALL)
    return tmp_path


def run(folder: Path, *options: str) -> dict[str, object]:
    arguments = [str(folder / part) for part in ("bundle", "images", "labels")]
    result = CliRunner().invoke(commands.evaluate, [*arguments, *options, "--json"])
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    answer: dict[str, object] = json.loads(result.stdout)
    return answer


def test_a_model_that_is_always_right_scores_one(labelled: Path) -> None:
    score = run(labelled)
    assert score["map"] == pytest.approx(1.0)
    assert score["ap50"] == pytest.approx(1.0)
    assert (score["images"], score["boxes"]) == (2, 4)
    assert score["settings"] == {"score": 0.01, "nms_iou": 0.65, "max_detections": 100}
    assert score["labels"] == [
        {"label": "cube", "ap": pytest.approx(1.0), "ap50": pytest.approx(1.0), "boxes": 2},
        {"label": "ball", "ap": pytest.approx(1.0), "ap50": pytest.approx(1.0), "boxes": 2},
    ]


def test_a_missed_and_a_misplaced_box_cost_what_coco_says(labelled: Path) -> None:
    (labelled / "labels" / "a.txt").write_text(CUBE)  # the ball there is now a false find
    (labelled / "labels" / "b.txt").write_text("0 0.5 0.5 0.3125 0.25\n" + BALL)  # IoU 0.625: found up to .60 only
    score = run(labelled)
    assert score["ap50"] == pytest.approx((1.0 + 0.5) / 2, abs=0.01)
    assert 0.4 < float(str(score["map"])) < 0.7


def test_the_threshold_is_used(labelled: Path) -> None:
    score = run(labelled, "--score", "0.7")
    assert score["ap50"] == pytest.approx(0.5)  # the balls, at 0.6, are no longer found


def test_a_class_without_boxes_is_null_not_zero(labelled: Path) -> None:
    for name in "ab":
        (labelled / "labels" / f"{name}.txt").write_text(CUBE)
    score = run(labelled)
    assert score["map"] == pytest.approx(1.0)
    assert score["labels"][1] == {"label": "ball", "ap": None, "ap50": None, "boxes": 0}  # type: ignore[index]


def test_labels_of_other_pictures_are_refused_not_scored_zero(labelled: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()
    with pytest.raises(Trouble, match="no label file") as caught:
        evaluate_bundle(load_bundle(labelled / "bundle"), labelled / "images", tmp_path / "none", USUAL)
    assert caught.value.code == "boxes_missing"


def test_a_broken_picture_stops_the_score(labelled: Path) -> None:
    (labelled / "images" / "b.png").write_bytes((labelled / "images" / "b.png").read_bytes()[:60])
    with pytest.raises(Trouble, match=r"b\.png"):
        evaluate_bundle(load_bundle(labelled / "bundle"), labelled / "images", labelled / "labels", USUAL)


@pytest.mark.parametrize(
    "line",
    ["0 0.5 0.5 0.1", "0 0.5 0.5 0.1 nan", "0 1.5 0.5 0.1 0.1", "9 .5 .5 .1 .1", "x .5 .5 .1 .1", "0 .5 .5 0 .1"],
)
def test_a_broken_box_names_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "a.txt").write_text(f"0 0.5 0.5 0.1 0.1\n{line}\n")
    with pytest.raises(Trouble, match="line 2"):
        read_boxes(tmp_path / "a.txt", 2)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"the real pictures and YOLOX-Nano are not at {REAL}")
def test_yolox_nano_scores_what_an_independent_implementation_measured(tmp_path: Path) -> None:
    bundle = make_bundle(REAL / "yolox_nano.onnx", "yolox", read_labels(REAL / "names.yaml"), tmp_path / "yolox")
    score = evaluate_bundle(bundle, REAL / "images", REAL / "labels", USUAL)
    assert (score.images, score.boxes) == (64, 440)
    assert score.map == pytest.approx(0.3615, abs=0.005)
    assert score.ap50 == pytest.approx(0.5233, abs=0.005)


def test_the_embedded_detector_is_scored_on_written_scenes(tmp_path: Path) -> None:
    from remote.training.write_scenes import main

    written = CliRunner().invoke(main, ["--output", str(tmp_path / "scenes"), "--count", "24"])
    assert written.exit_code == 0, written.output
    bundle = load_bundle(ROOT / "remote" / "bundles" / "tabletop")
    score = evaluate_bundle(bundle, tmp_path / "scenes" / "images", tmp_path / "scenes" / "labels", USUAL)
    assert score.ap50 is not None
    assert score.ap50 > 0.85


def test_without_one_labelled_box_there_is_no_score_and_not_zero(labelled: Path) -> None:
    for name in "ab":
        (labelled / "labels" / f"{name}.txt").write_text("")
    words = [str(labelled / part) for part in ("bundle", "images", "labels")]
    done = CliRunner().invoke(commands.evaluate, [*words, "--json"])
    assert (done.exit_code, json.loads(done.stdout)["map"], json.loads(done.stdout)["ap50"]) == (7, None, None)
    assert "no box is labelled" in done.stderr
    assert CliRunner().invoke(commands.evaluate, words).stdout == "no score: 2 pictures, no labelled box\n"


def test_a_bundle_that_gives_impossible_boxes_is_refused_and_not_scored_zero(labelled: Path) -> None:
    base, follow = base_yolov8()
    base[0, 2, :] = -8.0  # negative widths: another family's raw cells
    bundle = make_bundle(write_model(labelled / "m.onnx", base, follow), "yolov8", LABELS, labelled / "raw")
    with pytest.raises(Trouble, match="box sizes down to -8"):
        evaluate_bundle(bundle, labelled / "images", labelled / "labels", USUAL)


def test_a_missing_folder_of_labels_is_called_missing(labelled: Path) -> None:
    with pytest.raises(Trouble, match="lables does not exist"):
        evaluate_bundle(load_bundle(labelled / "bundle"), labelled / "images", labelled / "lables", USUAL)


def test_a_class_that_rests_on_few_boxes_is_said(labelled: Path) -> None:
    words = [str(labelled / part) for part in ("bundle", "images", "labels")]
    assert "2 of these rest on fewer than 5 boxes" in CliRunner().invoke(commands.evaluate, words).stdout
