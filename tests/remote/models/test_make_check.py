"""Making and checking: a contract that doesn't fit its model must be found here, not by a robot that sees nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

from remote.errors import Trouble
from remote.models import commands
from remote.models.bundle import Bundle, load_bundle
from remote.models.check import check_bundle
from remote.models.labels_file import read_labels
from remote.models.make import Family, make_bundle, write_bundle
from tests.tiny_models import LABELS, base_yolov8, tiny_bundle, write_model


def model_of(folder: Path, values: int, cells: int, *, across: bool, level: float = 0.0) -> Path:
    shape = (1, values, cells) if across else (1, cells, values)
    zeros = np.zeros(shape, np.float32)
    return write_model(folder / "m.onnx", zeros + np.float32(level), zeros)


@pytest.mark.parametrize(
    ("like", "colour", "place", "scale"),
    [("yolox", "bgr", "top_left", 1.0), ("yolov5", "rgb", "centre", 1 / 255), ("yolov8", "rgb", "centre", 1 / 255)],
)
def test_make_writes_each_familys_conventions(
    tmp_path: Path, like: Family, colour: str, place: str, scale: float
) -> None:
    model = model_of(tmp_path, 6 if like == "yolov8" else 7, 84, across=like == "yolov8")
    contract = make_bundle(model, like, LABELS, tmp_path / "b").contract
    given = contract.input
    assert (given.colour, given.place, given.pad, given.scale) == (colour, place, 114, scale)
    assert (given.name, given.width, given.height, given.layout) == ("images", 64, 64, "nchw")
    assert (contract.output.name, contract.output.head, contract.labels) == ("output0", like, LABELS)


@pytest.mark.parametrize(
    ("like", "values", "cells", "across", "says"),
    [
        ("yolov8", 7, 84, True, "the model gives 7 values per box, 4 + 3 labels; the contract has 2 labels"),
        ("yolox", 85, 84, False, "the model gives 85 values per box, 5 + 80 labels; the contract has 2 labels"),
        ("yolox", 7, 83, False, "the model gives 83 cells; strides [8, 16, 32] on an input of 64 x 64 have 84"),
        ("yolov8", 7, 84, False, "make the bundle with --like yolov5"),
        ("yolov5", 6, 84, True, "make the bundle with --like yolov8"),
    ],
)
def test_labels_and_head_that_do_not_fit_are_told_with_numbers(
    tmp_path: Path, like: Family, values: int, cells: int, across: bool, says: str
) -> None:
    with pytest.raises(Trouble) as caught:
        make_bundle(model_of(tmp_path, values, cells, across=across), like, LABELS, tmp_path / "b")
    assert caught.value.code == "model_mismatch"
    assert says in str(caught.value)
    assert not (tmp_path / "b").exists()


def test_making_the_same_bundle_again_changes_nothing_and_another_is_refused(tmp_path: Path) -> None:
    first = tiny_bundle(tmp_path)
    assert tiny_bundle(tmp_path).digest == first.digest
    with pytest.raises(Trouble, match="holds another bundle already: tiny") as caught:
        tiny_bundle(tmp_path, labels=("cube", "ball", "cone"))
    assert caught.value.code == "bundle_exists"
    assert load_bundle(first.path).digest == first.digest
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_open_input_size_must_be_said(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.onnx", *base_yolov8(), open_size=True)
    with pytest.raises(Trouble, match="leaves its input size open") as caught:
        make_bundle(model, "yolov8", LABELS, tmp_path / "b")
    assert "--size" in caught.value.cure
    assert make_bundle(model, "yolov8", LABELS, tmp_path / "b", size=(96, 32)).contract.input.width == 96


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07" * 500])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(Trouble) as caught:
        make_bundle(tmp_path / "m.onnx", "yolov8", LABELS, tmp_path / "b")
    assert caught.value.code == "model_unreadable"


def test_a_model_whose_weights_lie_beside_it_is_refused_before_it_fails_on_the_robot(tmp_path: Path) -> None:
    base, follow = base_yolov8(600)
    whole = onnx.load(str(write_model(tmp_path / "m.onnx", base, follow)))
    apart = tmp_path / "apart.onnx"
    onnx.save(whole, str(apart), save_as_external_data=True, location="weights.bin", size_threshold=100)
    labels = tuple(f"label {n}" for n in range(600))
    with pytest.raises(Trouble, match=r"apart\.onnx keeps weights in 'weights\.bin'") as caught:
        make_bundle(apart, "yolov8", labels, tmp_path / "b")
    assert caught.value.code == "model_apart"
    assert not (tmp_path / "b").exists()
    assert make_bundle(tmp_path / "m.onnx", "yolov8", labels, tmp_path / "b").contract.labels == labels


def rewritten(bundle: Bundle, folder: Path, **changes: object) -> Bundle:
    """The same model with another contract and a manifest that fits it: only a look at the model can tell."""
    import msgspec

    given = msgspec.structs.replace(bundle.contract.input, **changes)
    return write_bundle(bundle.model, msgspec.structs.replace(bundle.contract, input=given), folder / "other")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"width": 96}, "the model takes [1, 3, 64, 64]"),
        ({"layout": "nhwc"}, "nhwc input is [1, 64, 64, 3]"),
        ({"dtype": "float16"}, "the model takes tensor(float)"),
        ({"name": "pictures"}, "the model's inputs are ['images']"),
    ],
)
def test_check_finds_a_contract_that_does_not_fit_its_model(
    tmp_path: Path, changes: dict[str, object], says: str
) -> None:
    other = rewritten(tiny_bundle(tmp_path), tmp_path, **changes)
    with pytest.raises(Trouble) as caught:
        check_bundle(other.path)
    assert caught.value.code == "model_mismatch"
    assert says in caught.value.what


def test_check_measures_a_good_bundle(tmp_path: Path) -> None:
    report = check_bundle(tiny_bundle(tmp_path).path, runs=5)
    assert (report.labels, report.output_shape, report.runs) == (2, (1, 6, 3), 5)
    assert 0 < report.inference_p50_ms <= report.inference_max_ms


@pytest.mark.parametrize(("level", "says"), [(np.nan, "NaN"), (5.0, "outside of \\[0, 1\\]|scores end at 1")])
def test_check_refuses_a_model_that_gives_no_scores(tmp_path: Path, level: float, says: str) -> None:
    bundle = make_bundle(model_of(tmp_path, 6, 84, across=True, level=level), "yolov8", LABELS, tmp_path / "b")
    with pytest.raises(Trouble, match=says) as caught:
        check_bundle(bundle.path)
    assert caught.value.code == "bad_output"


@pytest.mark.parametrize(("size", "fits"), [(-1.0, False), (4.0, True)])
def test_check_refuses_raw_cells_taken_for_boxes_in_pixels(tmp_path: Path, size: float, fits: bool) -> None:
    """A YOLOX export has the shape that --like yolov5 wants; only its sizes, logarithms there, tell."""
    base = np.full((1, 84, 7), 0.001, np.float32)
    base[0, :, 2:4] = size
    model = write_model(tmp_path / "m.onnx", base, np.zeros_like(base))
    bundle = make_bundle(model, "yolov5", LABELS, tmp_path / "b")
    if fits:
        assert check_bundle(bundle.path, runs=1).head == "yolov5"
        return
    with pytest.raises(Trouble, match="raw cells of yolox") as caught:
        check_bundle(bundle.path)
    assert "--like" in caught.value.cure


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("n.yaml", "names: [cube, ball]"),
        ("n.yaml", "names: {1: ball, 0: cube}"),
        ("n.yaml", "labels: {0: cube, 1: ball}"),
        ("n.yml", "[cube, ball]"),
        ("n.yaml", "0: cube\n1: ball\n"),
        ("n.txt", "cube\nball\n"),
        ("n.names", "cube \r\nball\r\n"),
    ],
)
def test_labels_are_read_from_every_usual_form(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_bytes(text.encode())
    assert read_labels(tmp_path / name) == ("cube", "ball")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("n.yaml", "names: {0: cube, 2: ball}", "has no label for class 1"),
        ("n.yaml", "names: [cube, cube]", "twice"),
        ("n.yaml", "names: [cube, 7]", "class 1"),
        ("n.yaml", "names: []", "0 labels"),
        ("n.yaml", "names: {a: b}", "'a'"),
        ("n.yaml", "names: 3", "neither"),
        ("n.txt", "cube\n\nball\n", "class 1"),
        ("n.txt", "\xff", "class 0|UTF-8"),
    ],
)
def test_labels_that_would_shift_classes_are_refused(tmp_path: Path, name: str, text: str, says: str) -> None:
    (tmp_path / name).write_bytes(text.encode("latin-1"))
    with pytest.raises(Trouble, match=says) as caught:
        read_labels(tmp_path / name)
    assert caught.value.code == "labels_invalid"


def test_the_commands_print_data_on_stdout_and_narration_on_stderr(tmp_path: Path) -> None:
    model = write_model(tmp_path / "m.onnx", *base_yolov8())
    (tmp_path / "n.txt").write_text("cube\nball\n")
    options = ["--like", "yolov8", "--labels", str(tmp_path / "n.txt"), "--output", str(tmp_path / "b")]
    made = CliRunner().invoke(commands.bundle, ["make", str(model), *options])
    assert made.exit_code == 0
    assert made.stdout.strip() == load_bundle(tmp_path / "b").digest
    assert "2 labels" in made.stderr
    checked = CliRunner().invoke(commands.bundle, ["check", str(tmp_path / "b"), "--json"])
    assert json.loads(checked.stdout)["digest"] == made.stdout.strip()
    assert "a warm-up run are right" in CliRunner().invoke(commands.bundle, ["check", str(tmp_path / "b")]).stdout
