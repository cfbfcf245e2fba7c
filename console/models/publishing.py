"""Making a new state of a repository visible in one step, or leaving the one before.

Everything that nobody asks for yet is written first, under names with numbers and digests; timestamp.json, the one name
that robots begin with, is replaced last. A new root can be seen as soon as it is there, so where robots with the old root can
still be served (the old online keys are at hand), timestamp and snapshot are signed by the old and the new keys and replaced
before the root appears: what robots see is whole at each moment. Where the old keys are lost, the root comes first; should
that be cut off between these two renames, `updates refresh` finishes it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from console.models import roles
from console.models.audit import Act, Audit, Line, highest_versions
from console.models.first_root import hold_first_root
from console.models.hands import Hands, Online, online_or_none, open_online
from console.models.pending import Pending, drop_pending, full
from console.models.repository import CODE, Published, Repository, id_of, parse_metadata
from remote.atomic import sync, write_atomically
from remote.errors import Trouble
from remote.release import ROLLOUT_ROLE, Rollout

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root, Targets

_KEPT_VERSIONS = 16
"""So many older versions of snapshot and rollout stay for robots that are reading them right now."""


class Note(NamedTuple):
    """What the audit says of a step."""

    act: Act
    text: str
    release: int | None = None
    bundle: str = ""


class _State(NamedTuple):
    """All metadata of a new state as bytes, and what it was made for."""

    root: Metadata[Root]
    versions: dict[str, int]
    files: dict[str, bytes]
    timestamp: bytes
    new_root: bytes | None
    serves_old: bool


def publish(
    repository: Repository,
    hands: Hands,
    note: Note,
    *,
    root: Metadata[Root] | None = None,
    targets: Metadata[Targets] | None = None,
    rollout: Rollout | None = None,
) -> dict[str, int]:
    """Make a new state visible: what is given, else what stands; the versions by role. Call it with the repository locked.

    Raises Trouble: `no_online_key`, `not_signed`, `repository_full`; what robots see is then what was there before.
    """
    hold_first_root(repository, hands)
    old = repository.published() if (repository.metadata / "timestamp.json").exists() else None
    state = _made(repository, hands, old, root, targets, rollout)
    _check(state)
    write_line(repository, hands, note, state)
    try:
        _show(repository, state)
        _tidy(repository, state.versions)
    except OSError as error:
        raise full(repository, error) from error
    return state.versions


def publish_pending(repository: Repository, hands: Hands, pending: Pending) -> dict[str, int]:
    """Make a pending change visible that has all its signatures. Raises Trouble as `publish` does."""
    change = pending.change
    if not pending.complete:
        raise Trouble(
            f"{change.text} waits for signatures",
            cure=f"`fieldgate updates show {repository.folder}` says whose",
            code="not_signed",
        )
    if not _stands(repository, pending):
        act: Act = change.kind
        _move_targets(repository, pending)
        note = Note(act, change.text, change.release, change.bundle)
        root = pending.root
        publish(repository, hands, note, root=root, targets=pending.targets)
    try:
        drop_pending(repository)
    except OSError as error:
        raise full(repository, error) from error
    return repository.published().versions


def write_line(repository: Repository, hands: Hands, note: Note, state: _State | None = None) -> Line:
    """Add a line to both audits. Raises Trouble `audit_damaged`, `audit_full`."""
    identity = id_of(state.root.signed if state else _any_root(repository))
    files = _told(state) if state else {}
    line = Line(
        id=os.urandom(8).hex(),
        seq=1,
        prev="",
        wall_ns=hands.wall_ns(),
        person=hands.person,
        act=note.act,
        text=note.text,
        release=note.release,
        bundle=note.bundle,
        versions=state.versions if state else {},
        digests={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    )
    for audit in (
        Audit(repository.audit_path),
        hands.audit(identity),
    ):  # the laptop never knows more than the repository
        audit.append(line)
    return line


def _told(state: _State) -> dict[str, bytes]:
    root = {f"{state.versions['root']}.root.json": state.new_root} if state.new_root is not None else {}
    return {**state.files, **root, "timestamp.json": state.timestamp}


def _any_root(repository: Repository) -> Root:
    """The newest root, or the pending one of a repository that is being made."""
    if repository.root_numbers():
        return repository.newest_root().signed
    root = Pending(repository).root
    assert root is not None
    return root.signed


# ------------------------------------------------------------------ making the bytes


def _made(
    repository: Repository,
    hands: Hands,
    old: Published | None,
    root: Metadata[Root] | None,
    targets: Metadata[Targets] | None,
    rollout: Rollout | None,
) -> _State:
    if old is None and (root is None or targets is None):
        raise Trouble(f"{repository.folder} holds no repository of updates yet", cure="make one", code="no_repository")
    the_root: Metadata[Root] = root or old.root  # type: ignore[union-attr]
    the_targets: Metadata[Targets] = targets or old.targets  # type: ignore[union-attr]
    identity, now = id_of(the_root.signed), hands.now()
    keys = _keys(hands, identity, the_root, the_targets)
    before = _keys_before(hands, identity, old) if root is not None else None
    known = highest_versions((*hands.lines(identity), *Audit(repository.audit_path).lines()))
    versions = {**{"timestamp": 0, "snapshot": 0, ROLLOUT_ROLE: 0}, **(old.versions if old else {})}
    files: dict[str, bytes] = {}

    def above(role: str) -> int:
        versions[role] = max(versions[role], known.get(role, 0)) + 1
        return versions[role]

    versions.update(root=the_root.signed.version, targets=the_targets.signed.version)
    targets_bytes = targets.to_bytes() if targets else repository.raw(f"{versions['targets']}.targets.json")
    files[f"{versions['targets']}.targets.json"] = targets_bytes
    said = rollout or (old.rollout() if old else Rollout(release=0))
    if _keeps_rollout(old, rollout, root, now):
        rollout_bytes = repository.raw(f"{versions[ROLLOUT_ROLE]}.{ROLLOUT_ROLE}.json")
    else:
        data = msgspec.json.encode(said)
        made = roles.rollout_metadata(the_root.signed, above(ROLLOUT_ROLE), data, now)
        rollout_bytes = _signed(made, [one.rollout for one in (keys, before) if one])
        files[f"{hashlib.sha256(data).hexdigest()}.rollout.json"] = data
    files[f"{versions[ROLLOUT_ROLE]}.{ROLLOUT_ROLE}.json"] = rollout_bytes
    often = [one.often for one in (keys, before) if one]
    parts = {"targets": (versions["targets"], targets_bytes), ROLLOUT_ROLE: (versions[ROLLOUT_ROLE], rollout_bytes)}
    snapshot = _signed(roles.snapshot_metadata(the_root.signed, above("snapshot"), parts, now), often)
    files[f"{versions['snapshot']}.snapshot.json"] = snapshot
    stamp = roles.timestamp_metadata(the_root.signed, above("timestamp"), (versions["snapshot"], snapshot), now)
    timestamp = _signed(stamp, often)
    serves = old is not None and before is not None and _verifies(old.root.signed, files, versions, timestamp)
    return _State(the_root, versions, files, timestamp, root.to_bytes() if root else None, serves)


def _keys(hands: Hands, identity: str, root: Metadata[Root], targets: Metadata[Targets]) -> Online:
    delegations = targets.signed.delegations
    named = delegations.roles if delegations else None
    rollout = named[ROLLOUT_ROLE].keyids if named and ROLLOUT_ROLE in named else []
    return open_online(hands, identity, root.signed.roles["timestamp"].keyids, rollout)


def _keys_before(hands: Hands, identity: str, old: Published | None) -> Online | None:
    """The online keys of the state that stands, None where there is none or they are not here."""
    if old is None or old.targets.signed.delegations is None or not old.targets.signed.delegations.roles:
        return None
    rollout = old.targets.signed.delegations.roles[ROLLOUT_ROLE].keyids
    return online_or_none(hands, identity, set(old.root.signed.roles["timestamp"].keyids), set(rollout))


def _keeps_rollout(old: Published | None, rollout: Rollout | None, root: object, now: Any) -> bool:
    """Whether the rollout's metadata can stay: nothing in it changes and it is good for half of its time at least."""
    if old is None or rollout is not None or root is not None:
        return False
    left = roles.days_left(old.rollout_role.signed.expires, now)
    return left * 2 >= roles.days_of(old.root.signed, ROLLOUT_ROLE)


