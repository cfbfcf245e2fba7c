"""Turns a trained detector into a bundle: ONNX with everything folded, contract, manifest. Needs PyTorch and onnx."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from remote.manifest import MANIFEST, digest_of, entry_of, manifest_bytes
from remote.models.contract import Contract, InputContract, OutputContract, Thresholds
from remote.training.network import STRIDES, ConvUnit, Decoded, Detector
from remote.training.scene import LABELS

OPSET = 17
INPUT_NAME, OUTPUT_NAME = "images", "output"
BUNDLE_NAME = "tabletop"
MOST_BYTES = 1_500_000


def folded(network: Detector) -> Detector:
    """A copy for inference: batch normalisation and the scaling of levels become part of the convolutions."""
    network = copy.deepcopy(network).eval()
    for unit in network.modules():
        if isinstance(unit, ConvUnit):
            unit[0], unit[1] = fuse_conv_bn_eval(unit[0], unit[1]), nn.Identity()
    with torch.no_grad():
        network.stem[0].weight *= network.level_scale
    network.level_scale = 1.0
    return network


def write_onnx(network: Detector, size: tuple[int, int], path: Path) -> int:
    """Write the decoded network for one picture of (width, height); returns the opset read back from the file.

    Raises:
        ValueError: the file is larger than a bundle may be, or ONNX's checker refuses it.
    """
    import onnx

    model = Decoded(folded(network), size).eval()
    torch.onnx.export(
        model,
        (torch.zeros(1, 3, size[1], size[0]),),
        str(path),
        input_names=[INPUT_NAME],
        output_names=[OUTPUT_NAME],
        opset_version=OPSET,
        dynamo=False,
        do_constant_folding=True,
    )
    loaded = onnx.load(str(path))
    onnx.checker.check_model(loaded, full_check=True)
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"{path} has {path.stat().st_size} bytes, more than {MOST_BYTES}")
    return int(loaded.opset_import[0].version)


def contract(size: tuple[int, int], *, score: float, nms_iou: float) -> Contract:
    """The contract of the exported network."""
    return Contract(
        name=BUNDLE_NAME,
        input=InputContract(name=INPUT_NAME, width=size[0], height=size[1], colour="bgr", place="top_left"),
        output=OutputContract(name=OUTPUT_NAME, head="yolov8", strides=STRIDES),
        labels=tuple(LABELS),
        thresholds=Thresholds(score=score, nms_iou=nms_iou),
    )


def write_manifest(folder: Path, files: tuple[str, ...]) -> str:
    """Write manifest.json over `files`; returns the bundle's digest."""
    data = manifest_bytes(BUNDLE_NAME, {name: entry_of(folder / name) for name in files})
    (folder / MANIFEST).write_bytes(data)
    return digest_of(data)
