"""The bytes of a new state of a repository: made from what changes and what stands, signed, and verified as a robot would."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from console.models import roles
from console.models.audit import Audit, highest_versions
from console.models.hands import Hands, Online, online_or_none, open_online
from console.models.repository import Published, Repository, id_of, parse_metadata
from remote.errors import Trouble
from remote.release import ROLLOUT_ROLE, Rollout

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root, Targets


class NewState(NamedTuple):
    """All metadata of a new state as bytes, and what it was made for."""

    root: Metadata[Root]
    versions: dict[str, int]
    files: dict[str, bytes]
    timestamp: bytes
    new_root: bytes | None
    serves_old: bool

    def told(self) -> dict[str, bytes]:
        """All that is written, by its name."""
        root = {f"{self.versions['root']}.root.json": self.new_root} if self.new_root is not None else {}
        return {**self.files, **root, "timestamp.json": self.timestamp}


class _Numbers:
    """The versions of a new state: those that stand, and above all that were ever seen where something is made anew."""

    def __init__(self, old: Published | None, known: dict[str, int]) -> None:
        self.versions = {**{"timestamp": 0, "snapshot": 0, ROLLOUT_ROLE: 0}, **(old.versions if old else {})}
        self._known = known

    def above(self, role: str) -> int:
        self.versions[role] = max(self.versions[role], self._known.get(role, 0)) + 1
        return self.versions[role]

    def file(self, role: str) -> str:
        return f"{self.versions[role]}.{role}.json"


def made_state(
    repository: Repository,
    hands: Hands,
    old: Published | None,
    root: Metadata[Root] | None,
    targets: Metadata[Targets] | None,
    rollout: Rollout | None,
) -> NewState:
    """The state after `old` with what is given; nothing is written. Raises Trouble `no_repository`, `no_online_key`."""
    if old is None and (root is None or targets is None):
        raise Trouble(f"{repository.folder} holds no repository of updates yet", cure="make one", code="no_repository")
    the_root: Metadata[Root] = root or old.root  # type: ignore[union-attr]
    the_targets: Metadata[Targets] = targets or old.targets  # type: ignore[union-attr]
    identity, now = id_of(the_root.signed), hands.now()
    keys = _keys(hands, identity, the_root, the_targets)
    before = _keys_before(hands, identity, old) if root is not None else None
    numbers = _Numbers(old, highest_versions((*hands.lines(identity), *Audit(repository.audit_path).lines())))
    numbers.versions.update(root=the_root.signed.version, targets=the_targets.signed.version)
    files = {numbers.file("targets"): targets.to_bytes() if targets else repository.raw(numbers.file("targets"))}
    if _keeps_rollout(old, rollout, root, now):
        files[numbers.file(ROLLOUT_ROLE)] = repository.raw(numbers.file(ROLLOUT_ROLE))
    else:
        data = msgspec.json.encode(rollout or (old.rollout() if old else Rollout(release=0)))
        made = roles.rollout_metadata(the_root.signed, numbers.above(ROLLOUT_ROLE), data, now)
        files[f"{hashlib.sha256(data).hexdigest()}.rollout.json"] = data
        files[numbers.file(ROLLOUT_ROLE)] = _signed(made, [one.rollout for one in (keys, before) if one])
    timestamp = _add_often(files, the_root.signed, numbers, [one.often for one in (keys, before) if one], now)
    serves = old is not None and before is not None and _verifies(old.root.signed, files, numbers.versions, timestamp)
    return NewState(the_root, numbers.versions, files, timestamp, root.to_bytes() if root else None, serves)


def _add_often(files: dict[str, bytes], root: Root, numbers: _Numbers, signers: Sequence[Any], now: Any) -> bytes:
    """Add the snapshot of these files; the timestamp of it."""
    parts = {role: (numbers.versions[role], files[numbers.file(role)]) for role in ("targets", ROLLOUT_ROLE)}
    snapshot = _signed(roles.snapshot_metadata(root, numbers.above("snapshot"), parts, now), signers)
    files[numbers.file("snapshot")] = snapshot
    stamp = roles.timestamp_metadata(root, numbers.above("timestamp"), (numbers.versions["snapshot"], snapshot), now)
    return _signed(stamp, signers)


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


def _signed(metadata: Metadata[Any], signers: Sequence[Any]) -> bytes:
    for signer in signers:
        metadata.sign(signer, append=True)
    return metadata.to_bytes()


def check_state(state: NewState) -> None:
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