def _signed(metadata: Metadata[Any], signers: Iterable[Any]) -> bytes:
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


def _check(state: _State) -> None:
    """What is shown is what a robot takes. Raises Trouble `not_signed`."""
    if not _verifies(state.root.signed, state.files, state.versions, state.timestamp):
        what = "the new state is not signed as its root wants it, so it was not published"
        cure = "throw the change away with `fieldgate updates discard` and begin again"
        raise Trouble(what, cure=cure, code="not_signed")


def _verifies(root: Root, files: dict[str, bytes], versions: dict[str, int], timestamp: bytes) -> bool:
    """Whether all of it is signed as `root` wants it."""
    from tuf.api.exceptions import UnsignedMetadataError

    try:
        _verified(root, "timestamp", timestamp)
        _verified(root, "snapshot", files[f"{versions['snapshot']}.snapshot.json"])
        targets = _verified(root, "targets", files[f"{versions['targets']}.targets.json"])
        _verified(targets, ROLLOUT_ROLE, files[f"{versions[ROLLOUT_ROLE]}.{ROLLOUT_ROLE}.json"])
    except (UnsignedMetadataError, ValueError):
        return False
    return True


def _verified(by: Any, role: str, data: bytes) -> Any:
    from pathlib import Path

    found = parse_metadata(data, "targets" if role == ROLLOUT_ROLE else role, Path(f"{role}.json"))
    by.verify_delegate(role, found.signed_bytes, found.signatures)
    return found.signed


