"""A copy of a repository on another disk, such as a USB stick: a robot takes releases from it as from the network."""

from __future__ import annotations

import errno
import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from console.models.repository import Published, Repository, id_of
from console.models.verifying import Verified, verify
from remote.atomic import replacing, write_atomically
from remote.errors import Trouble
from remote.manifest import MANIFEST
from remote.release import METADATA_FOLDER, ROLLOUT_TARGET, TARGETS_FOLDER, file_target, release_target

_PIECE_BYTES = 1 << 20
_STAMP = "timestamp.json"
_DAMAGED = "`fieldgate updates verify` says what else is damaged"
_TRIES = 5
_FULL = "free some space there or take another stick"
_FILE = "it is a file, or lies below one: name a folder"
_RIGHTS = "name a folder that you may write to"
_CURES = {
    errno.ENOSPC: _FULL,
    errno.EDQUOT: _FULL,
    errno.ENOTDIR: _FILE,
    errno.EEXIST: _FILE,
    errno.EISDIR: "a folder lies where a file must be: name an empty folder",
    errno.ENOENT: "no folder can be made there: name a place on a disk, such as a stick that is mounted",
    errno.EROFS: "it can only be read: take its write protection off, or take another stick",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.ENAMETOOLONG: "name a folder with a shorter path",
    errno.EIO: "the disk does not take it: take another stick",
}
_PARTS = (METADATA_FOLDER, TARGETS_FOLDER)
_OURS = re.compile(r"releases|bundles|[0-9a-f]{64}\..+|(?:\d+\.)?[a-z]+\.json|\..*")
"""What a copy that was cut off has in them."""
_OF_THE_DISK = re.compile(r"\..*|lost\+found|System Volume Information|\$RECYCLE\.BIN", re.IGNORECASE)
"""What systems put on each stick by themselves."""


Ticker = Callable[[str, int], object]
"""Called with a file's name and its bytes when it was copied."""
Beginner = Callable[[int, int, int], object]
"""Called with how many files are to be copied, their bytes, and how many are there already."""


def copy(
    repository: Repository,
    folder: Path,
    only: int | None = None,
    tick: Ticker = lambda name, size: None,
    begin: Beginner = lambda files, size, there: None,
) -> Verified:
    """Copy all of it, or one release, so that at each moment the folder holds one whole state; what the copy's check says.

    What is published meanwhile is not in it. Raises Trouble: `usage` for the repository itself, a folder inside it or one that
    holds it, `folder_in_use` for one with other things, `other_repository`, `newer_there`, `unknown_release`,
    `repository_busy`, `repository_full`.
    """
    _refuse_place(repository.folder, folder)
    published, metadata = _one_state(repository)
    there = Repository(folder)
    _refuse(published, there)
    if only is not None and only not in {one.number for one in published.releases()}:
        cure = f"`fieldgate updates show {repository.folder}` lists them"
        raise Trouble(f"there is no release {only}", cure=cure, code="unknown_release")
    pairs = [(source, folder / source.relative_to(repository.folder)) for source in _targets(published, only)]
    try:
        new = [(source, place) for source, place in pairs if not _is_there(source, place)]
        begin(len(new), sum(_bytes_of(source) for source, _ in new), len(pairs) - len(new))
        for source, place in new:
            tick(_said(source), _copy(source, place))
        for name, data in metadata.items():
            write_atomically(_made(there.metadata) / name, data, 0o644)
    except OSError as error:
        what = f"{folder} can't be written: {error.strerror or error}"
        cure = _CURES.get(error.errno or 0, _FULL)
        if there.root_numbers():
            cure += "; what it held before still holds"
        raise Trouble(what, cure=cure, code="repository_full") from error
    return verify(there, None, only)


def _refuse_place(repository: Path, folder: Path) -> None:
    """Raises Trouble `usage` for a folder that would be copied into itself."""
    here, there = repository.resolve(), folder.resolve()
    if here == there:
        what = f"{folder} is the repository itself"
    elif here in there.parents:
        what = f"{folder} lies inside the repository, which robots are given"
    elif there in here.parents:
        what = f"{folder} holds the repository"
    else:
        return
    raise Trouble(f"{what}; nothing was copied", cure="name a folder of its own, such as one on a stick", code="usage")


def _refuse_full(folder: Path) -> None:
    """Raises Trouble `folder_in_use` where other things lie than a copy that was cut off before its root was written."""
    try:
        found = sorted(path.name for path in folder.iterdir() if not _OF_THE_DISK.fullmatch(path.name))
        inside = [path.name for name in found if name in _PARTS for path in (folder / name).iterdir()]
    except OSError:
        return  # not there yet, or what is wrong with it is said when it is written
    strange = [name for name in found if name not in _PARTS] + [name for name in inside if not _OURS.fullmatch(name)]
    if strange:
        what = (
            f"{folder} holds other things ({', '.join(strange[:3])}{', ...' * (len(strange) > 3)}); nothing was copied"
        )
        raise Trouble(what, cure="name an empty folder, or one that holds an earlier copy", code="folder_in_use")


def _refuse(published: Published, there: Repository) -> None:
    """Raises Trouble where the folder holds another repository, or a newer state of this one."""
    if not there.root_numbers():
        _refuse_full(there.folder)
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


def _is_there(source: Path, place: Path) -> bool:
    """Whether it was copied before; what lies there is read when the copy is verified."""
    return place.is_file() and place.stat().st_size == _bytes_of(source)


def _bytes_of(source: Path) -> int:
    """Raises Trouble `bad_repository`."""
    try:
        return source.stat().st_size
    except OSError as error:
        raise _unreadable(source, error) from error


def _copy(source: Path, place: Path) -> int:
    """Copy a file; its bytes. Its name begins with its digest, which is held against what was read."""
    sha256 = source.name.split(".", 1)[0]
    digest, size = hashlib.sha256(), 0
    try:
        file = source.open("rb")
    except OSError as error:
        raise _unreadable(source, error) from error
    with file, replacing(_made(place.parent) / place.name, 0o644) as out:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
            size += len(piece)
            out.write(piece)
        if digest.hexdigest() != sha256:
            raise Trouble(f"{source} is not the file that was signed", cure=_DAMAGED, code="bad_repository")
    return size


def _unreadable(source: Path, error: OSError) -> Trouble:
    return Trouble(f"{source} can't be read: {error.strerror}", cure=_DAMAGED, code="bad_repository")


def _said(source: Path) -> str:
    """A file's own name, with the bundle that it is of."""
    name, folder = source.name[65:], source.parent.name
    return f"{folder[:8]}/{name}" if len(folder) == 64 else f"{folder}/{name}" if folder != TARGETS_FOLDER else name


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
