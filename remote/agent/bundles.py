"""The bundles on this robot by digest or its beginning: those in the store of releases and the one that came with the agent."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection
from importlib import resources
from pathlib import Path
from typing import Literal

from remote.activation.store import STAGING, ReleaseStore
from remote.agent.places import Places
from remote.errors import Trouble
from remote.manifest import MANIFEST, MAX_MANIFEST_BYTES, digest_of, parse_manifest
from remote.model_states import Slot, StoredBundle
from remote.models.bundle import load_bundle
from remote.protocol import BundleState, Choice
from remote.strict_yaml import read_bytes

SHORTEST_PREFIX = 8
STALE_S = 14 * 86_400.0
"""A staging folder that nothing came into for so long is no send that goes on."""


class BundleStore:
    """Looks bundles up by digest. Every file is verified when a bundle is chosen.

    `releases` is the store itself: it seals, verifies and removes.
    """

    def __init__(self, places: Places) -> None:
        self._folder = places.bundles
        self.releases = ReleaseStore(places.bundles, embedded_folder())

    def default_digest(self) -> str | None:
        """The digest of the bundle that came with the agent; None where none did."""
        folder = embedded_folder()
        return _digest_in(folder) if folder else None

    def find(self, digest: str) -> tuple[Path, BundleState]:
        """Folder and state of the bundle with this digest, or a prefix of SHORTEST_PREFIX digits or more, verified.

        Raises Trouble: `unknown_bundle`, `ambiguous_bundle`, or what load_bundle found wrong.
        """
        folder = self.folder(digest)
        bundle = load_bundle(folder)
        return folder, BundleState(bundle.digest, bundle.contract.name, bundle.contract.labels)

    def folder(self, digest: str) -> Path:
        """The folder of that bundle; its files are not looked at. Raises Trouble: `unknown_bundle`, `ambiguous_bundle`."""
        return _only(self._known(), digest)[1]

    def digest(self, digest: str, *, staged: bool = False) -> str:
        """The whole digest; with `staged` also of what came and is no release yet. Raises Trouble as folder."""
        return _only(self._staged() | self._known() if staged else self._known(), digest)[0]

    def slot(self, digest: str, origin: Literal["agent", "push", "chosen", "release", "usb"], *, by: str = "") -> Slot:
        """A slot for that bundle, which may still lie in its staging folder; only its manifest is read.

        Raises Trouble: as folder, `manifest_invalid`.
        """
        whole, folder = _only(self._staged() | self._known(), digest)
        return Slot(digest=whole, name=_name_in(folder), origin=origin, by=by)

    def embedded_slot(self) -> Slot | None:
        """The bundle that came with the agent; None where none did or it can't be read."""
        digest = self.default_digest()
        with contextlib.suppress(Trouble, OSError):
            folder = embedded_folder()
            return Slot(digest=digest, name=_name_in(folder), origin="agent") if digest and folder else None
        return None

    def stored(self) -> tuple[StoredBundle, ...]:
        """Every bundle with its size, each verified; what is wrong with one is its `trouble`. Reads all files."""
        own = self.default_digest()
        found = []
        for digest, folder in sorted(self._known().items()):
            name, trouble = _looked_at(folder)
            size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file())
            use: Literal["", "agent"] = "agent" if digest == own else ""
            found.append(StoredBundle(digest=digest, name=name, bytes=size, use=use, trouble=trouble))
        return tuple(found)

    def sweep(self, keep: Collection[str] = ()) -> int:
        """Delete what was half deleted, and staging folders untouched for STALE_S but those of `keep`; how many folders.

        Raises Trouble.
        """
        fresh = [path for path in self._folder.glob(f"{STAGING}*") if _age_s(path) < STALE_S]
        return self.releases.sweep([*(path.name.removeprefix(STAGING) for path in fresh), *keep])

    def _staged(self) -> dict[str, Path]:
        return {digest: path for path in self._folder.glob(f"{STAGING}*") if (digest := _digest_in(path))}

    def choices(self) -> tuple[Choice, ...]:
        """Every bundle that can be read: its digest and `name (first digits)`; broken ones say so in their text."""
        return tuple(Choice(digest, _described(folder)) for digest, folder in sorted(self._known().items()))

    def _known(self) -> dict[str, Path]:
        found: dict[str, Path] = {}
        stored = sorted(self._folder.iterdir()) if self._folder.is_dir() else []
        embedded = embedded_folder()
        for folder in [*stored, *([embedded] if embedded else [])]:
            digest = _digest_in(folder)
            if digest and not folder.name.startswith("."):
                found.setdefault(digest, folder)
        return found


def _only(known: dict[str, Path], digest: str) -> tuple[str, Path]:
    wanted = digest.lower()
    matches = [one for one in known if one.startswith(wanted)] if len(wanted) >= SHORTEST_PREFIX else []
    if len(matches) > 1:
        raise Trouble(f"{len(matches)} bundles begin with {digest}", cure="give more digits", code="ambiguous_bundle")
    if not matches:
        cure = "choose one that `fieldgate model list` tells, or send it with `fieldgate model push` or `fieldgate bundle send`"
        raise Trouble(f"there is no bundle {digest[:80]!r} on this robot", cure=cure, code="unknown_bundle")
    return matches[0], known[matches[0]]


def _age_s(path: Path) -> float:
    """Since something last came into it or went; 0 for one that is gone, as it has just become a release."""
    try:
        return time.time() - path.lstat().st_mtime
    except FileNotFoundError:
        return 0.0


def _name_in(folder: Path) -> str:
    where = folder / MANIFEST
    data = read_bytes(where, what="manifest", code="bundle_incomplete", limit_bytes=MAX_MANIFEST_BYTES)
    return parse_manifest(data, where).name


def _looked_at(folder: Path) -> tuple[str, str]:
    """Name and what is wrong."""
    try:
        return load_bundle(folder).contract.name, ""
    except Trouble as trouble:
        with contextlib.suppress(Trouble):
            return _name_in(folder), trouble.what
        return "", trouble.what


def embedded_folder() -> Path | None:
    """The folder of the bundle inside the package; None in a build without it."""
    folder = Path(str(resources.files("remote"))) / "bundles" / "tabletop"
    return folder if (folder / MANIFEST).is_file() else None


def _digest_in(folder: Path) -> str | None:
    with contextlib.suppress(OSError):
        manifest = folder / MANIFEST
        if manifest.is_file() and manifest.stat().st_size <= MAX_MANIFEST_BYTES:
            return digest_of(manifest.read_bytes())
    return None


def _described(folder: Path) -> str:
    try:
        bundle = load_bundle(folder)
    except Trouble as trouble:
        return f"unusable: {trouble.what}"
    return f"{bundle.contract.name} ({len(bundle.contract.labels)} labels, {bundle.digest[:12]})"
