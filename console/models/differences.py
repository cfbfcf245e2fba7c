"""What a pending change really changes, read from the metadata that is to be signed, whatever its description says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from console.models.keys import holder_of
from console.models.pending import Pending
from console.models.repository import METADATA_LIMIT_BYTES, RELEASES, Repository
from remote.errors import Trouble
from remote.release import ROLLOUT_ROLE, Release, file_target, parse_release, release_target

if TYPE_CHECKING:
    from tuf.api.metadata import Root, TargetFile, Targets

_PATH = re.compile(r"(?:releases/\d{6}\.json|bundles/[0-9a-f]{64}/[A-Za-z0-9][A-Za-z0-9._-]{0,127})")
_PIECE_BYTES = 1 << 20


def differences(repository: Repository, pending: Pending) -> tuple[str, ...]:
    """A sentence for each thing that changes; every file that comes with it is held against what would be signed.

    Raises Trouble `bad_change` for a change that no command of ours makes: nobody should sign that.
    """
    return tuple(_all(repository, pending))


def _all(repository: Repository, pending: Pending) -> Iterator[str]:
    if pending.root is not None:
        before = repository.root(pending.root.signed.version - 1).signed if pending.root.signed.version > 1 else None
        yield from _root(before, pending.root.signed)
    if pending.targets is not None:
        stands = (repository.metadata / "timestamp.json").exists()
        old = repository.published().targets.signed if stands else None
        yield from _targets(repository, pending, old, pending.targets.signed)


def _root(before: Root | None, root: Root) -> Iterator[str]:
    yield f"root {root.version}, good until {root.expires:%Y-%m-%d}"
    if not root.consistent_snapshot:
        raise _bad("the root ends consistent snapshots")
    for role in sorted(root.roles):
        new = {keyid: root.get_key(keyid) for keyid in root.roles[role].keyids}
        old = {keyid: before.get_key(keyid) for keyid in before.roles[role].keyids} if before else {}
        for keyid in new.keys() - old.keys():
            yield f"{holder_of(new[keyid])} ({keyid[:8]}) may sign {role}"
        for keyid in old.keys() - new.keys():
            yield f"{holder_of(old[keyid])} ({keyid[:8]}) may sign {role} no more"
        threshold, was = root.roles[role].threshold, before.roles[role].threshold if before else None
        if threshold != was:
            yield f"{role} wants {threshold} of {len(new)} signatures" + (f", it wanted {was}" if was else "")


def _targets(repository: Repository, pending: Pending, before: Targets | None, targets: Targets) -> Iterator[str]:
    yield f"targets {targets.version}, good until {targets.expires:%Y-%m-%d}"
    old: dict[str, TargetFile] = before.targets if before else {}
    for path in sorted(old.keys() - targets.targets.keys()):
        yield f"{path} goes out"
    for path in sorted(old.keys() & targets.targets.keys()):
        if old[path].hashes != targets.targets[path].hashes:
            raise _bad(f"another file stands in the place of {path}")
    new = {path: info for path, info in targets.targets.items() if path not in old}
    releases = [_release(repository, pending, path, info) for path, info in new.items() if path.startswith(RELEASES)]
    yield from (_words(release) for release in releases)
    known = {
        file_target(release.bundle, name) for release in releases for name in ("manifest.json", *release.files)
    } | {release_target(release.number) for release in releases}
    for path, info in new.items():
        if path not in known:
            raise _bad(f"{path} comes in and belongs to no release of it")
        _file(repository, pending, path, info)
    yield from _delegation(before, targets)


def _delegation(before: Targets | None, targets: Targets) -> Iterator[str]:
    was, now = _keys(before), _keys(targets)
    if set(now) - {ROLLOUT_ROLE} or not now:
        raise _bad("it hands targets on to others than the rollout key")
    if was != now:
        keys = targets.delegations.keys if targets.delegations else {}
        names = ", ".join(f"{holder_of(keys[keyid])} ({keyid[:8]})" for keyid in now[ROLLOUT_ROLE][0])
        yield f"{names} opens releases from now on"
    if now[ROLLOUT_ROLE][1] != ["rollout.json"]:
        raise _bad("the rollout key may sign more than rollout.json")


def _keys(targets: Targets | None) -> dict[str, tuple[list[str], Any]]:
    delegated = targets.delegations.roles if targets and targets.delegations else None
    return {name: (list(role.keyids), role.paths) for name, role in (delegated or {}).items()}


def _release(repository: Repository, pending: Pending, path: str, info: TargetFile) -> Release:
    data = _file(repository, pending, path, info, keep=True)
    release = parse_release(data)
    if release_target(release.number) != path:
        raise _bad(f"{path} says that it is release {release.number}")
    targets: Any = pending.targets
    for name, wanted in (("manifest.json", release.bundle), *((n, e.sha256) for n, e in release.files.items())):
        found = targets.signed.targets.get(file_target(release.bundle, name))
        if found is None or found.hashes.get("sha256") != wanted:
            raise _bad(f"release {release.number} names another {name} than would be signed")
    return release


def _file(repository: Repository, pending: Pending, path: str, info: TargetFile, *, keep: bool = False) -> bytes:
    """Hold a target's file, waiting or published, against its digest; its bytes where they are to be kept."""
    if not _PATH.fullmatch(path):
        raise _bad(f"{path!r} is no place of a release")
    waiting = pending.files / path
    place = waiting if waiting.is_file() else repository.target_path(info)
    digest, kept = hashlib.sha256(), b""
    try:
        with place.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
                kept = (kept + piece)[: METADATA_LIMIT_BYTES + 1] if keep else b""
    except OSError as error:
        raise _bad(f"{place} can't be read ({error.strerror})") from error
    if digest.hexdigest() != info.hashes.get("sha256") or place.stat().st_size != info.length:
        raise _bad(f"{place} is another file than would be signed")
    return kept


def _words(release: Release) -> str:
    size = sum(entry.bytes for entry in release.files.values())
    needs = [*release.needs.robot_classes, *(f"L4T {one}" for one in release.needs.l4t)]
    needs += [f"TensorRT {one}" for one in release.needs.tensorrt]
    whom = ", ".join(needs) or "any robot"
    return (
        f"release {release.number} comes in: {release.name}, bundle {release.bundle[:16]}, {size:,} bytes, for {whom}"
    )


def _bad(what: str) -> Trouble:
    cure = "do not sign it; throw it away with `fieldgate updates discard REPO` and find out who wrote it"
    return Trouble(f"what waits is not as we make it: {what}", cure=cure, code="bad_change")
