"""Signing keys as files: ed25519, PKCS8 PEM, encrypted with a passphrase that is asked for and never stored."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remote.atomic import write_atomically
from remote.errors import Trouble

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey

HOLDER = "x-fieldgate-holder"
"""A field of a public key in the metadata: the short name of who holds it, taken from its file's name."""
LIMIT_BYTES = 16 * 1024
LEAST_PASSPHRASE = 8
CODE = "bad_key"

AskPassphrase = Callable[[Path, bool], "str | None"]
"""The passphrase of a key file; the second word says that the last answer was wrong. None gives up."""


def make_key(path: Path, passphrase: str | None) -> Path:
    """Write a new private key to `path` (mode 0600) and its public half to `path`.pub; the latter's path.

    A passphrase of None writes it unencrypted: whoever reads the file can sign. Raises Trouble `key_exists` where either
    is there already, `bad_key` for a passphrase that is too short, `key_unwritable`.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = _public_path(path)
    for one in (path, public):
        if one.exists():
            cure = "give another name; a key is never written over"
            raise Trouble(f"{one} exists already", cure=cure, code="key_exists")
    if passphrase is not None and len(passphrase) < LEAST_PASSPHRASE:
        cure = "give a longer one, such as five words drawn by lot"
        raise Trouble(f"a passphrase needs {LEAST_PASSPHRASE} characters", cure=cure, code=CODE)
    locked: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase is not None:
        locked = serialization.BestAvailableEncryption(passphrase.encode())
    key = Ed25519PrivateKey.generate()
    encoding, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    _write(path, key.private_bytes(encoding, pkcs8, locked), 0o600)
    _write(public, key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo), 0o644)
    return public


def read_signer(path: Path, ask: AskPassphrase) -> CryptoSigner:
    """The private key of a file. Raises Trouble: `bad_key` for what is none, `bad_passphrase` where `ask` gave up."""
    from securesystemslib.signer import CryptoSigner

    private = _private(path, _read(path), ask)
    return CryptoSigner(private, _named(private.public_key(), path))


def read_public(path: Path, ask: AskPassphrase) -> SSlibKey:
    """The public key of a .pub file, or of a private key file. Raises Trouble as `read_signer` does."""
    data = _read(path)
    if is_private(data):
        return _named(_private(path, data, ask).public_key(), path)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    found = _parsed(path, lambda: load_pem_public_key(data))
    if not isinstance(found, Ed25519PublicKey):
        raise _no_key(path, "it is no ed25519 key")
    return _named(found, path)


def is_private(data: bytes) -> bool:
    """Whether a key file's bytes are those of a private key."""
    return b"PRIVATE KEY-----" in data


def is_private_file(path: Path) -> bool:
    """Whether a key file holds the private half, with which can be signed. Raises Trouble `bad_key`."""
    return is_private(_read(path))


def holder_of(key: Any) -> str:
    """Who holds a key of the metadata: the name it was given, else the first characters of its id."""
    named = key.unrecognized_fields.get(HOLDER)
    return named if isinstance(named, str) and 0 < len(named) <= 64 else str(key.keyid)[:8]


def own_id(key: Any) -> str:
    """The id that a key of ours has by what it is; empty for what is no ed25519 key. TUF itself takes any id for any key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from securesystemslib.signer import SSlibKey

    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.keyval["public"]))
    except (KeyError, TypeError, ValueError):
        return ""
    made = SSlibKey.from_crypto(public, scheme="ed25519")
    return str(made.keyid) if (made.keytype, made.scheme, made.keyval) == (key.keytype, key.scheme, key.keyval) else ""


def _public_path(path: Path) -> Path:
    return path.with_name(f"{path.name}.pub")


def _write(path: Path, data: bytes, mode: int) -> None:
    try:
        write_atomically(path, data, mode)
    except OSError as error:
        cure = "name a folder that is there and that you may write to"
        raise Trouble(f"{path} can't be written: {error.strerror}", cure=cure, code="key_unwritable") from error


def _read(path: Path) -> bytes:
    from remote.strict_yaml import read_bytes

    return read_bytes(path, code=CODE, what="the key", limit_bytes=LIMIT_BYTES)


def _private(path: Path, data: bytes, ask: AskPassphrase) -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if not is_private(data):
        raise _no_key(path, "it holds no private key")
    if b"BEGIN ENCRYPTED PRIVATE KEY" in data:
        found = _unlocked(path, data, ask)
    else:
        found = _parsed(path, lambda: load_pem_private_key(data, None))
    if not isinstance(found, Ed25519PrivateKey):
        raise _no_key(path, "it is no ed25519 key")
    return found


def _unlocked(path: Path, data: bytes, ask: AskPassphrase) -> Any:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    again = False
    while True:
        passphrase = ask(path, again)
        if not passphrase:
            what = f"the key {path} was not opened: no passphrase that opens it was given"
            cure = "try again with the right one; if you are sure of it, the file is damaged: take its copy"
            raise Trouble(what, cure=cure, code="bad_passphrase")
        try:
            return load_pem_private_key(data, passphrase.encode())
        except ValueError:  # one wrong passphrase in 256 is told as another fault of the file
            again = True


def _parsed(path: Path, read: Callable[[], Any]) -> Any:
    from cryptography.exceptions import UnsupportedAlgorithm

    try:
        return read()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _no_key(path, str(error).splitlines()[0] if str(error) else "it can't be read") from error


def _named(public: Any, path: Path) -> SSlibKey:
    from securesystemslib.signer import SSlibKey

    key = SSlibKey.from_crypto(public, scheme="ed25519")
    name = path.name.removesuffix(".pub").removesuffix(".pem")
    key.unrecognized_fields[HOLDER] = name[:64] or key.keyid[:8]
    return key


def _no_key(path: Path, why: str) -> Trouble:
    cure = "give a file that `fieldgate updates key new` made"
    return Trouble(f"{path} is no key to sign with: {why}", cure=cure, code=CODE)


def readable_by_others(path: Path) -> bool:
    """Whether a private key's file may be read by others of this machine."""
    return bool(path.stat().st_mode & 0o077)