# ------------------------------------------------------------------ making it visible


def _show(repository: Repository, state: _State) -> None:
    """Raises OSError."""
    repository.metadata.mkdir(parents=True, exist_ok=True)
    repository.targets.mkdir(parents=True, exist_ok=True)
    for name, data in state.files.items():
        folder = repository.targets if name.endswith(".rollout.json") and len(name) > 64 else repository.metadata
        write_atomically(folder / name, data, 0o644)

    def stamp() -> None:
        write_atomically(repository.metadata / "timestamp.json", state.timestamp, 0o644)

    def new_root() -> None:
        if state.new_root is not None:
            write_atomically(repository.metadata / f"{state.versions['root']}.root.json", state.new_root, 0o644)

    steps: tuple[Callable[[], None], ...] = (stamp, new_root) if state.serves_old else (new_root, stamp)
    for step in steps:
        step()


def _stands(repository: Repository, pending: Pending) -> bool:
    """Whether all of a pending change is visible already: it was cut off only while it was being cleared away."""
    if not (repository.metadata / "timestamp.json").exists():
        return False
    if pending.root is not None and pending.root.signed.version not in repository.root_numbers():
        return False
    published = repository.published()
    return all(
        waiting is None or waiting.signed.version <= stands.signed.version
        for waiting, stands in ((pending.root, published.root), (pending.targets, published.targets))
    )


def _move_targets(repository: Repository, pending: Pending) -> None:
    """Put the targets that come with a change where robots look for them; nobody knows their names yet. Raises Trouble."""
    try:
        for path, info in (pending.targets.signed.targets if pending.targets else {}).items():
            waiting, place = pending.files / path, repository.target_path(info)
            if waiting.is_file():
                place.parent.mkdir(parents=True, exist_ok=True)
                waiting.chmod(0o644)
                waiting.replace(place)
                sync(place.parent)
            elif not place.is_file():
                cure = f"throw the change away with `fieldgate updates discard {repository.folder}` and publish again"
                raise Trouble(f"{waiting} is missing", cure=cure, code=CODE)
    except OSError as error:
        raise full(repository, error) from error


def _tidy(repository: Repository, versions: dict[str, int]) -> None:
    """Remove snapshots and rollouts that no robot can be reading any more. Raises OSError."""
    for role in ("snapshot", ROLLOUT_ROLE):
        for path in repository.metadata.glob(f"*.{role}.json"):
            number = path.name.split(".", 1)[0]
            if number.isdigit() and int(number) <= versions[role] - _KEPT_VERSIONS:
                path.unlink()
