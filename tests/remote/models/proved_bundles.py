"""Tiny bundles that carry golden samples and a provenance, as an export writes them."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from remote.manifest import CONTRACT, GOLDEN, MANIFEST, MODEL, PROVENANCE, entry_of, manifest_bytes
from remote.models.bundle import Bundle, load_bundle
from remote.models.golden import Golden, golden_bytes
from remote.models.provenance import Provenance, Tolerance
from remote.verdicts import Check
from tests.tiny_models import base_yolov8, tiny_bundle

LEVELS = (0.2, 0.5, 1.0)
"""The pictures' brightness, as the contract scales it."""


def golden_of(wrong: float = 0.0) -> Golden:
    """What tiny_bundle gives for grey pictures; `wrong` is added to one of its outputs."""
    base, follow = base_yolov8()
    inputs = np.stack([np.full((3, 64, 64), level, np.float32) for level in LEVELS])
    outputs = np.stack([(base + follow * level)[0] for level in LEVELS]).astype(np.float32)
    outputs[1, 0, 0] += wrong
    return Golden({"images": inputs}, {"output0": outputs})


def proved_bundle(
    folder: Path,
    *,
    wrong: float = 0.0,
    opset: int = 13,
    tolerance: Tolerance | None = Tolerance(absolute=1e-4, relative=1e-4),
    golden: bytes | None = None,
    measured: tuple[Check, ...] = (),
) -> Bundle:
    """A whole bundle in `folder/bundle` with golden.npz and provenance.json."""
    folder.mkdir(parents=True, exist_ok=True)
    made = tiny_bundle(folder)
    (made.path / GOLDEN).write_bytes(golden_bytes(golden_of(wrong)) if golden is None else golden)
    said = Provenance(step="export", source="a test", opset=opset, tolerance=tolerance, measured=measured)
    (made.path / PROVENANCE).write_bytes(msgspec.json.encode(said))
    files = {name: entry_of(made.path / name) for name in (MODEL, CONTRACT, GOLDEN, PROVENANCE)}
    (made.path / MANIFEST).write_bytes(manifest_bytes(made.contract.name, files))
    return load_bundle(made.path)
