"""Who acts on a repository, at what time, and the keys that this laptop keeps for the roles that are signed often."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from console.models.audit import Audit, Line
from console.models.keys import AskPassphrase, make_key, read_public, read_signer
from console.models.roles import now_utc
from remote.errors import Trouble

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey

ONLINE = "online.pem"
"""Signs snapshot and timestamp."""
ROLLOUT = "rollout.pem"
"""Signs rollout.json."""


class Hands(NamedTuple):
    """A person at a laptop. `home` is the laptop's folder for repositories; `now` its clock in UTC; `ask` asks for
    passphrases.
    """

    person: str
    home: Path
    ask: AskPassphrase
    now: Callable[[], datetime] = now_utc
    wall_ns: Callable[[], int] = time.time_ns

    def folder(self, repository_id: str) -> Path:
        """Where this laptop keeps what it has of a repository: its online keys and its own audit."""
        return self.home / repository_id

    def audit(self, repository_id: str) -> Audit:
        """What this laptop did to the repository."""
        return Audit(self.folder(repository_id) / "audit.jsonl")

    def lines(self, repository_id: str) -> tuple[Line, ...]:
        """Its lines. Raises Trouble `audit_damaged`."""
        return self.audit(repository_id).lines()


class Online(NamedTuple):
    """The keys of the roles that are signed often."""

    often: CryptoSigner
    rollout: CryptoSigner


def make_online(hands: Hands, repository_id: str, passphrase: str | None) -> tuple[SSlibKey, SSlibKey]:
    """New online keys for a repository; their public halves (snapshot and timestamp, rollout). Older ones are kept beside.

    A passphrase of None leaves them unencrypted, so that a timer can refresh the timestamp without a person.
    """
    folder = hands.folder(repository_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _lay_aside(folder)
    found = []
    for name in (ONLINE, ROLLOUT):
        make_key(folder / name, passphrase)
        found.append(read_public(folder / f"{name}.pub", hands.ask))
    return found[0], found[1]


def open_online(hands: Hands, repository_id: str, often: Iterable[str], rollout: Iterable[str]) -> Online:
    """The online keys whose ids the roles name, from the present pair or one before.

    Raises Trouble `no_online_key` where this laptop does not hold them.
    """
    found = online_or_none(hands, repository_id, set(often), set(rollout))
    if found is None:
        what = f"this laptop does not hold the online keys of the repository (looked in {hands.folder(repository_id)})"
        cure = "do it on the laptop that holds them, or replace them: `fieldgate updates rotate REPO --online`"
        raise Trouble(what, cure=cure, code="no_online_key")
    return found


def online_or_none(hands: Hands, repository_id: str, often: set[str], rollout: set[str]) -> Online | None:
    """The same, None where they are not here."""
    one = _matching(hands, repository_id, ONLINE, often)
    other = _matching(hands, repository_id, ROLLOUT, rollout)
    if one is None or other is None:
        return None
    return Online(read_signer(one, hands.ask), read_signer(other, hands.ask))


def _matching(hands: Hands, repository_id: str, name: str, ids: set[str]) -> Path | None:
    """The private key file whose public half has one of these ids; no passphrase is needed to look."""
    for path in sorted(hands.folder(repository_id).glob(f"{name}*.pub")):
        if read_public(path, hands.ask).keyid in ids and path.with_suffix("").is_file():
            return path.with_suffix("")
    return None


def _lay_aside(folder: Path) -> None:
    """Number the present keys, if there are any, so that they can still sign what robots with the old root look at."""
    if not (folder / ONLINE).exists() and not (folder / ROLLOUT).exists():
        return
    number = 1
    while (folder / f"{ONLINE}.{number}").exists() or (folder / f"{ROLLOUT}.{number}").exists():
        number += 1
    for name in (ONLINE, ROLLOUT):
        for ending in ("", ".pub"):
            if (folder / f"{name}{ending}").exists():
                (folder / f"{name}{ending}").rename(folder / f"{name}.{number}{ending}")
