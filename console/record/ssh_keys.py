"""Public SSH keys: read, named by their fingerprint, found in the SSH agent and in ~/.ssh. Private keys are never read here."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import subprocess
from pathlib import Path
from typing import NamedTuple

from remote import strict_yaml
from remote.errors import Trouble

TYPES = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
"""The kinds of keys that can sign, as they stand at the beginning of a public key."""
_LIMIT_BYTES = 16_384
_AGENT_S = 10.0


class PublicKey(NamedTuple):
    """A public key: its kind (one of TYPES), the key itself in base64, and the comment behind it."""

    kind: str
    base64: str
    comment: str = ""

    @property
    def line(self) -> str:
        """As it stands in an authorized_keys file, without the comment."""
        return f"{self.kind} {self.base64}"

    @property
    def fingerprint(self) -> str:
        """`SHA256:...` as `ssh-keygen -l` prints it."""
        return fingerprint_of(base64.b64decode(self.base64))

    @property
    def on_hardware(self) -> bool:
        """Whether it lives in a security key that wants to be touched."""
        return self.kind.startswith("sk-")


def fingerprint_of(blob: bytes) -> str:
    """The SHA256 fingerprint of a public key in SSH's wire format."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def parse_key(text: str) -> PublicKey:
    """One public key, as a line of authorized_keys without options. Trouble `bad_key` where it is none that can sign."""
    words = text.strip().split(None, 2)
    if len(words) < 2 or words[0] not in TYPES or not text.strip().isprintable():
        raise _bad(text, "is no public key that can sign", _how_it_looks())
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad(text, "is cut short or changed: its second word is no base64", _how_it_looks()) from error
    if not blob.startswith(len(words[0]).to_bytes(4, "big") + words[0].encode()):
        raise _bad(text, f"says {words[0]} but holds another kind of key", "copy the .pub file's line again")
    if not _is_whole(blob):
        raise _bad(text, "is cut short or changed", "copy the .pub file's line again")
    canonical = base64.b64encode(blob).decode()
    return PublicKey(words[0], canonical, words[2] if len(words) > 2 else "")


def read_key(path: Path) -> PublicKey:
    """The key of a .pub file. Trouble `bad_key` for anything else; a private key is named as what it is."""
    text = strict_yaml.read_text(path, code="bad_key", what="the public key", limit_bytes=_LIMIT_BYTES).strip()
    if "PRIVATE KEY" in text:
        raise Trouble(f"{path} is a private key", cure=f"give its public half: {path}.pub", code="bad_key")
    return parse_key(text)


def agent_keys() -> tuple[PublicKey, ...]:
    """The keys that the SSH agent holds, in its order; Trouble `no_agent_keys` where there is no agent, or no `ssh-add`."""
    if not os.environ.get("SSH_AUTH_SOCK"):
        raise Trouble(
            "no SSH agent is running here", cure="start one: `eval $(ssh-agent); ssh-add`", code="no_agent_keys"
        )
    try:
        ran = subprocess.run(["ssh-add", "-L"], capture_output=True, text=True, timeout=_AGENT_S, errors="replace")
    except FileNotFoundError as error:
        raise Trouble("`ssh-add` is not installed", cure="install openssh-client", code="no_agent_keys") from error
    except subprocess.TimeoutExpired as error:
        what = f"the SSH agent did not answer within {_AGENT_S:g} s"
        raise Trouble(what, cure="start it anew, or give a key file", code="no_agent_keys") from error
    if ran.returncode > 1:
        what = f"the SSH agent does not answer: {ran.stderr.strip()}"
        raise Trouble(what, cure="start one: `eval $(ssh-agent); ssh-add`", code="no_agent_keys")
    return tuple(key for key in map(_key_or_none, ran.stdout.splitlines()) if key is not None)


def home_keys(folder: Path | None = None) -> dict[Path, PublicKey]:
    """The public keys in ~/.ssh (or `folder`) by their file, sorted; what is no key is passed over."""
    found: dict[Path, PublicKey] = {}
    for path in sorted((folder or Path.home() / ".ssh").glob("*.pub")):
        try:
            found[path] = read_key(path)
        except Trouble:
            continue  # certificates, empty files: not ours to complain about
    return found


def _is_whole(blob: bytes) -> bool:
    """Whether the fields, each with its length in 4 bytes before it, fill the key exactly, each written in its one way.

    OpenSSH passes over zero bytes before an RSA key's numbers: one key could then have many fingerprints, and many owners.
    """
    at, fields = 0, []
    while at < len(blob):
        end = at + 4 + int.from_bytes(blob[at : at + 4], "big")
        fields.append(blob[at + 4 : end])
        at = end
    numbers = fields[1:] if fields and fields[0] == b"ssh-rsa" else []
    return at == len(blob) and not any(one[:1] == b"\0" and one[1:2] < b"\x80" for one in numbers)


def _key_or_none(line: str) -> PublicKey | None:
    try:
        return parse_key(line)
    except Trouble:
        return None  # a kind that can't sign


def _bad(text: str, what: str, cure: str) -> Trouble:
    shown = text.strip()[:40].encode("unicode_escape").decode()
    return Trouble(f"`{shown}...` {what}", cure=cure, code="bad_key")


def _how_it_looks() -> str:
    return "give the one line of a .pub file: `ssh-ed25519 AAAA... comment` (also ecdsa, sk-..., rsa)"
