"""A bundle: the folder with model.onnx, contract.yaml and manifest.json that is deployed as one thing.

A bundle holds a detector (Bundle) or a policy (PolicyBundle). What looks at pictures takes the first only: `load_bundle`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Union

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
from remote.models.contract import Contract, PolicyContract
from remote.models.contract_file import CODE, WRONG_TASK, parse_any_contract
from remote.models.weights_apart import refuse_weights_apart
from remote.strict_yaml import read_bytes, read_text

_CURE = "Give the folder that `fieldgate model export` or `fieldgate bundle make` wrote"


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


@dataclass(frozen=True)
class PolicyBundle:
    """A verified bundle that holds a policy; otherwise as Bundle."""

    path: Path
    digest: str
    contract: PolicyContract

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.path / MODEL


AnyBundle = Union[Bundle, PolicyBundle]


def load_bundle(path: Path) -> Bundle:
    """Read a detector's bundle and verify every file against the manifest's digests; no engine is loaded.

    Raises:
        Trouble: code `bundle_missing`, `bundle_incomplete`, `bundle_changed`, `manifest_invalid`, `contract_invalid`,
            `model_apart` or `wrong_task`; names the file and what to do.
    """
    loaded = load_any_bundle(path)
    if isinstance(loaded, Bundle):
        return loaded
    what = f"bundle {path} holds a policy ({loaded.contract.name}): it gives actions, not boxes"
    cure = "Give a detector's bundle; a policy is proved with `fieldgate bundle check`"
    raise Trouble(what, cure=cure, code=WRONG_TASK)


def load_policy_bundle(path: Path) -> PolicyBundle:
    """The same for a policy's bundle; `wrong_task` for a detector's."""
    loaded = load_any_bundle(path)
    if isinstance(loaded, PolicyBundle):
        return loaded
    what = f"bundle {path} holds a detector ({loaded.contract.name}): it gives boxes, not actions"
    raise Trouble(what, cure="Give a policy's bundle", code=WRONG_TASK)


def must_be_there(path: Path) -> None:
    """Raise Trouble (`bundle_missing`) where there is no folder; nothing in it is looked at."""
    if not path.is_dir():
        what = f"bundle {path} {'is not a folder' if path.exists() else 'does not exist'}"
        raise Trouble(what, cure=_CURE, code="bundle_missing")


def load_any_bundle(path: Path) -> AnyBundle:
    """The same for a bundle of either task."""
    must_be_there(path)
    where = path / MANIFEST
    if not any((path / name).exists() for name in (MANIFEST, MODEL, CONTRACT)):
        raise Trouble(f"folder {path} is no bundle: it has no {MANIFEST}", cure=_CURE, code="bundle_missing")
    data = read_bytes(where, what="manifest", code="bundle_incomplete", limit_bytes=MAX_MANIFEST_BYTES)
    manifest = parse_manifest(data, where)
    for name, entry in sorted(manifest.files.items()):
        verify_file(path, name, entry)
    refuse_weights_apart(path / MODEL)
    contract_path = path / CONTRACT
    contract = parse_any_contract(read_text(contract_path, what="contract", code=CODE), contract_path)
    if contract.name != manifest.name:
        what = f"bundle {path}: manifest.json calls it {manifest.name!r}, contract.yaml {contract.name!r}"
        raise Trouble(what, cure="Make the bundle anew with `fieldgate model export`", code="bundle_changed")
    if isinstance(contract, PolicyContract):
        return PolicyBundle(path, digest_of(data), contract)
    return Bundle(path, digest_of(data), contract)
