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

ONLINE = "online"
"""Signs snapshot and timestamp."""
ROLLOUT = "rollout"
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
    """New online keys for a repository; their public halves (snapshot and timestamp, rollout). Older ones stay beside.

    A passphrase of None leaves them unencrypted, so that a timer can refresh the timestamp without a person.
    """
    folder = hands.folder(repository_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number, found = _next_number(folder), []
    for name in (ONLINE, ROLLOUT):
        public = make_key(folder / f"{name}-{number}.pem", passphrase)
        found.append(read_public(public, hands.ask))
    return found[0], found[1]


def open_online(hands: Hands, repository_id: str, often: Iterable[str], rollout: Iterable[str]) -> Online:
    """The online keys whose ids the roles name, from the present pair or one before.

    Raises Trouble `no_online_key` where this laptop does not hold them.
    """
    found = online_or_none(hands, repository_id, set(often), set(rollout))
    if found is None:
        what = f"this laptop does not hold the online keys of the repository (looked in {hands.folder(repository_id)})"
        cure = "do it on the laptop that holds them, or replace them: `fieldgate updates rotate --online`"
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
    for path in sorted(hands.folder(repository_id).glob(f"{name}-*.pem.pub")):
        if read_public(path, hands.ask).keyid in ids and path.with_suffix("").is_file():
            return path.with_suffix("")
    return None


def _next_number(folder: Path) -> int:
    """Above every pair of keys that was ever made here, also where making one was cut off."""
    found = [path.name.split("-", 1)[1].split(".", 1)[0] for path in folder.glob("*-*.pem*")]
    return 1 + max((int(one) for one in found if one.isdigit()), default=0)
