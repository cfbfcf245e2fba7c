"""The training code, where PyTorch is installed (extra `train`): the exported file must compute what was trained."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from remote.training import export, losses  # noqa: E402
from remote.training.dataset import render_scenes  # noqa: E402
from remote.training.network import Decoded, Detector, cells  # noqa: E402
from remote.training.randomisation import load_randomisation  # noqa: E402

SIZE = (256, 192)


def shaken() -> Detector:
    """A network whose normalisation is not the identity: folding it wrongly would show."""
    torch.manual_seed(3)
    network = Detector(4)
    network.train()
    for _ in range(3):
        network(torch.rand(4, 3, SIZE[1], SIZE[0]) * 255)
    network.eval()
    return network


def test_the_exported_file_computes_what_the_network_does(tmp_path: Path) -> None:
    import onnxruntime

    network = shaken()
    assert 13 <= export.write_onnx(network, SIZE, tmp_path / "m.onnx") <= 18
    levels = (np.random.default_rng(0).random((1, 3, SIZE[1], SIZE[0])) * 255).astype(np.float32)
    session = onnxruntime.InferenceSession(str(tmp_path / "m.onnx"), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {export.INPUT_NAME: levels})
    with torch.no_grad():
        wanted = Decoded(network, SIZE)(torch.from_numpy(levels)).numpy()
    assert np.allclose(found, wanted, rtol=1e-3, atol=1e-3)


def test_boxes_that_fit_cost_nothing_and_boxes_that_do_not_cost_much() -> None:
    middles, strides = cells(SIZE)
    targets = torch.full((1, 3, 5), -1.0)
    targets[0, 0] = torch.tensor([2.0, 40.0, 50.0, 100.0, 120.0])
    sides = torch.cat([middles - targets[0, 0, 1:3], targets[0, 0, 3:] - middles], 1).t()[None] / strides
    logits = torch.full((1, 4, len(middles)), -12.0)
    inside = (sides.amin(1) > 0)[0]
    logits[0, 2, inside] = 12.0
    right = losses.detection_loss(sides, logits, middles, strides, targets)
    shifted = losses.detection_loss(sides + 3.0, logits, middles, strides, targets)
    assert torch.allclose(losses.to_boxes(sides, middles, strides)[0, 5], targets[0, 0, 1:])
    assert float(shifted) > float(right) + 1.0


def test_an_empty_table_has_a_finite_loss() -> None:
    middles, strides = cells(SIZE)
    sides, logits = Detector(4)(torch.zeros(2, 3, SIZE[1], SIZE[0]))
    loss = losses.detection_loss(sides, logits, middles, strides, torch.full((2, 3, 5), -1.0))
    assert torch.isfinite(loss)


def test_training_scenes_are_shrunk_with_their_boxes() -> None:
    scenes = render_scenes(load_randomisation(), range(50, 53), SIZE)
    assert scenes.images.shape == (3, SIZE[1], SIZE[0], 3)
    real = scenes.boxes[scenes.boxes[..., 0] >= 0]
    assert len(real) > 0
    assert (real[:, 3] <= SIZE[0]).all()
    assert (real[:, 4] <= SIZE[1]).all()
    assert (real[:, 3:] > real[:, 1:3]).all()
