"""Turns a trained detector into a bundle: ONNX with everything folded, contract, manifest. Needs PyTorch and onnx."""

from __future__ import annotations

import copy
import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import torch
import yaml
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

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


def write_contract(stated: Contract, path: Path) -> None:
    """Write contract.yaml."""
    plain: dict[str, Any] = msgspec.to_builtins(stated)
    path.write_text(yaml.safe_dump(plain, sort_keys=False), encoding="utf-8")


def write_manifest(folder: Path, files: tuple[str, ...]) -> str:
    """Write manifest.json over `files`; returns the bundle's digest, SHA-256 of the manifest's bytes."""
    rows = {}
    for name in sorted(files):
        data = (folder / name).read_bytes()
        rows[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    text = json.dumps({"files": rows, "format": 1, "name": BUNDLE_NAME}, indent=2, sort_keys=True) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")
    return hashlib.sha256(text.encode()).hexdigest()
