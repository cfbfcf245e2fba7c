"""Signing and verifying with the person's own SSH key, by `ssh-keygen -Y`: private keys and passphrases stay with OpenSSH.

What is signed here can be checked with OpenSSH alone (docs/record.md, "Signatures").
"""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import NamedTuple, Union

from console.record.roster import NAMESPACE, Person, Roster, allowed_signers
from console.record.ssh_keys import PublicKey, agent_keys, home_keys, read_key
from console.record.sshsig import read_armored
from remote.errors import Trouble

TOUCH_S = 60.0
"""How long a security key's touch is waited for."""
ASK_S = 300.0
"""How long a person may take to type a passphrase, or to confirm at the SSH agent."""
_VERIFY_S = 30.0
_DATES_SINCE = (8, 7)  # valid-before and verify-time are known from this OpenSSH on
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class KeyFile(NamedTuple):
    """A private key's file, or a .pub file whose private half lies beside it or in the SSH agent.

    `may_ask`: ssh-keygen may use this process's terminal to ask for the passphrase. Otherwise a key that needs one ends in
    Trouble `passphrase_needed` at once.
    """

    path: Path
    may_ask: bool = True


class AgentKey(NamedTuple):
    """A key that the SSH agent holds, by its SHA256 fingerprint."""

    fingerprint: str


KeyChoice = Union[KeyFile, AgentKey]


def public_half(key: KeyChoice) -> PublicKey:
    """The public key of a choice. Trouble: `key_missing`, `key_not_in_agent`, `no_agent_keys`, `bad_key`."""
    if isinstance(key, AgentKey):
        return _in_agent(key)
    path = key.path.expanduser()
    public = path if path.suffix == ".pub" else path.with_name(path.name + ".pub")
    if not path.exists():
        raise Trouble(
            f"there is no key {path}",
            cure="give the path of your key, or `ssh-add -L` lists the agent's",
            code="key_missing",
        )
    if not public.exists():
        cure = f"make it from the private key: `ssh-keygen -y -f {path} > {public}`"
        raise Trouble(f"the public half {public} is missing", cure=cure, code="key_missing")
    return read_key(public)


def keys_of(person: Person) -> dict[str, KeyChoice]:
    """The person's keys that can be used here and now, by fingerprint: first those in the SSH agent, then those of ~/.ssh."""
    found: dict[str, KeyChoice] = {}
    with suppress(Trouble):  # without an agent there are still files
        found.update((key.fingerprint, AgentKey(key.fingerprint)) for key in agent_keys())
    for path, key in home_keys().items():
        if path.with_suffix("").exists():
            found.setdefault(key.fingerprint, KeyFile(path.with_suffix("")))
    return {fingerprint: choice for fingerprint, choice in found.items() if person.has_key(fingerprint)}


def default_key(person: Person) -> KeyChoice:
    """The first of `keys_of`; Trouble `no_key` where none of the person's keys is here."""
    found = next(iter(keys_of(person).values()), None)
    if found is None:
        known = ", ".join(key.fingerprint for key in person.public_keys()) or "none"
        what = (
            f"no key of {person.name} ({person.principal}) is in the SSH agent or in ~/.ssh; the roster knows: {known}"
        )
        cure = (
            "load it with `ssh-add FILE`, give `--key FILE`, or put another key into the roster: `fieldgate roster add`"
        )
        raise Trouble(what, cure=cure, code="no_key")
    return found


def check_key(roster: Roster, principal: str, key: PublicKey) -> Person:
    """The person of that principal, whose key this is. Trouble: `not_in_roster`, `key_of_other`, `key_not_in_roster`."""
    person = roster.person(principal)
    if person.has_key(key.fingerprint):
        return person
    other = roster.owner_of(key.fingerprint)
    if other is not None:
        what = (
            f"the key {key.fingerprint} belongs to {other.name} ({other.principal}), not to {person.name} ({principal})"
        )
        cure = f"sign with your own key, or as `--as {other.principal}` if that is you"
        raise Trouble(what, cure=cure, code="key_of_other")
    what = f"the key {key.fingerprint} is not in the roster"
    cure = f"use a key that stands there under '{principal}', or add this one and revise the campaign's roster"
    raise Trouble(what, cure=cure, code="key_not_in_roster")


# ------------------------------------------------------------ sign


