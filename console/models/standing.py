"""How a repository stands: roles, keys, expiries, releases, what is open to whom, and what waits for which signature."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from console.models import roles
from console.models.differences import differences
from console.models.first_root import first_root
from console.models.keys import holder_of
from console.models.made import failed_of
from console.models.pending import Change, Need, Pending, read_pending
from console.models.repository import Published, Repository, id_of
from remote.errors import Trouble
from remote.release import ROLLOUT_ROLE, Release, Rollout

if TYPE_CHECKING:
    from tuf.api.metadata import Root

WARN_DAYS = {"root": 60.0, "targets": 60.0, "snapshot": 7.0, "timestamp": 2.0, ROLLOUT_ROLE: 7.0}
"""With so many days left, or fewer, a role is shown as `soon`."""


class RoleStands(msgspec.Struct, frozen=True, kw_only=True):
    """One role: its version, who may sign (`holders`, `keyids`) and how many must, until when it is good.

    `state`: good, soon (few days left), expired.
    """

    role: str
    version: int
    threshold: int
    holders: tuple[str, ...]
    keyids: tuple[str, ...]
    expires: str
    days_left: float
    state: str


class WaitsFor(msgspec.Struct, frozen=True, kw_only=True):
    """A change that waits for signatures. `changes` says what it really changes; `trouble` why nobody should sign it."""

    change: Change
    changes: tuple[str, ...] = ()
    trouble: str = ""
    needs: tuple[Need, ...]
    complete: bool


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. A repository that waits for its first signatures has only `id`, `first_root` and `waits`.

    `first_root` is the SHA-256 of what is signed of the first root: two people compare it by telephone. `maker_failed` has, by
    the release's number, what the bundle's maker measured to fail; releases where nothing did are not in it.
    """

    folder: str
    id: str
    first_root: str = ""
    roles: tuple[RoleStands, ...] = ()
    releases: tuple[Release, ...] = ()
    maker_failed: dict[int, tuple[str, ...]] = {}
    rollout: Rollout | None = None
    waits: WaitsFor | None = None


def standing(repository: Repository, now: datetime, *, whole: bool = True) -> Standing:
    """How it stands now. Not `whole`: without what has to be read from other files than metadata (releases, rollout, what a
    waiting change changes). Raises Trouble `no_repository`, `bad_repository`.
    """
    pending = read_pending(repository)
    waits = _waits(repository, pending, whole) if pending else None
    if not (repository.metadata / "timestamp.json").exists() and pending is not None and pending.root is not None:
        first = first_root(repository, pending)
        return Standing(folder=str(repository.folder), id=id_of(pending.root.signed), first_root=first, waits=waits)
    published = repository.published()
    releases = published.releases() if whole else ()
    failed = {one.number: failed_of(repository, published.targets.signed, one) for one in releases}
    return Standing(
        folder=str(repository.folder),
        id=id_of(published.root.signed),
        first_root=first_root(repository, pending),
        roles=tuple(_role(published, role, now) for role in ("root", "targets", ROLLOUT_ROLE, "snapshot", "timestamp")),
        releases=releases,
        maker_failed={number: lines for number, lines in failed.items() if lines},
        rollout=published.rollout() if whole else None,
        waits=waits,
    )


def _waits(repository: Repository, pending: Pending, whole: bool) -> WaitsFor:
    changes: tuple[str, ...] = ()
    trouble = ""
    try:
        changes = differences(repository, pending) if whole else ()
    except Trouble as error:
        trouble = error.what
    return WaitsFor(
        change=pending.change, changes=changes, trouble=trouble, needs=pending.needs(), complete=pending.complete
    )


def _role(published: Published, role: str, now: datetime) -> RoleStands:
    root: Root = published.root.signed
    judge: Any = published.targets.signed if role == ROLLOUT_ROLE else root
    given = judge.get_delegated_role(role)
    metadata: Any = published.rollout_role if role == ROLLOUT_ROLE else getattr(published, role)
    left = roles.days_left(metadata.signed.expires, now)
    return RoleStands(
        role=role,
        version=metadata.signed.version,
        threshold=given.threshold,
        holders=tuple(holder_of(judge.get_key(keyid)) for keyid in given.keyids),
        keyids=tuple(given.keyids),
        expires=metadata.signed.expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
        days_left=left,
        state="expired" if left < 0 else "soon" if left <= WARN_DAYS[role] else "good",
    )
