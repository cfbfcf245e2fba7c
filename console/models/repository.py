"""A repository of updates as a folder of static files: where its parts lie, and what stands in it now.

`metadata/N.root.json`, `N.targets.json`, `N.rollout.json`, `N.snapshot.json` and `timestamp.json`; `targets/` as
remote.release says; `audit.jsonl`; `fleet.yaml`. `.pending/` holds what waits for signatures: no robot asks for it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remote.errors import Trouble
from remote.release import (
    METADATA_FOLDER,
    ROLLOUT_ROLE,
    ROLLOUT_TARGET,
    TARGETS_FOLDER,
    Release,
    Rollout,
    parse_release,
)
from remote.release import parse_rollout as _parse_rollout

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root, Snapshot, TargetFile, Targets, Timestamp

OURS = "x-fieldgate"
"""A field of the root's own: `id` of the repository, `days` that each role's metadata is good for, and `releases_above`."""
METADATA_LIMIT_BYTES = 4 * 1024 * 1024
CODE = "bad_repository"
RELEASES = "releases/"
_ID = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Repository:
    """One repository's folder.

    Args:
        folder: it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.metadata = folder / METADATA_FOLDER
        self.targets = folder / TARGETS_FOLDER
        self.pending = folder / ".pending"
        self.audit_path = folder / "audit.jsonl"
        self.fleet_path = folder / "fleet.yaml"

    def published(self) -> Published:
        """What stands in it now, signed by those who may: what is made next begins with it, and is signed by people and keys.

        Raises Trouble: `no_repository` where there is none, `bad_repository` for what is damaged or not signed.
        """
        root = self.newest_root()
        timestamp: Metadata[Timestamp] = self._load("timestamp.json", "timestamp")
        snapshot: Metadata[Snapshot] = self._versioned("snapshot", timestamp.signed.snapshot_meta.version)
        versions = {name: meta.version for name, meta in snapshot.signed.meta.items()}
        targets: Metadata[Targets] = self._versioned("targets", versions.get("targets.json", 0))
        rollout: Metadata[Targets] = self._versioned("targets", versions.get(f"{ROLLOUT_ROLE}.json", 0), ROLLOUT_ROLE)
        found = Published(self, root, timestamp, snapshot, targets, rollout)
        _check_signed(found)
        return found

    def newest_root(self) -> Metadata[Root]:
        """The root with the highest number that can be reached without a gap."""
        numbers = self.root_numbers()
        if not numbers:
            cure = "make one with `fieldgate updates init`"
            if (self.pending / "change.json").exists():
                cure = "it waits for signatures: `fieldgate updates sign`"
            raise Trouble(f"{self.folder} holds no repository of updates yet", cure=cure, code="no_repository")
        return self.root(numbers[-1])

    def root(self, number: int) -> Metadata[Root]:
        """The root of that version."""
        return self._versioned("root", number)

    def root_numbers(self) -> tuple[int, ...]:
        """The versions of the roots from 1 on, as far as there is no gap."""
        number = 1
        while (self.metadata / f"{number}.root.json").is_file():
            number += 1
        return tuple(range(1, number))

    def raw(self, name: str) -> bytes:
        """The bytes of a metadata file. Raises Trouble `bad_repository`."""
        from remote.strict_yaml import read_bytes

        return read_bytes(self.metadata / name, code=CODE, what="the metadata", limit_bytes=METADATA_LIMIT_BYTES)

    def target_path(self, info: TargetFile) -> Path:
        """Where a target's file lies. Raises Trouble `bad_repository` for one that lies outside or has no SHA-256."""
        folder, _, name = info.path.rpartition("/")
        sha256 = info.hashes.get("sha256", "")
        if ".." in folder.split("/") or folder.startswith("/") or not _SHA256.fullmatch(sha256):
            raise Trouble(f"{self.folder} names a target that can't be one: {info.path!r}", cure=_RESTORE, code=CODE)
        return self.targets / folder / f"{sha256}.{name}"

    def target(self, info: TargetFile, limit_bytes: int) -> bytes:
        """A small target's bytes, held against its signed digest. Raises Trouble `bad_repository`."""
        from remote.strict_yaml import read_bytes

        data = read_bytes(self.target_path(info), code=CODE, what="the target", limit_bytes=limit_bytes)
        if hashlib.sha256(data).hexdigest() != info.hashes["sha256"]:
            what = f"{self.target_path(info)} is not the file that was signed"
            raise Trouble(what, cure=_RESTORE, code=CODE)
        return data

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else on this machine changes it meanwhile. Raises Trouble `repository_busy`."""
        try:
            self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            descriptor = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            cure = "name a folder that you may write to"
            raise Trouble(f"{self.folder} can't be written: {error.strerror}", cure=cure, code=CODE) from error
        try:
            _lock(descriptor, self.folder)
            yield
        finally:
            os.close(descriptor)

    def _versioned(self, kind: str, number: int, role: str = "") -> Metadata[Any]:
        role = role or kind
        found = self._load(f"{number}.{role}.json", kind)
        if found.signed.version != number:
            what = f"{self.metadata / f'{number}.{role}.json'} says that it is version {found.signed.version}"
            raise Trouble(what, cure=_RESTORE, code=CODE)
        return found

    def _load(self, name: str, kind: str) -> Metadata[Any]:
        return parse_metadata(self.raw(name), kind, self.metadata / name)


class Published:
    """One state of a repository: its five kinds of metadata, as read."""

    def __init__(
        self,
        repository: Repository,
        root: Metadata[Root],
        timestamp: Metadata[Timestamp],
        snapshot: Metadata[Snapshot],
        targets: Metadata[Targets],
        rollout: Metadata[Targets],
    ) -> None:
        self.repository = repository
        self.root = root
        self.timestamp = timestamp
        self.snapshot = snapshot
        self.targets = targets
        self.rollout_role = rollout

    @property
    def versions(self) -> dict[str, int]:
        """The version of each role."""
        return {
            "root": self.root.signed.version,
            "timestamp": self.timestamp.signed.version,
            "snapshot": self.snapshot.signed.version,
            "targets": self.targets.signed.version,
            ROLLOUT_ROLE: self.rollout_role.signed.version,
        }

    def rollout(self) -> Rollout:
        """What is open to whom. Raises Trouble."""
        info = self.rollout_role.signed.targets.get(ROLLOUT_TARGET)
        if info is None:
            raise Trouble(f"{self.repository.folder} has no {ROLLOUT_TARGET}", cure=_RESTORE, code=CODE)
        return _parse_rollout(self.repository.target(info, METADATA_LIMIT_BYTES))

    def releases(self) -> tuple[Release, ...]:
        """Every release by number. Raises Trouble."""
        return releases_of(self.repository, self.targets.signed)


def releases_of(repository: Repository, targets: Targets, also: Path | None = None) -> tuple[Release, ...]:
    """The releases that some targets name; `also` is a folder that holds targets which are not published yet."""
    found = []
    for path, info in targets.targets.items():
        if path.startswith(RELEASES):
            waiting = also / path if also else None
            data = (
                waiting.read_bytes() if waiting and waiting.is_file() else repository.target(info, METADATA_LIMIT_BYTES)
            )
            found.append(parse_release(data))
    return tuple(sorted(found, key=lambda release: release.number))


def parse_metadata(data: bytes, kind: str, where: Path) -> Metadata[Any]:
    """Signed metadata of a kind (root, timestamp, snapshot, targets). Raises Trouble `bad_repository` for anything else."""
    from tuf.api.metadata import Metadata
    from tuf.api.serialization import DeserializationError

    try:
        found: Metadata[Any] = Metadata.from_bytes(data)
    except (DeserializationError, RecursionError) as error:
        reason = error.__cause__ or error
        raise Trouble(f"{where} is no metadata of updates: {reason}", cure=_RESTORE, code=CODE) from error
    if found.signed.type != kind:
        raise Trouble(f"{where} is {found.signed.type} metadata, not {kind}", cure=_RESTORE, code=CODE)
    return found


def _check_signed(found: Published) -> None:
    """Roots from the first on, each by the one before; targets by the last root, or the one before where a step was cut off;
    rollout by targets. Raises Trouble `bad_repository`.
    """
    from tuf.api.exceptions import UnsignedMetadataError

    judges: list[Root] = []
    try:
        for number in found.repository.root_numbers():
            root = found.repository.root(number)
            for judge in (*judges[-1:], root.signed):
                judge.verify_delegate("root", root.signed_bytes, root.signatures)
            judges.append(root.signed)
        if not any(_signed_by(judge, found.targets) for judge in judges[-2:]):
            judges[-1].verify_delegate("targets", found.targets.signed_bytes, found.targets.signatures)
        rollout = found.rollout_role
        found.targets.signed.verify_delegate(ROLLOUT_ROLE, rollout.signed_bytes, rollout.signatures)
    except (UnsignedMetadataError, ValueError) as error:
        what = f"what stands in {found.repository.folder} is not signed by those who may: {error}"
        cure = "somebody wrote into it: restore it from a copy, and find out who; nothing was signed"
        raise Trouble(what, cure=cure, code=CODE) from error


def _signed_by(judge: Root, targets: Metadata[Targets]) -> bool:
    return bool(judge.get_verification_result("targets", targets.signed_bytes, targets.signatures))


def id_of(root: Root) -> str:
    """The repository's id, drawn by lot when it was made and signed with its root. Raises Trouble `bad_repository`."""
    ours = root.unrecognized_fields.get(OURS)
    found = ours.get("id") if isinstance(ours, dict) else None
    if not isinstance(found, str) or not _ID.fullmatch(found):
        cure = "use the tool that made it"
        raise Trouble("this repository of updates was not made by fieldgate", cure=cure, code=CODE)
    return found


_RESTORE = "restore the repository from a copy; `fieldgate updates verify` says what still holds"


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        what = f"another fieldgate changes {folder} right now"
        raise Trouble(what, cure="try again when it is done", code="repository_busy") from error
