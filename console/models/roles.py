"""The roles of a repository: how long each is good for, who signs it, and the first metadata of each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from console.models.repository import OURS
from remote.errors import Trouble
from remote.release import ROLLOUT_ROLE, ROLLOUT_TARGET, SIGNED_AT

if TYPE_CHECKING:
    from securesystemslib.signer import Key
    from tuf.api.metadata import Delegations, Metadata, Root, Snapshot, Targets, Timestamp

DAYS = {"root": 365, "targets": 365, "snapshot": 30, "timestamp": 7, ROLLOUT_ROLE: 30}
"""How long metadata of each role is good for from when it was signed, unless the root says otherwise."""
OFFLINE = ("root", "targets")
LEAST_THRESHOLD = 2
_MOST_DAYS = 3650


def now_utc() -> datetime:
    """The laptop's clock, in whole seconds of UTC."""
    return datetime.now(timezone.utc).replace(microsecond=0)


def days_of(root: Root, role: str) -> int:
    """How many days a role's metadata is good for."""
    ours = root.unrecognized_fields.get(OURS)
    days = ours.get("days") if isinstance(ours, dict) else None
    found = days.get(role) if isinstance(days, dict) else None
    return found if isinstance(found, int) and 1 <= found <= _MOST_DAYS else DAYS[role]


def releases_above(root: Root) -> int:
    """Every release of the repository has a higher number than this."""
    ours = root.unrecognized_fields.get(OURS)
    found = ours.get("releases_above") if isinstance(ours, dict) else None
    return found if isinstance(found, int) and found > 0 else 0


def expiry(root: Root, role: str, now: datetime) -> datetime:
    """Until when a role's metadata that is signed now is good."""
    return now + timedelta(days=days_of(root, role))


def first_root(
    identity: str,
    offline: Sequence[Key],
    targets: Sequence[Key],
    online: Key,
    threshold: int,
    days: dict[str, int],
    now: datetime,
    releases_above: int = 0,
) -> Metadata[Root]:
    """The first root of the repository with that id, unsigned. `online` signs snapshot and timestamp. Raises Trouble
    `bad_threshold`.
    """
    from tuf.api.metadata import Metadata, Root

    ours = {"id": identity, "days": {**DAYS, **days}, "releases_above": releases_above}
    root = Root(version=1, consistent_snapshot=True, unrecognized_fields={OURS: ours})
    for role, keys in (("root", offline), ("targets", targets)):
        check_threshold(role, len({key.keyid for key in keys}), threshold)
        for key in keys:
            root.add_key(key, role)
        root.roles[role].threshold = threshold
    for role in ("snapshot", "timestamp"):
        root.add_key(online, role)
    root.expires = expiry(root, "root", now)
    return Metadata(root)


def check_threshold(role: str, keys: int, threshold: int) -> None:
    """Raises Trouble `bad_threshold` where so many keys can't reach it."""
    if threshold < 1 or keys < threshold:
        cure = f"name {threshold} different keys at least; one more than that lets you lose one"
        what = (
            f"{role} needs {threshold} signature{'s' * (threshold != 1)} and has {keys or 'no'} key{'s' * (keys != 1)}"
        )
        raise Trouble(what, cure=cure, code="bad_threshold")


def first_targets(root: Root, rollout: Key, now: datetime) -> Metadata[Targets]:
    """Targets without any release, unsigned; `rollout` opens releases."""
    from tuf.api.metadata import Metadata, Targets

    made = Targets(version=1, expires=expiry(root, "targets", now))
    made.delegations = delegations(rollout)
    return Metadata(made)


def delegations(rollout: Key) -> Delegations:
    """The one delegation: `rollout.json` to the role `rollout`."""
    from tuf.api.metadata import DelegatedRole, Delegations

    role = DelegatedRole(ROLLOUT_ROLE, [rollout.keyid], 1, terminating=True, paths=[ROLLOUT_TARGET])
    return Delegations({rollout.keyid: rollout}, {ROLLOUT_ROLE: role})


def rollout_metadata(root: Root, version: int, data: bytes, now: datetime) -> Metadata[Targets]:
    """The rollout role's metadata over the bytes of rollout.json, unsigned."""
    from tuf.api.metadata import Metadata, TargetFile, Targets

    info = TargetFile.from_data(ROLLOUT_TARGET, data, ["sha256"])
    made = Targets(version=version, expires=expiry(root, ROLLOUT_ROLE, now), targets={ROLLOUT_TARGET: info})
    return Metadata(made)


def snapshot_metadata(
    root: Root, version: int, parts: dict[str, tuple[int, bytes]], now: datetime
) -> Metadata[Snapshot]:
    """A snapshot of targets and rollout (version and bytes of each), unsigned."""
    from tuf.api.metadata import Metadata, MetaFile, Snapshot

    meta = {f"{role}.json": MetaFile.from_data(number, data, ["sha256"]) for role, (number, data) in parts.items()}
    return Metadata(Snapshot(version=version, expires=expiry(root, "snapshot", now), meta=meta))


def timestamp_metadata(root: Root, version: int, snapshot: tuple[int, bytes], now: datetime) -> Metadata[Timestamp]:
    """A timestamp over a snapshot (version and bytes), unsigned; it says when it was signed."""
    from tuf.api.metadata import Metadata, MetaFile, Timestamp

    signed_at = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Metadata(
        Timestamp(
            version=version,
            expires=expiry(root, "timestamp", now),
            snapshot_meta=MetaFile.from_data(snapshot[0], snapshot[1], ["sha256"]),
            unrecognized_fields={SIGNED_AT: signed_at},
        )
    )


def days_left(expires: datetime, now: datetime) -> float:
    """Days until then, to one digit, rounded down; negative where it is over."""
    return math.floor((expires - now).total_seconds() / 8640) / 10


def named_keys(keys: Iterable[Any], wanted: str) -> list[Any]:
    """The keys of that holder, or whose id begins so (8 characters or more)."""
    from console.models.keys import holder_of

    return [
        key
        for key in keys
        if holder_of(key) == wanted or (len(wanted) >= 8 and str(key.keyid).startswith(wanted.lower()))
    ]
