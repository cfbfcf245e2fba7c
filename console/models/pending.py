"""What waits for signatures: a change of root or targets that lies beside the repository until enough keys have signed it."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from console.models.keys import holder_of
from console.models.repository import CODE, METADATA_LIMIT_BYTES, Repository, parse_metadata
from remote.atomic import sync, write_atomically
from remote.errors import Trouble
from remote.ready_types import ready

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner
    from tuf.api.metadata import Metadata, Root, Targets

_CURE = "throw it away with `fieldgate updates discard` and begin again"
Opening = Literal["", "first", "everyone"]


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a pending change is. `opens`: the wave that is opened as soon as it is published."""

    kind: Literal["init", "release", "rotate"]
    text: str
    person: str
    began_wall_ns: int
    release: int | None = None
    bundle: str = ""
    opens: Opening = ""


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """A role that waits: who has signed, who else could, and how many signatures are missing.

    A root with other keys is signed by the keys before and by its own: `keys` says which of them this is about.
    """

    role: str
    keys: Literal["", "old", "new"] = ""
    threshold: int
    signed: tuple[str, ...]
    could: tuple[str, ...]
    missing: int


class Pending:
    """The change that waits, as it was read.

    `root` and `targets` are the metadata that it makes, None where it leaves that as it is.
    """

    def __init__(self, repository: Repository) -> None:
        self.folder = repository.pending
        self.change = _change(self.folder / "change.json")
        self.root: Metadata[Root] | None = self._metadata("root")
        self.targets: Metadata[Targets] | None = self._metadata("targets")
        self._previous = _previous(repository, self.root)

    @property
    def files(self) -> Path:
        """The folder of the targets that come with it, under their own names."""
        return self.folder / "targets"

    @property
    def digest(self) -> str:
        """SHA-256 of what is signed of it, whoever has signed it so far."""
        parts = (b"" if one is None else one.signed_bytes for one in (self.root, self.targets))
        return hashlib.sha256(b"\0".join(parts)).hexdigest()

    def path(self, role: str) -> Path:
        """Where a role's metadata lies."""
        return self.folder / f"{role}.json"

    def needs(self) -> tuple[Need, ...]:
        """Each role that it changes, with what is missing (0: enough)."""
        found = []
        if self.root is not None:
            found += self._root_needs(self.root)
        if self.targets is not None:
            root = self._judge()
            result = root.get_verification_result("targets", self.targets.signed_bytes, self.targets.signatures)
            found.append(_need("targets", result))
        return tuple(found)

    def _root_needs(self, root: Metadata[Root]) -> list[Need]:
        """One for the old and the new keys where they are the same ones, else one for each."""
        by = root.signed.get_root_verification_result(self._previous, root.signed_bytes, root.signatures)
        old, new = by.first, by.second
        if (old.threshold, {*old.signed, *old.unsigned}) == (new.threshold, {*new.signed, *new.unsigned}):
            return [_need("root", new)]
        return [_need("root", old, "old", {*new.signed, *new.unsigned}), _need("root", new, "new")]

    @property
    def complete(self) -> bool:
        """Whether enough keys have signed everything."""
        return all(need.missing == 0 for need in self.needs())

    def sign(self, signer: CryptoSigner) -> tuple[str, ...]:
        """Add a key's signature wherever it counts; the roles that it signed now. Raises Trouble `key_not_wanted`."""
        signed, counted = [], False
        for role, metadata, keys in self._signable():
            if signer.public_key.keyid not in keys:
                continue
            counted = True
            before = metadata.signatures.get(signer.public_key.keyid)
            if metadata.sign(signer, append=True) != before:
                write_atomically(self.path(role), metadata.to_bytes(), 0o644)
                signed.append(role)
        if not counted:
            holders = sorted({name for need in self.needs() for name in (*need.signed, *need.could)})
            what = f"the key of {holder_of(signer.public_key)} signs nothing of what waits"
            raise Trouble(what, cure=f"wanted are: {', '.join(holders)}", code="key_not_wanted")
        return tuple(signed)

    def _signable(self) -> list[tuple[str, Metadata[Any], set[str]]]:
        """Each waiting role with the ids of the keys whose signature is of use, for robots with the old root too."""
        roots = [one for one in (self._previous, self.root.signed if self.root else None) if one is not None]
        parts: list[tuple[str, Metadata[Any] | None]] = [("root", self.root), ("targets", self.targets)]
        return [(role, one, {key for root in roots for key in root.roles[role].keyids}) for role, one in parts if one]

    def _judge(self) -> Root:
        judge = self.root.signed if self.root is not None else self._previous
        if judge is None:
            raise Trouble(f"{self.folder} holds targets without a root", cure=_CURE, code=CODE)
        return judge

    def _metadata(self, role: str) -> Metadata[Any] | None:
        from remote.strict_yaml import read_bytes

        path = self.path(role)
        if not path.exists():
            return None
        data = read_bytes(path, code=CODE, what="the pending", limit_bytes=METADATA_LIMIT_BYTES)
        return parse_metadata(data, role, path)


