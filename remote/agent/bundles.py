"""The bundles on this robot: those that consoles put into the store and the one that came with the agent."""

from __future__ import annotations

import contextlib
from importlib import resources
from pathlib import Path

from remote.agent.places import Places
from remote.errors import Trouble
from remote.manifest import MANIFEST, MAX_MANIFEST_BYTES, digest_of
from remote.models.bundle import load_bundle
from remote.protocol import BundleState, Choice

SHORTEST_PREFIX = 8


class BundleStore:
    """Looks bundles up by digest. Every file is verified when a bundle is chosen, not when it is listed."""

    def __init__(self, places: Places) -> None:
        self._folder = places.bundles

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
        wanted = digest.lower()
        known = self._known()
        matches = [one for one in known if one.startswith(wanted)] if len(wanted) >= SHORTEST_PREFIX else []
        if len(matches) > 1:
            raise Trouble(
                f"{len(matches)} bundles begin with {digest}", cure="give more digits", code="ambiguous_bundle"
            )
        if not matches:
            cure = "choose one of those listed, or put it there with `fieldgate bundle send`"
            raise Trouble(f"there is no bundle {digest[:80]!r} on this robot", cure=cure, code="unknown_bundle")
        return known[matches[0]]

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
