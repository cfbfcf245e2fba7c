"""~/.ssh/config as OpenSSH reads it, for the options that a connection from here needs.

Unlike paramiko's reader it follows `Include` (inside `Host` blocks too). The first value found for an option counts, only
`IdentityFile` collects (ssh_config(5)). `Match exec` is never run: the transport `openssh` is for those who need it.
"""

from __future__ import annotations

import fnmatch
import getpass
import glob
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import msgspec

from remote.errors import Trouble

_DEPTH = 16
_SIZE_LIMIT_BYTES = 1 << 20
_DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_LINE = re.compile(r"\s*([A-Za-z0-9]+)(?:\s*=\s*|\s+)(.*\S)\s*\Z")


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Everything needed to reach one host. `known_as` is the name under which its key is looked up in known_hosts."""

    alias: str
    host: str
    port: int
    user: str
    known_as: str
    identity_files: tuple[Path, ...] = ()
    identities_only: bool = False
    proxy_jump: tuple[str, ...] = ()
    proxy_command: str | None = None
    user_known_hosts: tuple[Path, ...] = ()
    global_known_hosts: tuple[Path, ...] = ()
    strict: bool = False
    accept_new: bool = False


class _Found:
    def __init__(self) -> None:
        self.first: dict[str, str] = {}
        self.identities: list[str] = []

    def take(self, keyword: str, value: str) -> None:
        if keyword == "identityfile":
            self.identities.append(value)
        else:
            self.first.setdefault(keyword, value)


def split_address(address: str) -> tuple[str | None, str, int | None]:
    """`[user@]host[:port]`, the host in brackets if it is an IPv6 address; also `ssh://` in front."""
    rest = address.removeprefix("ssh://")
    user, at, rest = rest.rpartition("@")
    found = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|([^:]+)(?::(\d+))?", rest)
    if not found:
        raise Trouble(f"'{address}' is no address", cure="write user@host or user@host:port", code="bad_robot")
    host, port = found.group(1) or found.group(3), found.group(2) or found.group(4)
    return (user if at else None), host, int(port) if port else None


def resolve(address: str, *, home: Path | None = None, system: Path = Path("/etc/ssh/ssh_config")) -> Target:
    """What the configuration says about an address or alias. `home` is the folder that holds `.ssh`."""
    home = home or Path.home()
    user, alias, port = split_address(address)
    found = _Found()
    for path, folder in ((home / ".ssh" / "config", home / ".ssh"), (system, system.parent)):
        _read(path, folder, home, (alias, user), found, True, 0)
    return _target(alias, user, port, found, home)


def _target(alias: str, user: str | None, port: int | None, found: _Found, home: Path) -> Target:
    first = found.first
    host = first.get("hostname", "%h").replace("%h", alias).replace("%%", "%")
    port = port or _port(first.get("port", "22"), alias)
    user = user or first.get("user") or getpass.getuser()
    tokens = {"%": "%", "h": host, "p": str(port), "r": user, "u": getpass.getuser(), "d": str(home), "n": alias}
    tokens["i"] = tokens["k"] = alias
    name = first.get("hostkeyalias") or (host if port == 22 else f"[{host}]:{port}")
    jump = first.get("proxyjump", "none")
    command = first.get("proxycommand", "none")
    strict = first.get("stricthostkeychecking", "ask").lower()
    keys = found.identities or [f"~/.ssh/{key}" for key in _DEFAULT_KEYS]

    def paths(text: str) -> tuple[Path, ...]:
        return tuple(_path(word, home, tokens) for word in _words(text) if word.lower() != "none")

    return Target(
        alias=alias,
        host=host,
        port=port,
        user=user,
        known_as=name.lower(),
        identity_files=tuple(_path(_unquoted(key), home, tokens) for key in keys if key.lower() != "none"),
        identities_only=first.get("identitiesonly", "no").lower() == "yes",
        proxy_jump=() if jump.lower() == "none" else tuple(part.strip() for part in jump.split(",") if part.strip()),
        proxy_command=None if command.lower() == "none" or jump.lower() != "none" else _expand(command, tokens),
        user_known_hosts=paths(first.get("userknownhostsfile", "~/.ssh/known_hosts ~/.ssh/known_hosts2")),
        global_known_hosts=paths(
            first.get("globalknownhostsfile", "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2")
        ),
        strict=strict in ("yes", "true"),
        accept_new=strict == "accept-new",
    )


def _read(
    path: Path, folder: Path, home: Path, who: tuple[str, str | None], found: _Found, active: bool, depth: int
) -> None:
    """Read one file. `active`: whether the block that includes it applies; a false one silences all of it."""
    enclosing = active
    for keyword, value in _lines(path):
        if keyword == "host":
            active = enclosing and _host_matches(value, who[0])
        elif keyword == "match":
            active = enclosing and _match_matches(value, who, found)
        elif keyword == "include":
            for included in _included(value, folder, home):
                if depth >= _DEPTH:
                    cure = "remove the Include that leads back to its own file"
                    raise Trouble(f"{path} includes files more than {_DEPTH} deep", cure=cure, code="bad_ssh_config")
                _read(included, folder, home, who, found, active, depth + 1)
        elif active:
            found.take(keyword, value if keyword in ("proxycommand", "identityfile") else _one_or_all(keyword, value))


def _lines(path: Path) -> Iterator[tuple[str, str]]:
    try:
        if path.stat().st_size > _SIZE_LIMIT_BYTES:
            raise Trouble(f"{path} is over 1 MiB, that is no SSH configuration", code="bad_ssh_config")
        text = path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise Trouble(f"{path} can't be read: {error.strerror}", cure="correct its permissions") from error
    for line in text.splitlines():
        found = None if line.lstrip().startswith("#") else _LINE.match(line)
        if found:
            yield found.group(1).lower(), found.group(2)


def _included(value: str, folder: Path, home: Path) -> list[Path]:
    names: list[Path] = []
    for word in _words(value):
        pattern = Path(str(home) + word[1:]) if word.startswith("~/") else folder / word
        names += (Path(name) for name in sorted(glob.glob(str(pattern))))  # noqa: PTH207 - absolute patterns
    return names


def _host_matches(value: str, alias: str) -> bool:
    hit = False
    for pattern in _words(value):
        if pattern.startswith("!"):
            if fnmatch.fnmatchcase(alias.lower(), pattern[1:].lower()):
                return False
        elif fnmatch.fnmatchcase(alias.lower(), pattern.lower()):
            hit = True
    return hit


def _match_matches(value: str, who: tuple[str, str | None], found: _Found) -> bool:
    words = _words(value)
    alias, user = who
    facts = {
        "host": found.first.get("hostname", "%h").replace("%h", alias),
        "originalhost": alias,
        "user": user or found.first.get("user") or getpass.getuser(),
        "localuser": getpass.getuser(),
    }
    while words:
        word = words.pop(0).lower()
        if word == "all":
            continue
        name = word.lstrip("!")
        if name not in facts or not words:
            return False  # exec, canonical, final, tagged: not for this transport
        patterns = words.pop(0).replace(",", " ")
        if _host_matches(patterns, facts[name]) == word.startswith("!"):
            return False
    return True


def _one_or_all(keyword: str, value: str) -> str:
    return value if keyword.endswith("knownhostsfile") else _unquoted(value)


def _unquoted(value: str) -> str:
    words = _words(value)
    return words[0] if words else ""


def _words(value: str) -> list[str]:
    try:
        return shlex.split(value, comments=True)
    except ValueError:
        return value.split()


def _path(text: str, home: Path, tokens: dict[str, str]) -> Path:
    expanded = _expand(text, tokens)
    return Path(str(home) + expanded[1:]) if expanded.startswith("~/") else Path(expanded)


def _expand(text: str, tokens: dict[str, str]) -> str:
    return re.sub(r"%(.)", lambda found: tokens.get(found.group(1), found.group(0)), text)


def _port(text: str, alias: str) -> int:
    if not (text.isdigit() and 0 < int(text) < 65536):
        raise Trouble(
            f"the SSH configuration gives '{alias}' the port '{text}'", cure="correct it", code="bad_ssh_config"
        )
    return int(text)
