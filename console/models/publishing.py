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
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from console.models.audit import Act, Audit, Line
from console.models.first_root import hold_first_root, is_new
from console.models.hands import Hands
from console.models.new_state import NewState, check_state, made_state
from console.models.pending import Pending, drop_pending, full
from console.models.repository import CODE, Repository, id_of
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
    is_new(repository, hands)  # refuses another first root; it is kept where the online keys were there to sign
    old = repository.published() if (repository.metadata / "timestamp.json").exists() else None
    state = made_state(repository, hands, old, root, targets, rollout)
    check_state(state)
    hold_first_root(repository, hands)
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


def write_line(repository: Repository, hands: Hands, note: Note, state: NewState | None = None) -> Line:
    """Add a line to both audits. Raises Trouble `audit_damaged`, `audit_full`."""
    identity = id_of(state.root.signed if state else _any_root(repository))
    files = state.told() if state else {}
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


def _any_root(repository: Repository) -> Root:
    """The newest root, or the pending one of a repository that is being made."""
    if repository.root_numbers():
        return repository.newest_root().signed
    root = Pending(repository).root
    assert root is not None
    return root.signed


def _show(repository: Repository, state: NewState) -> None:
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