def sign(
    data: bytes,
    key: KeyChoice,
    *,
    timeout_s: float | None = None,
    tell: Callable[[str], None] = lambda words: None,
) -> str:
    """The armored SSH signature of the bytes, in the namespace `fieldgate`. Blocks while a person is asked.

    Args:
        data: what is signed.
        key: with which key; ssh-keygen itself asks for a passphrase, on the terminal.
        timeout_s: how long it may take; None: TOUCH_S for a security key, else ASK_S.
        tell: gets a sentence for the person when a touch is waited for.

    Raises:
        Trouble: `no_ssh_keygen`, `key_missing`, `key_not_in_agent`, `wrong_passphrase`, `passphrase_needed`,
            `key_unprotected`, `sign_timeout`, `disk_full`, `sign_failed` - each with what to do.
    """
    public = public_half(key)
    limit_s = timeout_s if timeout_s is not None else (TOUCH_S if public.on_hardware else ASK_S)
    if public.on_hardware:
        tell(f"touch the security key that holds {public.fingerprint} (waiting {limit_s:.0f} s)")
    with _desk() as folder:
        statement = folder / "statement"
        statement.write_bytes(data)
        armored = _signed(statement, _named(key, public, folder), key, public, limit_s)
    given = read_armored(armored)
    if (given.fingerprint, given.namespace) != (public.fingerprint, NAMESPACE):
        what = f"ssh-keygen signed with {given.fingerprint}, not with {public.fingerprint}"
        raise Trouble(
            what, cure="the .pub file beside the private key belongs to another key: make it anew", code="sign_failed"
        )
    return armored


def _named(key: KeyChoice, public: PublicKey, folder: Path) -> Path:
    if isinstance(key, KeyFile):
        return key.path.expanduser()
    path = folder / "key.pub"
    path.write_text(public.line + "\n")
    return path


def _signed(statement: Path, path: Path, key: KeyChoice, public: PublicKey, limit_s: float) -> str:
    asks = not isinstance(key, KeyFile) or key.may_ask
    argv = ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(path), str(statement)]
    try:
        # Without a session of its own the child shares our terminal, and asks there.
        child = subprocess.Popen(
            argv,
            stdin=None if asks else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_environment(asks),
            start_new_session=not asks,
        )
    except FileNotFoundError as error:
        raise _no_ssh_keygen() from error
    with child:
        try:
            said = child.communicate(timeout=limit_s)[1].decode(errors="replace")
        except subprocess.TimeoutExpired as error:
            _end(child)
            raise _waited(key, public, limit_s) from error
    if child.returncode != 0:
        raise _refused(said, key, public)
    return statement.with_name(statement.name + ".sig").read_text(encoding="ascii")


def _environment(asks: bool) -> dict[str, str]:
    quiet = {} if asks else {"SSH_ASKPASS_REQUIRE": "never"}
    return {**os.environ, "LC_ALL": "C", **quiet}


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()  # lets it give the terminal its echo back
    try:
        child.wait(2.0)
    except subprocess.TimeoutExpired:
        child.kill()


def _waited(key: KeyChoice, public: PublicKey, limit_s: float) -> Trouble:
    if public.on_hardware:
        what = f"the security key that holds {public.fingerprint} was not touched within {limit_s:.0f} s"
        return Trouble(what, cure="plug it in, sign again and touch it when it blinks", code="sign_timeout")
    awaited = "the SSH agent did not sign" if isinstance(key, AgentKey) else "no passphrase was typed"
    cure = "sign again, and answer what the agent or the terminal asks"
    return Trouble(f"{awaited} within {limit_s:.0f} s; nothing was signed", cure=cure, code="sign_timeout")


def _refused(said: str, key: KeyChoice, public: PublicKey) -> Trouble:
    """What ssh-keygen said, as what a person can do about it."""
    name = str(key.path) if isinstance(key, KeyFile) else public.fingerprint
    for mark, code, what, cure in _SAID:
        if mark in said:
            if code == "wrong_passphrase" and isinstance(key, KeyFile) and not key.may_ask:
                return Trouble(
                    f"the key {name} needs its passphrase",
                    cure=f"load it once: `ssh-add {name}`",
                    code="passphrase_needed",
                )
            return Trouble(what.format(name), cure=cure.format(name), code=code)
    last = (said.strip().splitlines() or ["it said nothing"])[-1]
    return Trouble(
        f"ssh-keygen did not sign with {name}: {last}",
        cure="nothing was signed; correct that and sign again",
        code="sign_failed",
    )


class _Said(NamedTuple):
    mark: str
    code: str
    what: str
    cure: str


_SAID = (
    _Said(
        "incorrect passphrase",
        "wrong_passphrase",
        "the passphrase of {} was wrong, or none was typed; nothing was signed",
        "sign again",
    ),
    _Said(
        "UNPROTECTED PRIVATE KEY", "key_unprotected", "others can read {}, so OpenSSH won't use it", "`chmod 600 {}`"
    ),
    _Said(
        "No private key found",
        "key_not_in_agent",
        "the private half of {} is neither beside it nor in the SSH agent",
        "load it: `ssh-add FILE`",
    ),
    _Said("No space left", "disk_full", "the disk is full; nothing was signed", "free some space and sign again"),
    _Said(
        "agent refused operation",
        "sign_failed",
        "the SSH agent refused to sign with {}",
        "confirm at the agent, or touch the security key, when it asks",
    ),
    _Said(
        "device not found",
        "sign_failed",
        "the security key that holds {} is not plugged in",
        "plug it in and sign again",
    ),
)


