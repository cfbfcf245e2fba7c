"""A bundle's folder on the laptop, as far as names, sizes and digests go."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

FILES = {"model.onnx": b"the weights", "contract.yaml": b"format: 1\n"}


def make_bundle(folder: Path, name: str = "tabletop", files: dict[str, bytes] = FILES) -> str:
    """Write the files and their manifest; the bundle's digest."""
    folder.mkdir(exist_ok=True)
    for file, data in files.items():
        (folder / file).write_bytes(data)
    listed = {file: {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)} for file, data in files.items()}
    manifest = json.dumps({"format": 1, "name": name, "files": listed}).encode()
    (folder / "manifest.json").write_bytes(manifest)
    return hashlib.sha256(manifest).hexdigest()
