"""Releases by digest: immutable folders, in which every byte is what the manifest named by the digest says.

What comes lies in `.staging-DIGEST`. `stage` verifies it, takes the right to write away, syncs it and gives it its name by one
rename: what has the name DIGEST was whole then. Nothing is ever unpacked: bundles come file by file, each of the size that the
manifest says, so there is no archive that could be larger inside than outside.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Callable, Collection
from pathlib import Path

from remote.activation.release_files import delete, digest_in, held_bytes, is_sealed, seal, verify
from remote.atomic import sync
from remote.errors import Trouble
from remote.manifest import MANIFEST

STAGING = ".staging-"
TRASH = ".trash-"
SPARE_BYTES = 64 * 1024**2
"""Left free on the disk, for the journal and the slots."""
_DIGEST = re.compile(r"[0-9a-f]{64}")


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write on the disk of `folder`."""
    return shutil.disk_usage(folder).free


class ReleaseStore:
    """The folder of releases. Its methods read and write files: call those that read them all in a thread.

    Args:
        folder: where they lie; it is there.
        embedded: the folder of the bundle that came with the agent; a release that is always there and never changed.
        free: tells the free bytes of a folder's disk.
    """

    def __init__(self, folder: Path, embedded: Path | None = None, *, free: Callable[[Path], int] = free_bytes) -> None:
        self._folder, self._embedded, self._free = folder, embedded, free
        self.embedded_digest = digest_in(embedded) if embedded else None

    # ------------------------------------------------------------ what comes

    def staging(self, digest: str, whole_bytes: int = 0) -> Path:
        """The folder for the files of a release that comes; what came before a break lies there still.

        `whole_bytes` is what it will hold. Raises Trouble: `bad_digest`, `no_space`, `unsafe_place` for a link there.
        """
        folder = self._path(digest, STAGING)
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error
        if folder.is_symlink() or not folder.is_dir():
            raise Trouble(f"{folder} is no folder", cure="remove it on the robot", code="unsafe_place")
        self.room_for(max(0, whole_bytes - held_bytes(folder)))
        return folder

    def room_for(self, more_bytes: int) -> None:
        """Raise Trouble (`no_space`) unless so much fits beside SPARE_BYTES."""
        free = self._free(self._folder)
        if more_bytes + SPARE_BYTES > free:
            what = f"the bundle needs {more_bytes / 1e6:.0f} MB more, {free / 1e6:.0f} MB are free on the robot"
            cure = f"remove bundles there; {SPARE_BYTES / 1e6:.0f} MB stay free for the robot's journal"
            raise Trouble(what, cure=cure, code="no_space")

    def verify(self, digest: str) -> Path:
        """The folder in which this release lies, staged or not yet, every file verified.

        Raises Trouble: `unknown_bundle`, `manifest_invalid`, `bundle_incomplete`, `bundle_changed`.
        """
        folder, staged = self._found(digest), self._path(digest, STAGING)
        try:
            verify(folder, digest, only_ours=folder != self._embedded)
        except Trouble:
            if folder == staged or not (staged / MANIFEST).is_file():
                raise
            verify(staged, digest, only_ours=True)  # it came again, to repair the one that is there
            return staged
        return folder

    def stage(self, digest: str) -> Path:
        """Make it a release: verified, read-only, synced, under its name. One that is there and whole is left as it is.

        Raises Trouble: as verify, `no_space`, `store_unwritable`.
        """
        folder, final = self.verify(digest), self._path(digest)
        if folder == self._embedded or (folder == final and is_sealed(folder)):
            return folder
        try:
            seal(folder, digest)
            if folder != final:
                self._take_place(folder, final)
            sync(self._folder)
        except OSError as error:
            raise _unwritable(final, error) from error
        return final

    # ------------------------------------------------------------ what is there

    def has(self, digest: str) -> bool:
        """Whether a release is there under its name, as far as its manifest tells; the files are not read."""
        if digest == self.embedded_digest:
            return True
        return bool(_DIGEST.fullmatch(digest)) and digest_in(self._folder / digest) == digest

    def must_have(self, digest: str) -> None:
        """Raise Trouble (`unknown_bundle`, `bad_digest`) unless it is there, staged or not yet."""
        self._found(digest)

    def folder(self, digest: str) -> Path:
        """The folder of a release, all files verified now. Raises Trouble: `unknown_bundle`, or what is wrong with it."""
        if not self.has(digest):
            raise self._unknown(digest)
        inside = self._path(digest)
        folder = inside if digest_in(inside) == digest or self._embedded is None else self._embedded
        verify(folder, digest, only_ours=folder == inside)
        return folder

    def sizes(self) -> dict[str, int]:
        """Bytes of every release in the store by digest; the one that came with the agent is not in it."""
        found = sorted(path for path in self._folder.iterdir() if _DIGEST.fullmatch(path.name))
        return {path.name: held_bytes(path) for path in found if not path.is_symlink() and path.is_dir()}

    # ------------------------------------------------------------ what goes

    def remove(self, digest: str, in_use: Collection[str]) -> int:
        """Delete a release; the bytes that it held. Raises Trouble: `bundle_in_use`, `unknown_bundle`, `store_unwritable`."""
        if digest in in_use:
            raise Trouble(
                f"the bundle {digest[:12]} is in use", cure="change to another one first", code="bundle_in_use"
            )
        folder = self._path(digest)
        if folder.is_symlink() or not folder.is_dir():
            raise self._unknown(digest)
        held = held_bytes(folder)
        try:
            delete(self._to_trash(folder))
        except OSError as error:
            raise _unwritable(folder, error) from error
        return held

    def sweep(self, keep: Collection[str] = ()) -> int:
        """Delete what a killed agent left half deleted, and staging folders of digests not in `keep`; how many folders.

        Leave in `keep` what may still come. Raises Trouble (`store_unwritable`) after all else was deleted.
        """
        swept, trouble = 0, None
        for path in sorted(self._folder.iterdir()):
            kept = path.name.startswith(STAGING) and path.name[len(STAGING) :] in keep
            if path.name.startswith((TRASH, STAGING)) and not kept:
                try:
                    delete(path)
                    swept += 1
                except OSError as error:  # another user's: it must not keep all that comes after it
                    trouble = trouble or _unwritable(path, error)
        if trouble is not None:
            raise trouble
        return swept

    def _found(self, digest: str) -> Path:
        staged, inside = self._path(digest, STAGING), self._path(digest)
        if is_sealed(inside) and digest_in(inside) == digest:
            return inside
        if (staged / MANIFEST).is_file():
            return staged
        if digest_in(inside) == digest:
            return inside
        if digest == self.embedded_digest and self._embedded is not None:
            return self._embedded
        raise self._unknown(digest)

    def _path(self, digest: str, prefix: str = "") -> Path:
        if not _DIGEST.fullmatch(digest):
            raise Trouble(f"{digest[:80]!r} is no digest of a bundle", cure="give its 64 digits", code="bad_digest")
        return self._folder / f"{prefix}{digest}"

    def _unknown(self, digest: str) -> Trouble:
        cure = "send it with `fieldgate model push` or `fieldgate bundle send`"
        return Trouble(f"there is no bundle {digest[:12]} on this robot", cure=cure, code="unknown_bundle")

    def _take_place(self, staged: Path, final: Path) -> None:
        """Give what was sealed its name; a folder that is not whole makes room."""
        if final.is_symlink() or final.exists():
            trash = self._to_trash(final)
            staged.rename(final)
            delete(trash)
        else:
            staged.rename(final)

    def _to_trash(self, folder: Path) -> Path:
        trash = folder.with_name(f"{TRASH}{folder.name.strip('.')[:12]}-{os.urandom(6).hex()}")
        folder.rename(trash)
        sync(self._folder)
        return trash


def _unwritable(path: Path, error: OSError) -> Trouble:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    cure = "remove bundles on the robot, or make space on its disk" if full else "check who owns the folder"
    code = "no_space" if full else "store_unwritable"
    return Trouble(f"{path} can't be written: {error.strerror}", cure=cure, code=code)
