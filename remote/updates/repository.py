"""The signed repository as the robot sees it: fresh metadata by python-tuf, then only what the right role signed."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tuf.api.metadata import Metadata, Root, TargetFile, Targets, Timestamp
from tuf.ngclient import Updater

from remote.atomic import sync
from remote.errors import Trouble
from remote.release import CODE as INVALID
from remote.release import (
    METADATA_FOLDER,
    RELEASE_LIMIT_BYTES,
    ROLLOUT_ROLE,
    ROLLOUT_TARGET,
    SIGNED_AT,
    TARGETS_FOLDER,
    Release,
    Rollout,
    file_target,
    parse_release,
    parse_rollout,
    release_target,
)
from remote.updates.fetcher import CONFIG, Fetcher
from remote.updates.files import target_url
from remote.updates.staging import disk_told
from remote.updates.troubles import INVALID as INVALID_METADATA
from remote.updates.troubles import TOO_LONG, told, trouble
from remote.updates.trust import wall_ns_of

_AGAIN = "publish it again with `fieldgate publish`"


class Repository:
    """One look at a repository; metadata is refreshed once, and what was verified is kept in `cache`.

    Args:
        url: http(s):// or file:// of the repository's folder.
        cache: folder of the verified metadata. It belongs to this root: another root begins with an empty one.
        root: the root metadata that is trusted from the beginning.
        fetcher: the way to it.
    """

    def __init__(self, url: str, cache: Path, root: bytes, fetcher: Fetcher) -> None:
        base = url.rstrip("/")
        self._cache, self._fetcher = cache, fetcher
        self._read_targets: Targets | None = None
        self.targets_url = f"{base}/{TARGETS_FOLDER}/"
        metadata_url = f"{base}/{METADATA_FOLDER}/"
        with disk_told(cache), told("the trusted root"):
            cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            _tidy(cache)
            self._updater = Updater(str(cache), metadata_url, fetcher=self._fetcher, config=CONFIG, bootstrap=root)

    def refresh(self) -> int | None:
        """Fetch and verify what is new, synced to the disk; when the timestamp was signed, None where it does not say.

        Raises Trouble with a code of remote.updates.troubles.
        """
        try:
            with disk_told(self._cache), told("the repository's metadata"):
                self._updater.refresh()
        finally:  # also what was accepted before something was refused protects from going back
            with contextlib.suppress(OSError):
                _synced(self._cache)
        timestamp = Metadata[Timestamp].from_file(str(self._cache / "timestamp.json")).signed
        return wall_ns_of(timestamp.unrecognized_fields.get(SIGNED_AT))

    def rollout(self) -> Rollout | None:
        """What is open to whom, signed by the role `rollout` and by no other; None where nothing was opened yet."""
        targets = self._targets()
        if ROLLOUT_TARGET in targets.targets:
            raise Trouble(f"{ROLLOUT_TARGET} is signed by the role targets", cure=_AGAIN, code=INVALID)
        delegations = targets.delegations
        roles = [name for name, _ in delegations.get_roles_for_target(ROLLOUT_TARGET)] if delegations else []
        if roles != [ROLLOUT_ROLE]:
            if not roles:
                return None
            raise Trouble(f"{ROLLOUT_TARGET} is given to {', '.join(roles)}", cure=_AGAIN, code=INVALID)
        with disk_told(self._cache), told(f"the role {ROLLOUT_ROLE}"):
            target = self._updater.get_targetinfo(ROLLOUT_TARGET)
        return parse_rollout(self._small(target)) if target else None

    def release(self, number: int) -> Release:
        """The release of this number, signed by the offline targets keys themselves."""
        path = release_target(number)
        release = parse_release(self._small(self._signed(path)))
        if release.number != number:
            raise Trouble(f"{path} holds release {release.number}", cure=_AGAIN, code=INVALID)
        return release

    def file(self, release: Release, name: str) -> TargetFile:
        """The target of one file of the release's bundle; release and target must say the same of it."""
        target = self._signed(file_target(release.bundle, name))
        entry = release.files.get(name)
        if entry and (target.length, target.hashes.get("sha256")) != (entry.bytes, entry.sha256):
            raise Trouble(f"release {release.number} and the target of {name} differ", cure=_AGAIN, code=INVALID)
        return target

    def _targets(self) -> Targets:
        """The top-level targets, as refresh verified and kept them."""
        if self._read_targets is None:
            self._read_targets = Metadata[Targets].from_file(str(self._cache / "targets.json")).signed
        return self._read_targets

    def _signed(self, path: str) -> TargetFile:
        target = self._targets().targets.get(path)
        if target is None:
            raise Trouble(f"{path} is not signed by the role targets", cure=_AGAIN, code=INVALID)
        if "sha256" not in target.hashes:
            raise Trouble(f"{path} is signed without its SHA-256", cure=_AGAIN, code=INVALID)
        return target

    def _small(self, target: TargetFile) -> bytes:
        if target.length > RELEASE_LIMIT_BYTES:
            raise trouble(TOO_LONG, f"{target.path} has {target.length} bytes, {RELEASE_LIMIT_BYTES} are allowed")
        with told(target.path):
            data = self._fetcher.download_bytes(target_url(self.targets_url, target), target.length)
            target.verify_length_and_hashes(data)
        return data


def root_in_words(data: bytes) -> str:
    """What root metadata is, verified by its own keys. Raises Trouble (`metadata_invalid`, `metadata_unsigned`)."""
    with told("the root"):
        root = Metadata[Root].from_bytes(data)
        if not isinstance(root.signed, Root):
            raise trouble(INVALID_METADATA, f"that is {root.signed.type} metadata, not the root")
        root.signed.verify_delegate(Root.type, root.signed_bytes, root.signatures)
    return f"root version {root.signed.version}, good until {root.signed.expires:%Y-%m-%d}"


def _tidy(cache: Path) -> None:
    """Remove what a killed client left beside its metadata."""
    for left in cache.glob("tmp*"):
        left.unlink(missing_ok=True)


def _synced(cache: Path) -> None:
    for one in (*cache.glob("*.json"), *cache.glob("root_history/*.json"), cache / "root_history", cache):
        if one.exists():
            sync(one)
