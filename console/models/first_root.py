"""The first root of a repository, as this laptop knows it: all trust is handed on from it, so nothing may exchange it.

Whoever can write the published folder could write all roots anew, each signed by the one before, with keys of their own.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from console.models.hands import Hands
from console.models.pending import Pending, read_pending
from console.models.repository import Repository, id_of
from remote.atomic import write_atomically
from remote.errors import Trouble
from remote.strict_yaml import read_bytes

if TYPE_CHECKING:
    from tuf.api.metadata import Metadata, Root

CODE = "other_first_root"
COMPARE = "read it to each other by telephone: whoever made the repository sees the same with `fieldgate updates show`"
_SHA256 = re.compile(rb"[0-9a-f]{64}\n?")


def first_root(repository: Repository, pending: Pending | None = None) -> str:
    """SHA-256 of what is signed of the first root, also while it waits for its signatures; empty where there is none.

    Raises Trouble `bad_repository`.
    """
    found = _first(repository, pending if pending is not None else read_pending(repository))
    return hashlib.sha256(found.signed_bytes).hexdigest() if found is not None else ""


def hold_first_root(repository: Repository, hands: Hands, pending: Pending | None = None) -> None:
    """Keep the first root at first sight, and refuse another one from then on.

    Raises Trouble: `other_first_root`, `bad_repository`, `laptop_unwritable`.
    """
    if is_new(repository, hands, pending):
        _keep(repository, hands, pending, first_root(repository, pending))


def is_new(repository: Repository, hands: Hands, pending: Pending | None = None) -> bool:
    """Whether this laptop sees the repository for the first time; nothing is kept.

    Raises Trouble: `other_first_root` where it knows another first root, `bad_repository`.
    """
    digest = first_root(repository, pending)
    if not digest:
        return False
    known = known_first_root(repository, hands, pending)
    if known and known != digest:
        what = (
            f"the first root of {repository.folder} is not the one that this laptop knows: it is {digest[:16]}, "
            f"it was {known[:16]}; nothing was signed"
        )
        kept = _place(repository, hands, pending)
        cure = (
            f"{COMPARE}. If theirs is another than {digest[:16]}, somebody wrote all roots anew: restore the folder "
            f"from a copy; if it is the same, remove {kept}"
        )
        raise Trouble(what, cure=cure, code=CODE)
    return not known


def known_first_root(repository: Repository, hands: Hands, pending: Pending | None = None) -> str:
    """The digest that this laptop keeps; empty where it has not seen the repository yet. Raises Trouble."""
    path = _place(repository, hands, pending)
    if not path.exists():
        return ""
    data = read_bytes(path, what="the known first root", code=CODE, limit_bytes=100)
    if not _SHA256.fullmatch(data):
        cure = f"compare the first root's digest with whoever made the repository, then remove {path}"
        raise Trouble(f"{path} is damaged", cure=cure, code=CODE)
    return data.decode().strip()


def _keep(repository: Repository, hands: Hands, pending: Pending | None, digest: str) -> None:
    path = _place(repository, hands, pending)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_atomically(path, f"{digest}\n".encode())
    except OSError as error:
        what = f"{path} can't be written: {error.strerror}; what this laptop knows of the repository is kept there"
        cure = "free some space or correct the permissions, and try again"
        raise Trouble(what, cure=cure, code="laptop_unwritable") from error


def _place(repository: Repository, hands: Hands, pending: Pending | None) -> Path:
    """By the id of the newest root, which finds the online keys and the audit too."""
    if repository.root_numbers():
        return hands.folder(id_of(repository.newest_root().signed)) / "first-root"
    found = _first(repository, pending if pending is not None else read_pending(repository))
    assert found is not None
    return hands.folder(id_of(found.signed)) / "first-root"


def _first(repository: Repository, pending: Pending | None) -> Metadata[Root] | None:
    if repository.root_numbers():
        return repository.root(1)
    return pending.root if pending is not None else None
