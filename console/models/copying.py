"""A copy of a repository on another disk, such as a USB stick: a robot takes releases from it as from the network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from console.models.repository import Published, Repository, id_of
from console.models.verifying import Verified, verify
from remote.atomic import replacing, write_atomically
from remote.errors import Trouble
from remote.manifest import MANIFEST
from remote.release import ROLLOUT_TARGET, file_target, release_target

_PIECE_BYTES = 1 << 20
_STAMP = "timestamp.json"
_TRIES = 5
Ticker = Callable[[str, int], object]
"""Called with a file's name and its bytes when it was copied."""


def copy(
    repository: Repository, folder: Path, only: int | None = None, tick: Ticker = lambda name, size: None
) -> Verified:
    """Copy all of it, or one release, so that at each moment the folder holds one whole state; what the copy's check says.

    What is published meanwhile is not in it. Raises Trouble: `other_repository`, `newer_there`, `unknown_release`,
    `repository_busy`, `repository_full`.
    """
    published, metadata = _one_state(repository)
    there = Repository(folder)
    _refuse(published, there)
    if only is not None and only not in {one.number for one in published.releases()}:
        cure = f"`fieldgate updates show {repository.folder}` lists them"
        raise Trouble(f"there is no release {only}", cure=cure, code="unknown_release")
    try:
        for source in _targets(published, only):
            _copy(source, folder / source.relative_to(repository.folder), tick)
        for name, data in metadata.items():
            write_atomically(_made(there.metadata) / name, data, 0o644)
    except OSError as error:
        what = f"{folder} can't be written: {error.strerror or error}"
        cure = "free some space there or take another stick; what it held before still holds"
        raise Trouble(what, cure=cure, code="repository_full") from error
    return verify(there, None, only)


def _refuse(published: Published, there: Repository) -> None:
    """Raises Trouble where the folder holds another repository, or a newer state of this one."""
    if not there.root_numbers():
        return
    if id_of(there.newest_root().signed) != id_of(published.root.signed):
        what = f"{there.folder} holds another repository of updates"
        raise Trouble(what, cure="name an empty folder", code="other_repository")
    if not (there.metadata / "timestamp.json").exists():
        return
    theirs = there.published().versions["timestamp"]
    if theirs > published.versions["timestamp"]:
        what = f"{there.folder} holds a newer state (timestamp {theirs}) than the repository"
        cure = "copy from the newest repository; robots that saw the newer state refuse this one"
        raise Trouble(what, cure=cure, code="newer_there")


def _one_state(repository: Repository) -> tuple[Published, dict[str, bytes]]:
    """What stands now, and all its metadata by name in the order in which it is written.

    Read before the files, which take long: a timestamp that is signed meanwhile is of a snapshot that would not be there.
    """
    for _ in range(_TRIES):
        stamp = repository.raw(_STAMP)
        published = repository.published()
        names = [
            f"{number}.{role}.json" for role, number in published.versions.items() if role not in ("root", "timestamp")
        ]
        # Roots last but for the timestamp: each can be seen as soon as it is there.
        names += [f"{number}.root.json" for number in repository.root_numbers()]
        found = {name: repository.raw(name) for name in names}
        if repository.raw(_STAMP) == stamp and f"{published.versions['root'] + 1}.root.json" not in found:
            return published, {**found, _STAMP: stamp}
    what = f"{repository.folder} changes all the time"
    raise Trouble(what, cure="try again when nobody publishes", code="repository_busy")


def _targets(published: Published, only: int | None) -> Iterator[Path]:
    """The files of the targets that belong into the copy."""
    repository = published.repository
    yield repository.target_path(published.rollout_role.signed.targets[ROLLOUT_TARGET])
    infos = published.targets.signed.targets
    seen: set[str] = set()
    for release in published.releases():
        if only is not None and release.number != only:
            continue
        names = [file_target(release.bundle, name) for name in (MANIFEST, *release.files)]
        for path in (*names, release_target(release.number)):
            if path not in seen:
                seen.add(path)
                yield repository.target_path(infos[path])


def _copy(source: Path, place: Path, tick: Ticker) -> None:
    """Copy a file unless it is there already; its name begins with its digest, which is held against what was read."""
    sha256 = source.name.split(".", 1)[0]
    if place.is_file() and place.stat().st_size == source.stat().st_size:
        return  # what lies there is read when the copy is verified
    digest, size = hashlib.sha256(), 0
    with source.open("rb") as file, replacing(_made(place.parent) / place.name, 0o644) as out:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
            out.write(piece)
        if digest.hexdigest() != sha256:
            cure = "`fieldgate updates verify` says what else is damaged"
            raise Trouble(f"{source} is not the file that was signed", cure=cure, code="bad_repository")
    tick(_said(source), size)


def _said(source: Path) -> str:
    """A file's own name, with the bundle that it is of."""
    name, folder = source.name[65:], source.parent.name
    return f"{folder[:8]}/{name}" if len(folder) == 64 else name


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