def _in_agent(key: AgentKey) -> PublicKey:
    found = next((one for one in agent_keys() if one.fingerprint == key.fingerprint), None)
    if found is None:
        what = f"the SSH agent does not hold the key {key.fingerprint}"
        raise Trouble(
            what, cure="load it with `ssh-add FILE`; `ssh-add -l` shows what it holds", code="key_not_in_agent"
        )
    return found


# ------------------------------------------------------------ verify


def verify(data: bytes, armored: str, roster: Roster, principal: str, at_wall_ns: int) -> str:
    """Empty if this is the signature of that person over these bytes, good at that time; else one sentence that says why not.

    `ssh-keygen -Y verify` decides; what this looks at itself only finds the words. Trouble `no_ssh_keygen`, `disk_full`.
    """
    return _why_not(armored, roster, principal, at_wall_ns) or _asked_openssh(
        data, armored, roster, principal, at_wall_ns
    )


def _why_not(armored: str, roster: Roster, principal: str, at_wall_ns: int) -> str:
    try:
        given = read_armored(armored)
    except Trouble as trouble:
        return trouble.what
    person = roster.find(principal)
    if person is None:
        return f"'{principal}' is not in the roster"
    if given.namespace != NAMESPACE:
        return f"the signature was given for '{given.namespace}', not for '{NAMESPACE}'"
    if not person.has_key(given.fingerprint):
        other = roster.owner_of(given.fingerprint)
        if other is None:
            return f"the key {given.fingerprint} is not in the roster"
        return f"the key {given.fingerprint} belongs to {other.name} ({other.principal}), not to {person.name} ({principal})"
    if person.expired(at_wall_ns):
        return f"the roster entry of {person.name} ({principal}) ended on {person.until}"
    return ""


def _asked_openssh(data: bytes, armored: str, roster: Roster, principal: str, at_wall_ns: int) -> str:
    dated = _openssh() >= _DATES_SINCE
    try:
        moment = (_EPOCH + timedelta(microseconds=at_wall_ns // 1000)).strftime("%Y%m%d%H%M%S")
    except OverflowError:
        return "the signature's time lies outside of the calendar"
    with _desk() as folder:
        signers, signature = folder / "allowed_signers", folder / "signature"
        signers.write_text(allowed_signers(roster, dated=dated))
        signature.write_text(armored, encoding="ascii")
        argv = [
            "ssh-keygen",
            "-Y",
            "verify",
            "-f",
            str(signers),
            "-I",
            principal,
            "-n",
            NAMESPACE,
            "-s",
            str(signature),
        ]
        code, said = _ran([*argv, *(["-O", f"verify-time={moment}"] if dated else [])], data)
    if code == 0:
        return ""
    words = " ".join(said.replace("Could not verify signature.", "").split()) or "it gave no reason"
    return f"the signature does not fit the statement (ssh-keygen: {words.replace(str(signers), 'roster')})"


def _ran(argv: list[str], data: bytes) -> tuple[int, str]:
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}  # the times that we write are UTC
    try:
        ran = subprocess.run(argv, input=data, capture_output=True, timeout=_VERIFY_S, env=environment)
    except FileNotFoundError as error:
        raise _no_ssh_keygen() from error
    except subprocess.TimeoutExpired:
        return 1, f"no answer within {_VERIFY_S:g} s"
    return ran.returncode, (ran.stdout + b"\n" + ran.stderr).decode(errors="replace")


@cache
def _openssh() -> tuple[int, int]:
    """The version of the OpenSSH that is installed; a new one where it can't be told."""
    import re

    try:
        said = subprocess.run(["ssh", "-V"], capture_output=True, text=True, timeout=_VERIFY_S, errors="replace").stderr
    except (OSError, subprocess.TimeoutExpired):
        return (99, 0)
    found = re.search(r"OpenSSH_(\d+)\.(\d+)", said)
    return (int(found.group(1)), int(found.group(2))) if found else (99, 0)


@contextmanager
def _desk() -> Iterator[Path]:
    """A folder of our own (0700) for what ssh-keygen reads and writes; gone afterwards."""
    try:
        with tempfile.TemporaryDirectory(prefix="fieldgate-") as folder:
            yield Path(folder)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        what = "the disk is full" if full else f"no temporary file can be written: {error.strerror}"
        cure = f"free some space in {tempfile.gettempdir()}" if full else "set TMPDIR to a folder that you can write to"
        raise Trouble(
            f"{what}; nothing was signed or verified", cure=cure, code="disk_full" if full else "sign_failed"
        ) from error


def check_ssh_keygen() -> None:
    """Trouble `no_ssh_keygen` where OpenSSH's client is not installed: said before anybody reads a statement in vain."""
    if shutil.which("ssh-keygen") is None:
        raise _no_ssh_keygen()


def _no_ssh_keygen() -> Trouble:
    return Trouble(
        "`ssh-keygen` is not installed", cure="install OpenSSH's client (openssh-client)", code="no_ssh_keygen"
    )
