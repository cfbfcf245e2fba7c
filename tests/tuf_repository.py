"""A real signed repository of updates, made with python-tuf itself, in every state that an attacker could show."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
from securesystemslib.signer import CryptoSigner, Signer
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

from remote.manifest import MANIFEST, FileEntry, digest_of, manifest_bytes
from remote.release import (
    METADATA_FOLDER,
    ROLLOUT_ROLE,
    ROLLOUT_TARGET,
    SIGNED_AT,
    TARGETS_FOLDER,
    Needs,
    Release,
    Rollout,
    file_target,
    release_target,
)

ONLINE = ("snapshot", "timestamp")


def new_key() -> CryptoSigner:
    """A fresh Ed25519 key."""
    return CryptoSigner.generate_ed25519()


def bundle_files(model: bytes = b"a model", name: str = "tiny") -> dict[str, bytes]:
    """The files of a bundle that nobody runs, with its manifest."""
    files = {"model.onnx": model, "contract.yaml": b"name: " + name.encode() + b"\n"}
    entries = {one: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for one, data in files.items()}
    return {**files, MANIFEST: manifest_bytes(name, entries)}


@dataclass
class Keys:
    """Who signs what. `root` and `targets` are two keys of three, with a threshold of two."""

    root: list[Signer] = field(default_factory=lambda: [new_key() for _ in range(3)])
    targets: list[Signer] = field(default_factory=lambda: [new_key() for _ in range(3)])
    online: Signer = field(default_factory=new_key)
    rollout: Signer = field(default_factory=new_key)


class Repository:
    """Metadata in memory, changed freely, then signed and written by `publish`."""

    def __init__(self, folder: Path, keys: Keys | None = None) -> None:
        self.folder, self.keys = folder, keys or Keys()
        self.expires = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=7)
        self.signed_at = datetime.now(timezone.utc)
        self.root = Root(version=1, expires=self.expires, consistent_snapshot=True)
        self.targets = Targets(version=1, expires=self.expires)
        self.rollout = Targets(version=1, expires=self.expires)
        self.snapshot = Snapshot(version=1, expires=self.expires)
        self.timestamp = Timestamp(version=1, expires=self.expires)
        self._keys_into_root()
        role = DelegatedRole(ROLLOUT_ROLE, [self.keys.rollout.public_key.keyid], 1, True, paths=[ROLLOUT_TARGET])
        self.targets.delegations = Delegations(
            {self.keys.rollout.public_key.keyid: self.keys.rollout.public_key}, {ROLLOUT_ROLE: role}
        )
        self.publish()
        self.publish_root()

    @property
    def first_root(self) -> bytes:
        """The root that a robot is given."""
        return (self.folder / METADATA_FOLDER / "1.root.json").read_bytes()

    @property
    def url(self) -> str:
        """file:// of it."""
        return self.folder.as_uri()

    def _keys_into_root(self) -> None:
        for role, signers in (("root", self.keys.root), ("targets", self.keys.targets)):
            for signer in signers:
                self.root.add_key(signer.public_key, role)
            self.root.roles[role].threshold = 2
        for role in ONLINE:
            self.root.add_key(self.keys.online.public_key, role)

    def release(
        self, number: int, files: dict[str, bytes] | None = None, needs: Needs = Needs(), **changes: Any
    ) -> Release:
        """Put a bundle and its release among the targets; `changes` replaces fields of the release."""
        files = files or bundle_files()
        digest = digest_of(files[MANIFEST])
        entries = {name: FileEntry(hashlib.sha256(data).hexdigest(), len(data)) for name, data in files.items()}
        release = Release(number=number, bundle=digest, name="tiny", files=entries, needs=needs)
        release = msgspec.structs.replace(release, **changes)
        for name, data in files.items():
            self.add(file_target(digest, name), data)
        self.add(release_target(number), msgspec.json.encode(release))
        return release

    def open(self, number: int, *robots: str, everyone: bool = False, stopped: str = "") -> None:
        """Let the rollout role open a release."""
        rollout = Rollout(release=number, robots=robots, everyone=everyone, stopped=stopped)
        self.add(ROLLOUT_TARGET, msgspec.json.encode(rollout), self.rollout)

    def add(self, path: str, data: bytes, role: Targets | None = None) -> TargetFile:
        """A target of a role (the offline targets unless said) with its file."""
        target = TargetFile.from_data(path, data, ["sha256"])
        (role or self.targets).targets[path] = target
        place = self.place(target)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        return target

    def place(self, target: TargetFile) -> Path:
        """Where a target's file lies."""
        folder, _, name = target.path.rpartition("/")
        return self.folder / TARGETS_FOLDER / folder / f"{target.hashes['sha256']}.{name}"

    def publish(self, *, bump: bool = False, targets_signers: list[Signer] | None = None, **signers: Signer) -> None:
        """Sign and write everything but the root; `bump` raises each version by one. `signers` replaces a role's key."""
        if bump:
            for one in (self.targets, self.rollout, self.snapshot, self.timestamp):
                one.version += 1
        offline = self.keys.targets[:2] if targets_signers is None else targets_signers
        targets = self.write("targets", self.targets, offline)
        rollout = self.write(ROLLOUT_ROLE, self.rollout, [signers.get("rollout", self.keys.rollout)])
        self.snapshot.meta = {
            "targets.json": MetaFile.from_data(self.targets.version, targets, ["sha256"]),
            "rollout.json": MetaFile.from_data(self.rollout.version, rollout, ["sha256"]),
        }
        self.publish_online(**signers)

    def publish_online(self, **signers: Signer) -> None:
        """Sign and write snapshot and timestamp as they are."""
        snapshot = self.write("snapshot", self.snapshot, [signers.get("snapshot", self.keys.online)])
        self.timestamp.snapshot_meta = MetaFile.from_data(self.snapshot.version, snapshot, ["sha256"])
        self.publish_timestamp(**signers)

    def publish_timestamp(self, **signers: Signer) -> None:
        """Sign and write the timestamp."""
        self.timestamp.unrecognized_fields[SIGNED_AT] = self.signed_at.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.write("timestamp", self.timestamp, [signers.get("timestamp", self.keys.online)])

    def publish_root(self, *signers: Signer) -> None:
        """Sign and write the root of the version that it has."""
        self.write("root", self.root, list(signers) or self.keys.root[:2])

    def write(self, name: str, signed: Any, signers: list[Signer]) -> bytes:
        """Sign and write one metadata file; its bytes."""
        metadata: Metadata[Any] = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        data = metadata.to_bytes()
        (self.folder / METADATA_FOLDER).mkdir(parents=True, exist_ok=True)
        (self.folder / METADATA_FOLDER / self.file_name(name, signed.version)).write_bytes(data)
        return data

    @staticmethod
    def file_name(name: str, version: int) -> str:
        """How a consistent snapshot calls it."""
        return "timestamp.json" if name == "timestamp" else f"{version}.{name}.json"
