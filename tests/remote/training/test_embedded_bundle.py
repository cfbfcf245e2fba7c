"""The committed detector: a wrong, torn or stale bundle would leave the demo without boxes, or with wrong ones."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest
import yaml

from remote.models.contract import Contract
from remote.training.randomisation import load_randomisation
from remote.training.scene import LABELS, SceneRenderer
from remote.training.score import Detections, open_detector, read_output, score

BUNDLE = Path(__file__).parents[3] / "remote" / "bundles" / "tabletop"
FRESH_SEEDS = range(7_000_000, 7_000_060)
MOST_BYTES = 1_500_000


def contract() -> Contract:
    plain = yaml.safe_load((BUNDLE / "contract.yaml").read_text("utf-8"))
    return msgspec.convert(plain, type=Contract)


def next_class(found: Detections) -> Detections:
    swapped: Detections = found.copy()
    swapped[:, 5] = (swapped[:, 5] + 1) % len(LABELS)
    return swapped


def test_the_manifest_names_every_file_with_its_digest() -> None:
    text = (BUNDLE / "manifest.json").read_text("utf-8")
    manifest = json.loads(text)
    assert (manifest["format"], manifest["name"]) == (1, "tabletop")
    assert set(manifest["files"]) == {path.name for path in BUNDLE.iterdir()} - {"manifest.json"}
    for name, row in manifest["files"].items():
        data = (BUNDLE / name).read_bytes()
        assert row == {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert text == json.dumps(manifest, indent=2, sort_keys=True) + "\n"


def test_the_model_is_small_legal_and_what_the_contract_says() -> None:
    assert (BUNDLE / "model.onnx").stat().st_size <= MOST_BYTES
    model = onnx.load(str(BUNDLE / "model.onnx"))
    onnx.checker.check_model(model, full_check=True)
    assert [(row.domain, 13 <= row.version <= 18) for row in model.opset_import] == [("", True)]
    assert model.ir_version <= 10, "onnxruntime 1.18 reads no newer one"
    assert not {node.op_type for node in model.graph.node} & {"NonMaxSuppression", "BatchNormalization"}
    stated = contract()
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    }
    assert shapes[stated.input.name] == [1, 3, stated.input.height, stated.input.width]
    cells = sum(stated.input.height // s * (stated.input.width // s) for s in stated.output.strides)
    assert shapes[stated.output.name] == [1, 4 + len(stated.labels), cells]
    assert stated.labels == LABELS


def test_the_model_finds_objects_in_scenes_that_it_never_saw() -> None:
    """0.90 on 500 scenes is on the model card; 60 scenes tell a wrong file from a right one."""
    renderer = SceneRenderer(load_randomisation())
    result = score((renderer.render(seed) for seed in FRESH_SEEDS), open_detector(BUNDLE / "model.onnx"))
    assert result.scenes == len(FRESH_SEEDS)
    assert result.ap50 >= 0.85
    assert min(result.ap50_by_class) >= 0.75


def test_the_score_falls_when_boxes_are_wrong() -> None:
    """The threshold above must be able to fail: shifted boxes and swapped classes score next to nothing."""
    renderer = SceneRenderer(load_randomisation())
    scenes = [renderer.render(seed) for seed in FRESH_SEEDS[:10]]
    detect = open_detector(BUNDLE / "model.onnx")
    shift = np.array([80, 60, 80, 60, 0, 0], np.float32)
    assert score(scenes, lambda picture: detect(picture) + shift).ap50 < 0.2
    assert score(scenes, lambda picture: next_class(detect(picture))).ap50 < 0.2
    assert score(scenes, lambda picture: np.empty((0, 6), np.float32)).ap50 == 0


@pytest.mark.parametrize(("offset", "left"), [(1.0, 1), (30.0, 2)])
def test_suppression_keeps_the_best_of_boxes_that_overlap(offset: float, left: int) -> None:
    output = np.zeros((8, 3), np.float32)
    output[:4, 0] = [50, 50, 20, 20]
    output[:4, 1] = [50 + offset, 50, 20, 20]
    output[4, :2] = [0.9, 0.6]
    found = read_output(output, 0.5, nms_iou=0.5)
    assert len(found) == left
    assert found[0].tolist() == pytest.approx([80, 80, 120, 120, 0.9, 0])
