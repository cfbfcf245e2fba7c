"""What is done to a repository: made, signed, refreshed, its keys changed. Each act locks it, and says in words what came
of it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from console.models import roles
from console.models.differences import differences
from console.models.first_root import hold_first_root
from console.models.hands import Hands, make_online
from console.models.keys import holder_of
from console.models.pending import Change, Need, Pending, drop_pending, full, keep_pending, read_pending, refuse_second
from console.models.publishing import Note, publish, publish_pending, write_line
from console.models.releasing import Wanted, release_bundle
from console.models.repository import Repository, id_of
from remote.errors import Trouble
from remote.release import ROLLOUT_ROLE

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, Key, SSlibKey
    from tuf.api.metadata import Metadata, Root, Targets


class Came(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an act: `published`, or it `waits` for the signatures that `needs` names.

    `complete`: it has all signatures, but the online keys that publish it are not on this laptop or were not opened.
    """

    outcome: Literal["published", "waits", "complete", "discarded"]
    text: str
    release: int | None = None
    needs: tuple[Need, ...] = ()
    versions: dict[str, int] = {}
    opens: str = ""


def must_be_new(repository: Repository) -> None:
    """Raises Trouble where `init` would: asked before anybody gives a passphrase. `repository_exists`, `change_waits`."""
    if repository.root_numbers():
        cure = "name another folder"
        raise Trouble(f"{repository.folder} is a repository already", cure=cure, code="repository_exists")
    refuse_second(repository)


def must_be_free(repository: Repository) -> None:
    """Raises Trouble where no change can begin: asked before anybody gives a passphrase. `change_waits`, `no_repository`."""
    refuse_second(repository)
    repository.newest_root()


def init(
    repository: Repository,
    hands: Hands,
    offline: Sequence[SSlibKey],
    targets: Sequence[SSlibKey],
    signers: Sequence[CryptoSigner],
    *,
    threshold: int = roles.LEAST_THRESHOLD,
    passphrase: str | None,
    days: dict[str, int] | None = None,
    releases_above: int = 0,
) -> Came:
    """Make a repository whose root and targets want `threshold` of these keys; it is there once so many have signed.

    `passphrase` locks the online keys that are made here (None: they are left open). `releases_above`: releases get higher
    numbers than this. Raises Trouble: `repository_exists`, `bad_threshold`, `change_waits`, `repository_full`.
    """
    for role, keys in (("root", offline), ("targets", targets)):  # before the lock, which makes the folder
        roles.check_threshold(role, len({key.keyid for key in keys}), threshold)
    with repository.locked():
        must_be_new(repository)
        identity, now = os.urandom(16).hex(), hands.now()
        online, rollout = make_online(hands, identity, passphrase)
        root = roles.first_root(identity, offline, targets, online, threshold, days or {}, now, releases_above)
        change = _change("init", f"repository {identity[:8]} with {threshold} of {len(offline)} keys", hands)
        pending = keep_pending(repository, change, root, roles.first_targets(root.signed, rollout, now))
        return _signed(repository, hands, pending, signers)


def release(
    repository: Repository, hands: Hands, bundle: Path, wanted: Wanted, signers: Sequence[CryptoSigner]
) -> Came:
    """Release a bundle: published where `signers` are enough, else it waits. Raises Trouble as `release_bundle` does."""
    with repository.locked():
        return _signed(repository, hands, release_bundle(repository, hands, bundle, wanted), signers)


def sign(repository: Repository, hands: Hands, signers: Sequence[CryptoSigner], agreed: str | None = None) -> Came:
    """Add signatures to what waits, and publish it once there are enough. `agreed` is the digest of what was shown to the
    person; None: nobody was asked.

    Raises Trouble: `nothing_waits`, `key_not_wanted`, `bad_change`, `changed_meanwhile` where another change waits by now.
    """
    with repository.locked():
        pending = _waiting(repository)
        if agreed is not None and agreed != pending.digest:
            what = "another change waits now than the one that was shown; nothing was signed"
            cure = f"look at it: `fieldgate updates show {repository.folder}`; if nobody of you made it, discard it"
            raise Trouble(what, cure=cure, code="changed_meanwhile")
        return _signed(repository, hands, pending, signers)


def refresh(repository: Repository, hands: Hands) -> Came:
    """Publish what has all its signatures, else sign a new timestamp (and what else has gone through half of its time)."""
    with repository.locked():
        pending = read_pending(repository)
        if pending is not None and pending.complete:
            return _published(repository, hands, pending)
        versions = publish(repository, hands, Note("refresh", "new timestamp"))
        return Came(outcome="published", text=f"timestamp {versions['timestamp']}", versions=versions)


def discard(repository: Repository, hands: Hands) -> Came:
    """Throw away what waits, damaged or not; its release number is not given again. Raises Trouble `nothing_waits`."""
    if not repository.pending.exists():
        repository.newest_root()  # before the lock, which would make a folder that is not there
    with repository.locked():
        if not repository.pending.exists():
            raise _nothing(repository)
        text, number, bundle = "a change that can't be read", None, ""
        try:
            change = _waiting(repository).change
            text, number, bundle = change.text, change.release, change.bundle
        except Trouble as trouble:
            if trouble.code == "nothing_waits":
                text = "a change that was never finished"
        if repository.root_numbers():
            write_line(repository, hands, Note("discard", f"discarded: {text}", number, bundle))
        try:
            drop_pending(repository)
        except OSError as error:
            raise full(repository, error) from error
        return Came(outcome="discarded", text=text)


