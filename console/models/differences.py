"""What a pending change really changes, read from the metadata that is to be signed, whatever its description says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from console.models.keys import holder_of, own_id
from console.models.made import failed_in
from console.models.pending import Pending
from console.models.repository import METADATA_LIMIT_BYTES, RELEASES, Repository
from console.models.roles import delegations
from console.printing import in_line
from remote.errors import Trouble
from remote.manifest import PROVENANCE
from remote.release import Needs, Release, file_target, parse_release, release_target

if TYPE_CHECKING:
    from securesystemslib.signer import Key
    from tuf.api.metadata import Root, TargetFile, Targets

_PATH = re.compile(r"(?:releases/\d{6}\.json|bundles/[0-9a-f]{64}/[A-Za-z0-9][A-Za-z0-9._-]{0,127})")
_PIECE_BYTES = 1 << 20


def differences(repository: Repository, pending: Pending) -> tuple[str, ...]:
    """A sentence on one line for each thing that changes; every file that comes with it is held against what would be signed.

    Raises Trouble `bad_change` for a change that no command of ours makes: nobody should sign that.
    """
    return tuple(in_line(line) for line in _all(repository, pending))


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
    if before is not None and before.unrecognized_fields != root.unrecognized_fields:
        raise _bad("the root says other things of the repository than before")
    for role in sorted(root.roles):
        new = {keyid: root.get_key(keyid) for keyid in root.roles[role].keyids}
        old = {keyid: before.get_key(keyid) for keyid in before.roles[role].keyids} if before else {}
        for keyid, key in new.items():
            _check_key(key, old.get(keyid))
        for keyid in sorted(new.keys() - old.keys(), key=lambda one: (holder_of(new[one]), one)):
            yield f"{holder_of(new[keyid])} ({keyid[:8]}) may sign {role}"
        for keyid in sorted(old.keys() - new.keys(), key=lambda one: (holder_of(old[one]), one)):
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
        if old[path] != targets.targets[path]:
            raise _bad(f"another file stands in the place of {path}")
    new = {path: info for path, info in targets.targets.items() if path not in old}
    releases = [_release(repository, pending, path, info) for path, info in new.items() if path.startswith(RELEASES)]
    for release in releases:
        yield _words(release)
        yield from (f"its maker measured a failure: {line}" for line in _failed(repository, pending, release))
    known = {
        file_target(release.bundle, name) for release in releases for name in ("manifest.json", *release.files)
    } | {release_target(release.number) for release in releases}
    for path, info in new.items():
        if path not in known:
            raise _bad(f"{path} comes in and belongs to no release of it")
        _file(repository, pending, path, info)
    yield from _delegation(before, targets)


def _check_key(key: Key, known: Key | None = None) -> None:
    """A key's id is made of the key: another key under an id that people know would sign for them, and nothing would show it.

    `known` is the key that had this id before. Raises Trouble `bad_change`.
    """
    if known is not None and known != key:
        raise _bad(f"another key stands under the id of {holder_of(known)} ({key.keyid[:8]})")
    if own_id(key) != key.keyid:
        raise _bad(f"the key of {holder_of(key)} has an id that is not its own ({key.keyid[:8]})")


def _delegation(before: Targets | None, targets: Targets) -> Iterator[str]:
    """One key, one role, one target: whatever else is handed on is not ours."""
    made = targets.delegations
    keys = list(made.keys.values()) if made else []
    if made is None or len(keys) != 1 or made.to_dict() != delegations(keys[0]).to_dict():
        raise _bad("it hands on to others than one rollout key, or more than rollout.json")
    old = before.delegations.keys if before and before.delegations else {}
    [rollout] = keys
    _check_key(rollout, old.get(rollout.keyid))
    if rollout.keyid not in old:
        yield f"{holder_of(rollout)} ({rollout.keyid[:8]}) opens releases from now on"


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


def _failed(repository: Repository, pending: Pending, release: Release) -> tuple[str, ...]:
    """What its maker found wrong with the bundle, read from the file that is signed with it."""
    targets: Any = pending.targets
    path = file_target(release.bundle, PROVENANCE)
    info = targets.signed.targets.get(path)
    if PROVENANCE not in release.files or info is None:
        return ()
    return failed_in(_file(repository, pending, path, info, keep=True))


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
    what = f"release {release.number} comes in: {release.name}, bundle {release.bundle[:16]}, {size:,} bytes"
    return f"{what}, for {whom_words(release.needs)}"


def whom_words(needs: Needs) -> str:
    """Which robots a release is for: `class gripper, L4T 36.4`."""
    words = [f"class {one}" for one in needs.robot_classes]
    words += [f"L4T {one}" for one in needs.l4t] + [f"TensorRT {one}" for one in needs.tensorrt]
    return ", ".join(words) or "any robot"


def _bad(what: str) -> Trouble:
    cure = "do not sign it; throw it away with `fieldgate updates discard` and find out who wrote it"
    return Trouble(f"what waits is not as we make it: {what}", cure=cure, code="bad_change")
