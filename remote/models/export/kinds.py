"""What kind of source was given, told by its content: a name says little about a file. Nothing of it is run or unpickled."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Literal

from remote.errors import Trouble
from remote.manifest import CONTRACT, MANIFEST, MODEL

Kind = Literal["bundle", "onnx", "torchscript", "checkpoint", "policy"]
WORDS: dict[Kind, str] = {
    "bundle": "bundle",
    "onnx": "ONNX file",
    "torchscript": "TorchScript file",
    "checkpoint": "torch checkpoint",
    "policy": "Stable-Baselines3 policy",
}


def a_kind(kind: Kind) -> str:
    """`an ONNX file`, `a bundle`."""
    return f"{'an' if kind == 'onnx' else 'a'} {WORDS[kind]}"


_ZIP = b"PK\x03\x04"
_PICKLE = b"\x80"
_CURE = "Give a torch checkpoint, TorchScript, a Stable-Baselines3 zip, an ONNX file or a bundle's folder"


def kind_of(source: Path) -> Kind:
    """The kind of `source`.

    Raises:
        Trouble: `source_missing`, `source_damaged` for an empty or truncated file, `source_unknown` for anything else.
    """
    if source.is_dir():
        if not any((source / name).exists() for name in (MANIFEST, MODEL, CONTRACT)):
            raise Trouble(f"folder {source} is no bundle: it has no {MANIFEST}", cure=_CURE, code="source_unknown")
        return "bundle"
    if not source.is_file():
        raise Trouble(f"{source} does not exist", cure=_CURE, code="source_missing")
    with source.open("rb") as file:
        start = file.read(4)
    if not start:
        raise damaged(source, "is empty")
    if start == _ZIP:
        return _kind_of_zip(source)
    if source.suffix.lower() == ".onnx":
        return "onnx"
    if start.startswith(_PICKLE) and source.suffix.lower() in (".pt", ".pth", ".bin", ".ckpt"):
        return "checkpoint"  # as torch wrote them before 1.6
    raise Trouble(f"{source} is nothing that can be exported", cure=_CURE, code="source_unknown")


def _kind_of_zip(source: Path) -> Kind:
    try:
        with zipfile.ZipFile(source) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise damaged(source, f"is truncated or damaged: {error}") from error
    if "policy.pth" in names and "data" in names:
        return "policy"
    if any(name.endswith("/constants.pkl") for name in names) and any("/code/" in name for name in names):
        return "torchscript"
    if any(name.endswith("/data.pkl") for name in names):
        return "checkpoint"
    what = f"{source} is a zip, but neither a checkpoint nor TorchScript nor a Stable-Baselines3 policy"
    raise Trouble(what, cure=_CURE, code="source_unknown")


def damaged(source: Path, how: str) -> Trouble:
    """The refusal of a file that is not whole."""
    return Trouble(f"{source} {how}", cure="Copy it again in full, or save it again", code="source_damaged")
