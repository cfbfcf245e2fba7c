"""manifest.json: the names, sizes and SHA-256 of a bundle's files. The digest of its own bytes is the bundle's identity."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from remote.errors import Trouble
from remote.ready_types import ready

MODEL = "model.onnx"
CONTRACT = "contract.yaml"
MANIFEST = "manifest.json"
GOLDEN = "golden.npz"
PROVENANCE = "provenance.json"
REQUIRED = (MODEL, CONTRACT)
MAX_MANIFEST_BYTES = 65_536
MAX_FILE_BYTES = 4 * 1024**3
CODE = "manifest_invalid"
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file: its SHA-256 in lower-case hex and its size."""

    sha256: Digest
    bytes: Annotated[int, msgspec.Meta(ge=0, le=MAX_FILE_BYTES)]


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bundle's name and its files. File names are plain names within the bundle's folder."""

    format: Literal[1]
    name: str
    files: Annotated[dict[str, FileEntry], msgspec.Meta(max_length=64)]


def manifest_bytes(name: str, files: dict[str, FileEntry]) -> bytes:
    """The one way to write a manifest: sorted keys, two spaces, a final newline; equal bundles get equal bytes."""
    plain = msgspec.to_builtins(Manifest(1, name, files))
    return (json.dumps(plain, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


def digest_of(manifest: bytes) -> str:
    """The bundle's identity: SHA-256 of manifest.json's bytes, in hex."""
    return hashlib.sha256(manifest).hexdigest()


def parse_manifest(data: bytes, where: Path) -> Manifest:
    """Read a manifest's bytes; `where` is named in errors.

    Raises:
        Trouble: code `manifest_invalid`, for bytes that are no manifest, lack a required file, give a key twice or name a
            file elsewhere.
    """
    try:
        manifest = msgspec.json.decode(data, type=ready(Manifest))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refused(where, f"is refused: {error}") from error
    if twice := _given_twice(data):
        raise _refused(where, f"gives {twice[:80]!r} twice")
    for name in manifest.files:
        if not _PLAIN_NAME.fullmatch(name):
            raise _refused(where, f"names a file outside of the bundle's folder: {name[:200]!r}")
    missing = [name for name in REQUIRED if name not in manifest.files]
    if missing:
        raise _refused(where, f"lacks {missing[0]}")
    return manifest


def _given_twice(data: bytes) -> str:
    """The first key that an object of this JSON has twice, empty for none: readers differ in which of both they take."""
    twice: list[str] = []

    def look(pairs: list[tuple[str, object]]) -> None:
        names = [name for name, _ in pairs]
        if len(set(names)) < len(names):
            twice.append(next(name for name in names if names.count(name) > 1))

    json.loads(data, object_pairs_hook=look)
    return twice[0] if twice else ""


def entry_of(path: Path) -> FileEntry:
    """Hash a file in pieces."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
            size += len(piece)
    return FileEntry(digest.hexdigest(), size)


def verify_file(folder: Path, name: str, expected: FileEntry) -> None:
    """Raise Trouble (`bundle_incomplete`, `bundle_changed`) unless `folder/name` is exactly the manifest's file."""
    path = folder / name
    again = "Copy the whole bundle again, or make it anew with `fieldgate model export`"
    if path.is_symlink():
        raise Trouble(f"{path} is a symbolic link", cure="Put the file itself into the bundle", code="bundle_changed")
    if not path.is_file():
        raise Trouble(f"{path} is missing, the manifest names it", cure=again, code="bundle_incomplete")
    size = path.stat().st_size
    if size < expected.bytes:
        what = f"{path} is truncated: {size} of {expected.bytes} bytes"
        raise Trouble(what, cure=again, code="bundle_incomplete")
    if size > expected.bytes or entry_of(path).sha256 != expected.sha256:
        raise Trouble(
            f"{path} is not the file of the manifest (its SHA-256 differs)", cure=again, code="bundle_changed"
        )


def _refused(where: Path, what: str) -> Trouble:
    return Trouble(f"manifest {where} {what}", cure="Make the bundle anew with `fieldgate model export`", code=CODE)
