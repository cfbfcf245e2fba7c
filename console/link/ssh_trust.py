"""Whether a host's key is trusted: known, accepted by a person, or refused with the reason and the cure."""

from __future__ import annotations

from console.link import known_hosts
from console.link.asking import Asker
from console.link.ssh_config import Target
from remote.errors import Trouble


def check_host_key(target: Target, key_type: str, key: bytes, asker: Asker) -> None:
    """Return where the key is trusted, raise Trouble (`unknown_host_key`, `changed_host_key`) where not."""
    files = (*target.user_known_hosts, *target.global_known_hosts)
    found = known_hosts.lookup(files, target.known_as, key_type, key)
    if found.finding == "known":
        return
    if found.line is not None:
        raise _distrust(target, key_type, key, found.finding, found.line)
    shown = known_hosts.fingerprint(key)
    # `StrictHostKeyChecking yes` means that the user wants no questions about new keys.
    accepted = target.accept_new or (not target.strict and asker.confirm_host_key(target.known_as, key_type, shown))
    if not accepted:
        raise Trouble(
            f"the host key of {target.known_as} is not known: {key_type} {shown}",
            cure="compare it with the robot's, then connect once in a terminal "
            f"(`ssh -p {target.port} {target.user}@{target.alias}`) and accept it",
            code="unknown_host_key",
        )
    if target.user_known_hosts:
        known_hosts.remember(target.user_known_hosts[0], target.known_as, key_type, key)


def _distrust(target: Target, key_type: str, key: bytes, finding: str, line: known_hosts.Line) -> Trouble:
    shown, place = known_hosts.fingerprint(key), f"{line.file}:{line.number}"
    if finding == "revoked":
        what = f"the host key of {target.known_as} is revoked ({place}): {key_type} {shown}"
        return Trouble(what, cure="give the robot a new host key; this one must not be used", code="changed_host_key")
    before = f"{line.key_type} {known_hosts.fingerprint(line.key)}"
    return Trouble(
        f"the host key of {target.known_as} has changed: it is {key_type} {shown}, {place} says {before}",
        cure=f"someone may be in between. Only if you know why it changed (robot set up anew): "
        f"`ssh-keygen -f {line.file} -R '{target.known_as}'`, then connect again and compare the new one",
        code="changed_host_key",
    )
