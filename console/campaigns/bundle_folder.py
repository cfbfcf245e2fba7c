"""A bundle's folder on the laptop: its digest, after every file was found to be the one that its manifest names.

`fieldgate bundle check` judges by the same rules, in the robot's half, which the console does not load.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Annotated

import msgspec

from remote.errors import Trouble

MANIFEST = "manifest.json"
REQUIRED = ("model.onnx", "contract.yaml")
MAX_MANIFEST_BYTES = 65_536
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_AGAIN = (
    "copy the whole bundle again, or make it anew with `fieldgate bundle make`; `fieldgate bundle check DIR` says more"
)


class _File(msgspec.Struct, frozen=True):
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    bytes: Annotated[int, msgspec.Meta(ge=0)]


class _Manifest(msgspec.Struct, frozen=True):
    name: str
    files: Annotated[dict[str, _File], msgspec.Meta(max_length=64)]


def bundle_in(folder: Path) -> tuple[str, str]:
    """Digest and name of the bundle in a folder on the laptop; the digest is the SHA-256 of its manifest's bytes.

    Blocks while every file is hashed. Raises Trouble: `bad_bundle` where there is no manifest that can be read,
    `bundle_incomplete` or `bundle_changed` where a file is not the one that the manifest names.
    """
    data, manifest = _manifest(folder / MANIFEST)
    for name in REQUIRED:
        if name not in manifest.files:
            raise Trouble(f"{folder / MANIFEST} lacks {name}", cure=_AGAIN, code="bad_bundle")
    for name, expected in manifest.files.items():
        _check(folder, name, expected)
    return hashlib.sha256(data).hexdigest(), manifest.name or folder.name


def _manifest(path: Path) -> tuple[bytes, _Manifest]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_MANIFEST_BYTES + 1)
        if len(data) > MAX_MANIFEST_BYTES:
            raise ValueError(f"it is longer than {MAX_MANIFEST_BYTES} bytes")
        return data, msgspec.json.decode(data, type=_Manifest)
    except (OSError, ValueError, RecursionError) as error:  # msgspec's own errors are ValueErrors
        what = f"{path.parent} is no bundle: its {MANIFEST} can't be read ({error})"
        raise Trouble(what, cure="`fieldgate bundle check DIR` says more", code="bad_bundle") from error


def _check(folder: Path, name: str, expected: _File) -> None:
    path = folder / name
    if not _PLAIN.fullmatch(name):
        what = f"{folder / MANIFEST} names a file outside of the bundle's folder: {name!r}"
        raise Trouble(what, cure=_AGAIN, code="bad_bundle")
    if path.is_symlink():
        what = f"{path} is a symbolic link"
        raise Trouble(what, cure="put the file itself into the bundle", code="bundle_changed")
    if not path.is_file():
        raise Trouble(f"{path} is missing, the manifest names it", cure=_AGAIN, code="bundle_incomplete")
    size = path.stat().st_size
    if size < expected.bytes:
        what = f"{path} is truncated: {size} of {expected.bytes} bytes"
        raise Trouble(what, cure=_AGAIN, code="bundle_incomplete")
    if size > expected.bytes or _sha256(path) != expected.sha256:
        what = f"{path} is not the file of the manifest (its SHA-256 differs)"
        raise Trouble(what, cure=_AGAIN, code="bundle_changed")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                digest.update(piece)
    except OSError as error:
        what = f"{path} can't be read: {error.strerror}"
        raise Trouble(what, cure="correct the folder's permissions", code="bundle_incomplete") from error
    return digest.hexdigest()
