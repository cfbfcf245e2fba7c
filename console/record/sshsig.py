"""What an armored SSH signature says of itself: whose key, for which namespace. Nothing here decides whether it is good.

The format is OpenSSH's PROTOCOL.sshsig: `SSHSIG`, version 1, then strings with a length of 4 bytes each.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

from console.record.ssh_keys import fingerprint_of
from remote.errors import Trouble

_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG\x00\x00\x00\x01"
_LIMIT = 65_536


class Armored(NamedTuple):
    """The SHA256 fingerprint of the key that a signature names, and the namespace that it was given for."""

    fingerprint: str
    namespace: str


def read_armored(text: str) -> Armored:
    """What the signature says of itself. Trouble `bad_signature` for what is none."""
    stripped = text.strip()
    if len(text) > _LIMIT or not text.isascii() or not (stripped.startswith(_BEGIN) and stripped.endswith(_END)):
        raise _bad("it has not the form of an SSH signature")
    try:
        data = base64.b64decode("".join(stripped[len(_BEGIN) : -len(_END)].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad("it is no base64") from error
    if not data.startswith(_MAGIC):
        raise _bad("it is of another version or kind")
    key, rest = _string(data[len(_MAGIC) :])
    namespace, _ = _string(rest)
    return Armored(fingerprint_of(key), namespace.decode("ascii", errors="backslashreplace"))


def _string(data: bytes) -> tuple[bytes, bytes]:
    length = int.from_bytes(data[:4], "big")
    if len(data) < 4 + length:
        raise _bad("it is cut short")
    return data[4 : 4 + length], data[4 + length :]


def _bad(why: str) -> Trouble:
    return Trouble(f"the signature can't be read: {why}", code="bad_signature")
