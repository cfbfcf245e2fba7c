"""A bundle: the folder with model.onnx, contract.yaml and manifest.json that is deployed as one thing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from remote.errors import Trouble
from remote.manifest import (
    CONTRACT,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    MODEL,
    digest_of,
    parse_manifest,
    verify_file,
)
from remote.models.contract import Contract
from remote.models.contract_file import CODE, parse_contract
from remote.strict_yaml import read_bytes, read_text


@dataclass(frozen=True)
class Bundle:
    """A verified bundle. `digest` is its identity (64 hex digits), `path` its folder."""

    path: Path
    digest: str
    contract: Contract

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.path / MODEL


def load_bundle(path: Path) -> Bundle:
    """Read a bundle and verify every file against the manifest's digests; no engine is loaded.

    Raises:
        Trouble: code `bundle_missing`, `bundle_incomplete`, `bundle_changed`, `manifest_invalid` or `contract_invalid`;
            names the file and what to do.
    """
    if not path.is_dir():
        what = f"bundle {path} {'is not a folder' if path.exists() else 'does not exist'}"
        raise Trouble(what, cure="Give the folder that `fieldgate bundle make` wrote", code="bundle_missing")
    where = path / MANIFEST
    data = read_bytes(where, what="manifest", code="bundle_incomplete", limit_bytes=MAX_MANIFEST_BYTES)
    manifest = parse_manifest(data, where)
    for name, entry in sorted(manifest.files.items()):
        verify_file(path, name, entry)
    contract_path = path / CONTRACT
    contract = parse_contract(read_text(contract_path, what="contract", code=CODE), contract_path)
    if contract.name != manifest.name:
        what = f"bundle {path}: manifest.json calls it {manifest.name!r}, contract.yaml {contract.name!r}"
        raise Trouble(what, cure="Make the bundle anew with `fieldgate bundle make`", code="bundle_changed")
    return Bundle(path, digest_of(data), contract)
