"""Whether a repository is what it says: taken as a robot takes it, from the first root on, and held against both audits."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from console.models.audit import Audit, Line, missing_from
from console.models.hands import Hands
from console.models.repository import Repository, id_of
from remote.errors import Trouble
from remote.release import ROLLOUT_TARGET, Release, file_target, parse_release, parse_rollout, release_target
from remote.verdicts import Check, Verdict, overall

if TYPE_CHECKING:
    from tuf.ngclient import Updater

_LIMIT_BYTES = 4 * 1024 * 1024
_SHOWN = 3


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was found: `verdict` over all `checks`."""

    verdict: Verdict
    checks: tuple[Check, ...]


class _Wrong(Exception):
    """One thing that does not hold, in a sentence."""


def verify(repository: Repository, hands: Hands | None, only: int | None = None, copy: bool = False) -> Verified:
    """Look at everything. `hands`: this laptop's own audit too; None: a copy, without. `only` is the release that a copy has.

    `copy`: a person says that it is one, so that it has no audit. Where this laptop made the copy it knows that by itself: what
    lies in the folder is not asked, else whoever takes an audit away would only have to call the rest a copy.

    Raises Trouble `no_repository` where there is none.
    """
    if not repository.root_numbers():
        repository.newest_root()
    checks = list(_robots_eye(repository, only))
    if hands is not None:
        checks += _audits(repository, hands, copy)
    return Verified(verdict=overall(checks), checks=tuple(checks))


def _checked(name: str, look: Callable[[], str]) -> Check:
    """The check of that name: passes with what `look` says, fails with what it raises."""
    try:
        return Check(name=name, verdict="pass", text=look())
    except _Wrong as wrong:
        return Check(name=name, verdict="fail", text=str(wrong))
    except Trouble as trouble:
        return Check(name=name, verdict="fail", text=trouble.what)


# ------------------------------------------------------------------ as a robot sees it


def _robots_eye(repository: Repository, only: int | None) -> Iterator[Check]:
    with tempfile.TemporaryDirectory(prefix="fieldgate-verify-") as name:
        found: list[Updater] = []
        yield _checked("metadata", lambda: _refreshed(repository, Path(name), found))
        if not found:
            skipped = "not looked at: a robot does not get as far as this"
            yield Check(name="rollout", verdict="skipped", text=skipped)
            yield Check(name="releases", verdict="skipped", text=skipped)
            return
        yield _checked("rollout", lambda: _rollout(repository, found[0]))
        yield _checked("releases", lambda: _releases(repository, found[0], only))


def _refreshed(repository: Repository, cache: Path, found: list[Updater]) -> str:
    """Do what a robot does that begins with the first root."""
    from tuf.api.exceptions import DownloadError, RepositoryError
    from tuf.ngclient import Updater

    try:
        first = repository.raw("1.root.json")
        updater = Updater(str(cache), "file:///metadata/", fetcher=_fetcher(repository), bootstrap=first)
        updater.refresh()
        updater.get_targetinfo(ROLLOUT_TARGET)
    except (RepositoryError, DownloadError, ValueError) as error:
        raise _Wrong(f"a robot refuses it: {error}") from error
    found.append(updater)
    published = repository.published()
    words = ", ".join(f"{role} {number}" for role, number in published.versions.items())
    return f"a robot with the first root takes it: {words}"


def _fetcher(repository: Repository):  # type: ignore[no-untyped-def]
    """Reads the metadata where it lies."""
    from tuf.api.exceptions import DownloadHTTPError
    from tuf.ngclient import FetcherInterface

    class Files(FetcherInterface):
        def _fetch(self, url: str) -> Iterator[bytes]:
            path = repository.metadata / url.rpartition("/")[2]
            if not path.is_file():
                raise DownloadHTTPError(f"{path} is missing", 404)
            with path.open("rb") as file:
                yield file.read(_LIMIT_BYTES)

    return Files()


def _rollout(repository: Repository, updater: Updater) -> str:
    info = updater.get_targetinfo(ROLLOUT_TARGET)
    if info is None:
        raise _Wrong(f"there is no {ROLLOUT_TARGET}")
    found = parse_rollout(repository.target(info, _LIMIT_BYTES))
    if found.release and updater.get_targetinfo(release_target(found.release)) is None:
        raise _Wrong(f"it opens release {found.release}, which is not there")
    if found.stopped:
        return f"release {found.release} is stopped: {found.stopped}"
    whom = "everyone" if found.everyone else ", ".join(found.robots[:8]) + ", ..." * (len(found.robots) > 8)
    return f"release {found.release} is open to {whom}" if found.release else "no release is open"