def rotate(
    repository: Repository,
    hands: Hands,
    signers: Sequence[CryptoSigner],
    *,
    add: Sequence[SSlibKey] = (),
    remove: Sequence[str] = (),
    threshold: int | None = None,
    online: bool = False,
    passphrase: str | None = None,
) -> Came:
    """A new root: keys in, keys out (by holder or id), another threshold, new online keys; without any of it just more time.

    Raises Trouble: `unknown_key`, `bad_threshold`, `change_waits`.
    """
    from tuf.api.metadata import Metadata

    with repository.locked():
        refuse_second(repository)
        published = repository.published()
        root: Metadata[Root] = Metadata.from_bytes(published.root.to_bytes())
        targets: Metadata[Targets] = Metadata.from_bytes(published.targets.to_bytes())
        words = [*_removed(root.signed, remove), *_added(root.signed, add), *_threshold(root.signed, threshold)]
        if online:
            _new_online(hands, root.signed, targets.signed, passphrase)
            words.append("new online keys")
        for role, metadata in (("root", root), ("targets", targets)):
            metadata.signatures.clear()
            metadata.signed.version += 1
            metadata.signed.expires = roles.expiry(root.signed, role, hands.now())
        change = _change("rotate", f"root {root.signed.version}: {', '.join(words) or 'more time'}", hands)
        return _signed(repository, hands, keep_pending(repository, change, root, targets), signers)


# ------------------------------------------------------------------ parts


def _signed(repository: Repository, hands: Hands, pending: Pending, signers: Sequence[CryptoSigner]) -> Came:
    """Sign what waits with each key, and publish it where that was enough; what is not as we make it is not signed, and
    nothing over another first root than this laptop knows.
    """
    hold_first_root(repository, hands, pending)
    differences(repository, pending)
    for signer in signers:
        signed = pending.sign(signer)
        if signed:
            text = f"{holder_of(signer.public_key)} signed {', '.join(signed)} of {pending.change.text}"
            write_line(repository, hands, Note("signed", text, pending.change.release, pending.change.bundle))
    if not pending.complete:
        return _still(pending, "waits")
    try:
        return _published(repository, hands, pending)
    except Trouble as trouble:
        if trouble.code not in ("no_online_key", "bad_passphrase"):
            raise
        return _still(pending, "complete")


def _still(pending: Pending, outcome: Literal["waits", "complete"]) -> Came:
    change = pending.change
    return Came(outcome=outcome, text=change.text, release=change.release, needs=pending.needs(), opens=change.opens)


def _published(repository: Repository, hands: Hands, pending: Pending) -> Came:
    change = pending.change
    versions = publish_pending(repository, hands, pending)
    return Came(outcome="published", text=change.text, release=change.release, versions=versions, opens=change.opens)


def _waiting(repository: Repository) -> Pending:
    found = read_pending(repository)
    if found is None:
        raise _nothing(repository)
    return found


def _nothing(repository: Repository) -> Trouble:
    cure = f"`fieldgate updates show {repository.folder}` says how it stands"
    return Trouble(f"nothing waits for a signature in {repository.folder}", cure=cure, code="nothing_waits")


def _change(kind: Literal["init", "rotate"], text: str, hands: Hands) -> Change:
    return Change(kind=kind, text=text, person=hands.person, began_wall_ns=hands.wall_ns())


def _removed(root: Root, names: Sequence[str]) -> list[str]:
    words = []
    for name in names:
        offline = {keyid for role in roles.OFFLINE for keyid in root.roles[role].keyids}
        found = roles.named_keys([root.keys[keyid] for keyid in offline], name)
        if len(found) != 1:
            held = ", ".join(sorted(holder_of(root.keys[keyid]) for keyid in offline))
            what = f"{len(found) or 'none'} of the keys answers to '{name}'"
            raise Trouble(what, cure=f"name one of: {held}, or 8 characters of its id", code="unknown_key")
        words.append(f"without {holder_of(found[0])}")
        for role in roles.OFFLINE:
            if found[0].keyid in root.roles[role].keyids:
                root.revoke_key(found[0].keyid, role)
    return words


def _added(root: Root, keys: Sequence[Key]) -> list[str]:
    for key in keys:
        for role in roles.OFFLINE:
            root.add_key(key, role)
    return [f"with {holder_of(key)}" for key in keys]


def _threshold(root: Root, wanted: int | None) -> list[str]:
    for role in roles.OFFLINE:
        threshold = root.roles[role].threshold if wanted is None else wanted
        roles.check_threshold(role, len(root.roles[role].keyids), threshold)
        root.roles[role].threshold = threshold
    return [] if wanted is None else [f"threshold {wanted}"]


def _new_online(hands: Hands, root: Root, targets: Targets, passphrase: str | None) -> None:
    often, rollout = make_online(hands, id_of(root), passphrase)
    for role in ("snapshot", "timestamp"):
        for keyid in list(root.roles[role].keyids):
            root.revoke_key(keyid, role)
        root.add_key(often, role)
    targets.delegations = roles.delegations(rollout)
    assert targets.delegations.roles is not None
    assert ROLLOUT_ROLE in targets.delegations.roles