def read_pending(repository: Repository) -> Pending | None:
    """The change that waits, None where none does. Raises Trouble `bad_repository` for a damaged one."""
    if not (repository.pending / "change.json").exists():
        return None
    return Pending(repository)


def keep_pending(
    repository: Repository,
    change: Change,
    root: Metadata[Root] | None,
    targets: Metadata[Targets] | None,
    stage: Callable[[Path], object] = lambda folder: None,
) -> Pending:
    """Lay a change beside the repository, whole or not at all. `stage` puts its targets into a folder.

    Raises Trouble: `change_waits` where another one is there, `repository_full`.
    """
    refuse_second(repository)
    making = repository.folder / ".pending-making"
    try:
        shutil.rmtree(making, ignore_errors=True)
        (making / "targets").mkdir(parents=True)
        stage(making / "targets")
        for name, metadata in (("root", root), ("targets", targets)):
            if metadata is not None:
                write_atomically(making / f"{name}.json", metadata.to_bytes(), 0o644)
        write_atomically(making / "change.json", msgspec.json.encode(change), 0o644)
        making.rename(repository.pending)
        sync(repository.folder)
    except OSError as error:
        shutil.rmtree(making, ignore_errors=True)
        raise full(repository, error) from error
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    found = read_pending(repository)
    assert found is not None
    return found


def refuse_second(repository: Repository) -> None:
    """Raises Trouble `change_waits` where a change waits."""
    found = read_pending(repository)
    if found is not None:
        text, folder = found.change.text, repository.folder
        what = f"a change waits for signatures: {text}"
        cure = f"sign it with `fieldgate updates sign {folder} --key FILE`"
        if found.complete:
            what = f"a change has all its signatures and is not published yet: {text}"
            cure = f"`fieldgate updates refresh {folder}` publishes it"
        cure += f"; `fieldgate updates discard {folder}` throws it away"
        raise Trouble(what, cure=cure, code="change_waits")


def drop_pending(repository: Repository) -> None:
    """Take away the change that waits. Raises OSError."""
    if repository.pending.exists():
        gone = repository.folder / ".pending-gone"
        shutil.rmtree(gone, ignore_errors=True)
        repository.pending.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)


def full(repository: Repository, error: OSError) -> Trouble:
    """What to say where a repository can't be written."""
    what = f"{repository.folder} can't be written: {error.strerror or error}"
    cure = "free some space or correct the permissions and try again; what robots see is what was there before"
    return Trouble(what, cure=cure, code="repository_full")


def _previous(repository: Repository, root: Metadata[Root] | None) -> Root | None:
    """The root that a pending one follows; without a pending one the root that stands; None before the first."""
    if root is not None:
        return repository.root(root.signed.version - 1).signed if root.signed.version > 1 else None
    return repository.newest_root().signed


def _need(role: str, result: Any, keys: Literal["", "old", "new"] = "", stay: Iterable[str] = ()) -> Need:
    """`stay`: the ids of the keys that stay; whoever is taken out is asked only where those are not enough."""
    asked = {keyid: key for keyid, key in result.unsigned.items() if keyid in stay}
    if len(asked) < result.missing or keys != "old":
        asked = result.unsigned
    signed, could = (tuple(sorted(holder_of(key) for key in some.values())) for some in (result.signed, asked))
    return Need(role=role, keys=keys, threshold=result.threshold, signed=signed, could=could, missing=result.missing)


def _change(path: Path) -> Change:
    from remote.strict_yaml import read_bytes

    data = read_bytes(path, code=CODE, what="the pending", limit_bytes=METADATA_LIMIT_BYTES)
    try:
        return msgspec.json.decode(data, type=ready(Change))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Trouble(f"{path} is damaged: {error}", cure=_CURE, code=CODE) from error