def _releases(repository: Repository, updater: Updater, only: int | None) -> str:
    known = [one.number for one in repository.published().releases()] if only is None else [only]
    size = 0
    for number in known:
        info = updater.get_targetinfo(release_target(number))
        if info is None:
            raise _Wrong(f"release {number} is not there")
        release = parse_release(repository.target(info, _LIMIT_BYTES))
        if release.number != number:
            raise _Wrong(f"{release_target(number)} says that it is release {release.number}")
        size += sum(_file(repository, updater, release, name) for name in ("manifest.json", *release.files))
    return (
        f"every file of {len(known)} release{'s' * (len(known) != 1)} is the one that was signed ({size:,} bytes read)"
    )


def _file(repository: Repository, updater: Updater, release: Release, name: str) -> int:
    """Hash one file of a bundle; its bytes."""
    from tuf.api.exceptions import LengthOrHashMismatchError

    info = updater.get_targetinfo(file_target(release.bundle, name))
    entry = release.files.get(name)
    if info is None:
        raise _Wrong(f"release {release.number}: {name} is not signed")
    if info.hashes.get("sha256") != (entry.sha256 if entry else release.bundle):
        raise _Wrong(f"release {release.number}: {name} is signed with another digest than the release names")
    path = repository.target_path(info)
    try:
        with path.open("rb") as file:
            info.verify_length_and_hashes(file)
    except LengthOrHashMismatchError as error:
        raise _Wrong(f"{path} is not the file that was signed") from error
    except OSError as error:
        raise _Wrong(f"{path} can't be read: {error.strerror}") from error
    return info.length


# ------------------------------------------------------------------ the audits


def _audits(repository: Repository, hands: Hands, copy: bool) -> tuple[Check, ...]:
    path = repository.audit_path
    if path.exists():
        return (
            _checked("audit", lambda: _audit(repository)),
            _checked("laptop", lambda: _laptop(repository, hands)),
            _checked("told", lambda: _told(repository)),
        )
    if copy or _copied_from_here(repository, hands):
        return (Check(name="audit", verdict="skipped", text="this is a copy; no audit goes along"),)
    text = f"{path} is missing, so nobody knows who published what; a copy has none: say --copy if it is one"
    return (Check(name="audit", verdict="fail", text=text),)


def copied(what: str, folder: Path) -> str:
    """What the audits say of a copy that was made."""
    return f"{what} to {folder.resolve()}"


def _copied_from_here(repository: Repository, hands: Hands) -> bool:
    own = hands.lines(id_of(repository.newest_root().signed))
    return any(line.act == "copy" and line.text.endswith(copied("", repository.folder)) for line in own)


def _audit(repository: Repository) -> str:
    lines = Audit(repository.audit_path).lines()
    if not lines:
        raise _Wrong(f"{repository.audit_path} is empty")
    return f"{len(lines)} lines, each follows the one before it"


def _laptop(repository: Repository, hands: Hands) -> str:
    """What this laptop did stands in the repository's audit."""
    own = hands.lines(id_of(repository.newest_root().signed))
    gone = missing_from(own, Audit(repository.audit_path).lines())
    if gone:
        shown = "; ".join(_short(line) for line in gone[:_SHOWN])
        more = f" and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else ""
        raise _Wrong(f"what this laptop did is missing or otherwise told in the repository's audit: {shown}{more}")
    return (
        f"all {len(own)} acts of this laptop stand in the repository's audit" if own else "this laptop did nothing yet"
    )


def _told(repository: Repository) -> str:
    """Everything that robots can see is told by a line."""
    told = {(name, digest) for line in Audit(repository.audit_path).lines() for name, digest in line.digests.items()}
    files = sorted(repository.metadata.glob("*.json"))
    untold = [path.name for path in files if (path.name, _digest(path)) not in told]
    if untold:
        raise _Wrong(f"published without a line in the audit: {', '.join(untold[:_SHOWN])}")
    return f"all {len(files)} files of metadata are told by the audit"


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _short(line: Line) -> str:
    return f"{line.act}: {line.text}"


def failures(found: Iterable[Check]) -> tuple[Check, ...]:
    """Those that failed."""
    return tuple(check for check in found if check.verdict == "fail")
