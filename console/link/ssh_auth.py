"""Proving to an SSH server who we are: keys of the SSH agent, then key files."""

from __future__ import annotations

import base64
import binascii
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from console.link import known_hosts
from console.link.asking import Asker
from console.link.ssh_config import Target
from remote.errors import Trouble

if TYPE_CHECKING:
    import paramiko

_PASSPHRASE_TRIES = 3
_AGENT_S = 4.0


class KeyRing:
    """The keys of one transport. Opened key files are kept in memory, so a reconnect asks nothing; never on disk."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._opened: dict[Path, paramiko.PKey] = {}
        self._skipped: set[Path] = set()

    def authenticate(self, transport: paramiko.Transport, target: Target) -> None:
        """Log in, or raise Trouble `auth_failed` that names the keys tried."""
        tried: list[str] = []
        for name, key in self._candidates(target, tried):
            tried.append(name)
            if self._accepted(transport, target, key):
                return
            if not transport.is_active():
                if len(tried) == 1:
                    # A server does not count one key as too many: this is a cut link, which is tried again.
                    raise _cut_short(target)
                tried.append("then the server hung up (too many keys: set IdentityFile and IdentitiesOnly)")
                break
        raise Trouble(
            f"{target.user}@{target.host} refused the login; tried: {', '.join(tried) or 'no key, there is none'}",
            cure=f"put your public key there (`ssh-copy-id -p {target.port} {target.user}@{target.host}`) or check the user",
            code="auth_failed",
        )

    def _accepted(self, transport: paramiko.Transport, target: Target, key: paramiko.PKey) -> bool:
        import paramiko

        try:
            transport.auth_publickey(target.user, key)
        except paramiko.SSHException:
            return False
        except (EOFError, OSError):
            transport.close()  # it broke while it was written to: who reads it may not have noticed yet
            return False
        return transport.is_authenticated()

    def _candidates(self, target: Target, tried: list[str]) -> Iterator[tuple[str, paramiko.PKey]]:
        """One after another: no passphrase is asked for while the agent's keys may do."""
        seen: set[bytes | None] = set()
        for name, key in self._agent_keys(target):
            seen.add(key.asbytes())
            yield name, key
        for path in target.identity_files:
            file_key = None if _public_blob(path) in seen else self._file_key(path)
            if file_key is not None and file_key.asbytes() not in seen:
                yield str(path), file_key
            elif path in self._skipped:
                tried.append(f"{path} (not opened)")

    def _agent_keys(self, target: Target) -> list[tuple[str, paramiko.PKey]]:
        """The SSH agent's keys, those of the configuration first (only those with IdentitiesOnly)."""
        keys = _keys_of_agent()
        wanted = [blob for path in target.identity_files if (blob := _public_blob(path))]
        first = [key for key in keys if key.asbytes() in wanted]
        rest = [] if target.identities_only else [key for key in keys if key.asbytes() not in wanted]
        return [(f"agent key {known_hosts.fingerprint(key.asbytes())}", key) for key in first + rest]

    def _file_key(self, path: Path) -> paramiko.PKey | None:
        """The key of a file, its passphrase asked for if it has one; None where it can't be used."""
        if path in self._opened:
            return self._opened[path]
        if path in self._skipped or not path.is_file():
            return None
        key = self._opened_with_questions(path)
        if key is None:
            self._skipped.add(path)
        else:
            self._opened[path] = key
        return key

    def _opened_with_questions(self, path: Path) -> paramiko.PKey | None:
        try:
            return _load(path, None)
        except _Locked:
            pass
        except _Unusable:
            return None
        for attempt in range(_PASSPHRASE_TRIES):
            passphrase = self._asker.ask_passphrase(str(path), attempt > 0)
            if passphrase is None:
                return None
            try:
                return _load(path, passphrase)
            except (_Locked, _Unusable):
                continue
        return None


def _keys_of_agent() -> list[paramiko.AgentKey]:
    """As paramiko.Agent has them, which waits without an end for an agent that is silent: a forwarded one whose laptop is
    gone, or one that asks somewhere for a PIN.
    """
    import paramiko
    from paramiko.agent import AgentSSH, get_agent_connection

    door, agent = get_agent_connection(), AgentSSH()
    if not isinstance(door, socket.socket):
        return []
    door.settimeout(_AGENT_S)
    try:
        agent._connect(door)  # type: ignore[attr-defined] # as paramiko.Agent itself does
    except (paramiko.SSHException, OSError):
        door.close()
        return []
    door.settimeout(None)  # a signature may wait for a person's touch; the login has its own limit
    return list(agent.get_keys())


class _Locked(Exception):
    """The file needs a passphrase, or another one."""


class _Unusable(Exception):
    """The file holds no key that can be used here."""


def _load(path: Path, passphrase: str | None) -> paramiko.PKey:
    import paramiko

    try:
        return paramiko.PKey.from_path(path, passphrase.encode() if passphrase is not None else None)  # type: ignore[arg-type]
    except (paramiko.PasswordRequiredException, TypeError) as error:
        raise _Locked from error
    except (ValueError, paramiko.SSHException, paramiko.pkey.UnknownKeyType, OSError) as error:
        raise (_Locked if passphrase is not None else _Unusable) from error


def _cut_short(target: Target) -> Trouble:
    what = f"the link to {target.host} broke during the login"
    return Trouble(what, cure="it is tried again by itself", code="unreachable")


def _public_blob(path: Path) -> bytes | None:
    try:
        words = path.with_name(path.name + ".pub").read_text(encoding="utf-8", errors="replace").split()
        return base64.b64decode(words[1]) if len(words) > 1 else None
    except (OSError, binascii.Error, ValueError):
        return None
