"""known_hosts files: which host has which key (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT")."""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from remote.errors import Trouble

_SIZE_LIMIT_BYTES = 16 << 20
Finding = Literal["known", "unknown", "changed", "revoked"]


class Line(msgspec.Struct, frozen=True):
    """One usable line. `marker` is '' or 'revoked'; lines of certificate authorities are not used here."""

    file: Path
    number: int
    marker: str
    hosts: str
    key_type: str
    key: bytes


class Found(msgspec.Struct, frozen=True):
    """What the files say of a host's key; `line` is the one that says so, None where it is unknown."""

    finding: Finding
    line: Line | None = None


def fingerprint(key: bytes) -> str:
    """`SHA256:...` as `ssh-keygen -l` writes it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def lookup(files: Iterable[Path], host: str, key_type: str, key: bytes) -> Found:
    """Whether `host` (`name` or `[name]:port`, lower case) is known by that key.

    Another key on file, of whatever type, is a change: a server that suddenly shows another type is no less suspect.
    """
    other: Line | None = None
    known: Line | None = None
    for line in _lines(files):
        if line.marker == "revoked" and line.key == key and _matches(line.hosts, host):
            return Found("revoked", line)
        if line.marker or not _matches(line.hosts, host):
            continue
        if line.key == key and line.key_type == key_type:
            known = known or line
        else:
            other = other or line
    if known:
        return Found("known", known)
    return Found("changed", other) if other else Found("unknown")


def key_types(files: Iterable[Path], host: str) -> tuple[str, ...]:
    """The key types on file for a host, so that the server can be asked for a key that can be compared."""
    types = [line.key_type for line in _lines(files) if not line.marker and _matches(line.hosts, host)]
    return tuple(dict.fromkeys(types))


def remember(file: Path, host: str, key_type: str, key: bytes) -> None:
    """Append a key that a person has accepted; the file is made (0600) where it is missing."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = f"{host} {key_type} {base64.b64encode(key).decode()}\n"
        if file.exists() and not file.read_bytes().endswith(b"\n") and file.stat().st_size:
            text = "\n" + text
        handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(handle, "wb") as out:
            out.write(text.encode())
    except OSError as error:
        what = f"the key of {host} can't be written to {file}: {error.strerror}"
        raise Trouble(what, cure="correct the file's permissions", code="unknown_host_key") from error


def _lines(files: Iterable[Path]) -> Iterator[Line]:
    for file in files:
        try:
            if file.stat().st_size > _SIZE_LIMIT_BYTES:
                raise Trouble(f"{file} is over 16 MiB, that is no known_hosts file", code="unknown_host_key")
            rows = file.read_bytes().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            # Without its keys a changed host would look like a new one.
            what = f"{file} can't be read: {error.strerror}"
            raise Trouble(what, cure="correct its permissions", code="unknown_host_key") from error
        for number, row in enumerate(rows, start=1):
            line = _parsed(file, number, row)
            if line is not None:
                yield line


def _parsed(file: Path, number: int, row: bytes) -> Line | None:
    words = row.decode("utf-8", "replace").split()
    if not words or words[0].startswith("#"):
        return None
    marker = words.pop(0)[1:] if words[0].startswith("@") else ""
    if marker not in ("", "revoked") or len(words) < 3:
        return None
    try:
        return Line(file, number, marker, words[0], words[1], base64.b64decode(words[2], validate=True))
    except (binascii.Error, ValueError):
        return None


def _matches(hosts: str, host: str) -> bool:
    if hosts.startswith("|1|"):
        return _hash_matches(hosts, host)
    hit = False
    for pattern in hosts.lower().split(","):
        # fnmatch takes [..] for a set of letters; here brackets stand around a host with a port.
        plain = pattern.lstrip("!").replace("[", "[[]")
        if fnmatch.fnmatchcase(host, plain):
            if pattern.startswith("!"):
                return False
            hit = True
    return hit


def _hash_matches(hosts: str, host: str) -> bool:
    try:
        _, _, salt, digest = hosts.split("|")
        made = hmac.new(base64.b64decode(salt), host.encode(), hashlib.sha1).digest()
        return hmac.compare_digest(made, base64.b64decode(digest))
    except (ValueError, binascii.Error):
        return False
